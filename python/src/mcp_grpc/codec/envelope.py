# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""JSON-RPC messages and envelopes: SPEC.md §4.1 and §4.2."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from mcp_grpc._gen.mcp.v1.common_pb2 import JSON_ENCODING_UNSPECIFIED, JsonEncoding
from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope
from mcp_grpc.codec.errors import BothTwinsError, CodecError, InvalidRequestError
from mcp_grpc.codec.number import exact_int
from mcp_grpc.codec.reader import Reader
from mcp_grpc.codec.scalar import INT64
from mcp_grpc.codec.struct import json_text, raw_twins
from mcp_grpc.codec.text import check, dumps, exact_string, loads, members, quote
from mcp_grpc.codec.writer import ObjectWriter, write

_KEYS = ("jsonrpc", "id", "method", "params", "result", "error")


def envelope_from_json(text: str | bytes, encoding: JsonEncoding = JSON_ENCODING_UNSPECIFIED) -> Envelope:
    """Read one JSON-RPC 2.0 message.

    Members that JSON-RPC does not have are dropped, as §4.1 says. An error with a null id loses the null.

    Raises:
        NotJsonError: The text is not one JSON value in UTF-8: -32700.
        InvalidRequestError: It is no message of MCP: -32600.
    """
    envelope = Envelope()
    read_envelope(Reader(encoding), check(text), envelope)
    return envelope


def envelope_from_value(value: Any, encoding: JsonEncoding = JSON_ENCODING_UNSPECIFIED) -> Envelope:
    """:func:`envelope_from_json` for a Python value."""
    return envelope_from_json(dumps(value), encoding)


def envelope_to_json(envelope: Envelope) -> str:
    """Write the JSON-RPC message that an envelope holds; ``event_id`` has no twin.

    Raises:
        InvalidRequestError: It holds none, two ids, or no id or method where there must be one.
        CodecError: As :func:`~mcp_grpc.codec.writer.to_json`.
    """
    return write_envelope(envelope)


def envelope_to_value(envelope: Envelope) -> Any:
    """The Python value of :func:`envelope_to_json`'s text."""
    return loads(write_envelope(envelope))


def read_envelope(reader: Reader, raw: str, envelope: Envelope) -> None:
    """Read a raw JSON-RPC message."""
    try:
        parts = {member.key: member.raw for member in members(raw) if member.key in _KEYS}
    except CodecError as error:
        raise InvalidRequestError(str(error)) from None
    if exact_string(parts.get("jsonrpc")) != "2.0":
        raise InvalidRequestError('member "jsonrpc" must be "2.0"')
    if len({"method", "result", "error"} & parts.keys()) != 1:
        raise InvalidRequestError("a message has one of method, result and error")
    if "method" in parts:
        _read_call(reader, parts, envelope)
    elif "params" in parts:
        raise InvalidRequestError("a response has no params")
    else:
        _read_response(reader, parts, envelope)


def _read_call(reader: Reader, parts: dict[str, str], envelope: Envelope) -> None:
    method = exact_string(parts["method"])
    if not method:
        raise InvalidRequestError('member "method" must be a string that is not empty')
    envelope.method = method
    call: Any = envelope.request if "id" in parts else envelope.notification
    call.SetInParent()
    if "params" in parts:
        struct, text = raw_twins(parts["params"], reader.encoding)
        if struct is None:
            call.params_json = text
        else:
            call.params.CopyFrom(struct)
    if "id" in parts:
        _read_id(parts["id"], call)


def _read_response(reader: Reader, parts: dict[str, str], envelope: Envelope) -> None:
    response = envelope.response
    response.SetInParent()
    if "error" in parts:
        try:
            reader.message(parts["error"], response.error)
        except CodecError as error:
            raise InvalidRequestError(f"error: {error}") from None
        response.error.SetInParent()
        if parts.get("id", "null") != "null":
            _read_id(parts["id"], response)
        return
    struct, text = raw_twins(parts["result"], reader.encoding)
    if struct is None:
        response.result_json = text
    else:
        response.result.CopyFrom(struct)
        response.result.SetInParent()
    if "id" not in parts:
        raise InvalidRequestError("a result has an id")
    _read_id(parts["id"], response)


def _read_id(raw: str, message: Any) -> None:
    if (text := exact_string(raw)) is not None:
        message.id = text
    elif (number := exact_int(raw, *INT64)) is not None:
        message.int_id = number
    else:
        raise InvalidRequestError("an id is a string or a 64-bit integer")


def write_envelope(envelope: Envelope) -> str:
    """The JSON-RPC message of an envelope."""
    if envelope.batch:
        raise InvalidRequestError("a batch is not one message")
    out = ObjectWriter()
    out.put("jsonrpc", '"2.0"')
    match envelope.WhichOneof("kind"):
        case "request":
            if not _write_id(envelope.request, out):
                raise InvalidRequestError("a request has an id")
            _write_call(envelope.method, envelope.request, out)
        case "notification":
            _write_call(envelope.method, envelope.notification, out)
        case "response":
            if envelope.method:
                raise InvalidRequestError("a response has no method")
            _write_response(envelope.response, out)
        case _:
            raise InvalidRequestError("the envelope has no JSON-RPC message")
    return out.end()


def _write_call(method: str, call: Any, out: ObjectWriter) -> None:
    if not method:
        raise InvalidRequestError("a request or notification has a method")
    out.put("method", quote(method))
    try:
        params = json_text(call.params if call.HasField("params") else None, call.params_json)
    except BothTwinsError:
        raise BothTwinsError("set params or params_json, not both") from None
    except CodecError as error:
        raise error.at("params") from None
    if params is not None:
        out.put("params", params)


def _write_response(response: Any, out: ObjectWriter) -> None:
    has_id = _write_id(response, out)
    match response.WhichOneof("outcome"):
        case "error":
            try:
                out.put("error", write(response.error))
            except CodecError as error:
                raise error.at("error") from None
            return
        case "result":
            result = json_text(response.result, b"")
        case "result_json":
            result = check(response.result_json)
        case _:
            raise InvalidRequestError("a response has a result or an error")
    if not has_id:
        raise InvalidRequestError("a result has an id")
    out.put("result", result or "")


def _write_id(message: Message, out: ObjectWriter) -> bool:
    has_text, has_number = message.HasField("id"), message.HasField("int_id")
    if has_text and has_number:
        raise InvalidRequestError("id and int_id are both set")
    if has_text:
        out.put("id", quote(message.id))  # type: ignore[attr-defined]
    elif has_number:
        out.put("id", str(message.int_id))  # type: ignore[attr-defined]
    return has_text or has_number
