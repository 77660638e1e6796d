# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""What a server asks of a client, and what it gets: SPEC.md §5.4.7 to §5.4.9."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp_grpc._gen.mcp.v1.input_pb2 import InputRequest, InputRequired, InputResponse
from mcp_grpc.codec.content import take, take_string
from mcp_grpc.codec.errors import CodecError, MalformedError
from mcp_grpc.codec.text import check, exact_string, join, members, quote
from mcp_grpc.codec.writer import ObjectWriter, unset, write

if TYPE_CHECKING:
    from mcp_grpc.codec.reader import Reader

INPUT_REQUIRED = "input_required"

_KINDS = {"elicitation/create": "elicitation", "sampling/createMessage": "sampling", "roots/list": "roots"}
_METHODS = {kind: method for method, kind in _KINDS.items()}


def read_input_request(reader: Reader, raw: str, message: InputRequest) -> None:
    """Read ``{"method": …, "params": …}``."""
    try:
        known = _known_request(reader, raw, message)
    except CodecError:
        known = False
    if not known:
        message.Clear()
        message.other_json = raw.encode("utf-8")


def _known_request(reader: Reader, raw: str, message: InputRequest) -> bool:
    reader, parts = reader.object(raw)
    method, parts = take_string(parts, "method")
    if method is None or method not in _KINDS:
        return False
    params, parts = take(parts, "params")
    request: Any = getattr(message, _KINDS[method])
    request.SetInParent()
    if params is not None:
        reader.message(params, request)
    elif method == "roots/list":
        message.roots.no_params = True
    else:
        return False
    if parts:
        message.extra_json = join(parts).encode("utf-8")
    return True


def write_input_request(message: InputRequest) -> str:
    """The twin of an InputRequest."""
    kind = message.WhichOneof("kind")
    if kind is None:
        raise unset("kind")
    if kind == "other_json":
        if message.extra_json:
            raise MalformedError("extra_json does not go with other_json, put its members there")
        return check(message.other_json)
    out = ObjectWriter(message.extra_json)
    out.put("method", quote(_METHODS[kind]))
    if kind == "roots" and message.roots.no_params:
        if message.roots.HasField("meta") or message.roots.extra_json or out.held("params"):
            raise MalformedError("roots has params although no_params is set, clear one of them")
        return out.end()
    try:
        out.put("params", write(getattr(message, kind)))
    except CodecError as error:
        raise error.at(kind) from None
    return out.end()


# A result does not say of what it is: each kind has one member that the others do not have.
_TELLING = {"roots": "roots", "action": "elicitation", "role": "sampling"}


def read_input_response(reader: Reader, raw: str, message: InputResponse) -> None:
    """Read a result of a client."""
    try:
        known = _known_response(reader, raw, message)
    except CodecError:
        known = False
    if not known:
        message.Clear()
        message.other_json = raw.encode("utf-8")


def _known_response(reader: Reader, raw: str, message: InputResponse) -> bool:
    keys = {part.key for part in members(raw)}
    member = next((member for member in _TELLING if member in keys), None)
    if member is None:
        return False
    result: Any = getattr(message, _TELLING[member])
    result.SetInParent()
    reader.message(raw, result)
    if member == "roots":
        # An array that the field could not hold stands in extra_json and is an array all the same.
        return (take(members(raw), "roots")[0] or "").startswith("[")
    return bool(result.HasField(member))


def write_input_response(message: InputResponse) -> str:
    """The twin of an InputResponse."""
    kind = message.WhichOneof("kind")
    if kind is None:
        raise unset("kind")
    return check(message.other_json) if kind == "other_json" else write(getattr(message, kind))


def read_input_required(reader: Reader, raw: str, message: InputRequired) -> None:
    """Read a result with a ``resultType``, which is always written, so it must be there."""
    reader, parts = reader.object(raw)
    kind, rest = take(parts, "resultType")
    if kind is None:
        raise MalformedError('member "resultType" is missing')
    # Another type than the one that is written goes to extra_json.
    reader.fields(rest if exact_string(kind) == INPUT_REQUIRED else parts, message)


def write_input_required(message: InputRequired) -> str:
    """The twin of an InputRequired."""
    return with_result_type(message, INPUT_REQUIRED)


def with_result_type(message: Any, kind: str) -> str:
    """The twin of a message that has no field for its ``resultType``, or left it out."""
    out = ObjectWriter.of(message)
    if not out.held("resultType"):
        out.put("resultType", quote(kind))
    out.fields(message)
    return out.end()
