# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Envelopes that go out, and checks of those that come in: SPEC.md §4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp import MCPError

from mcp_grpc._gen.mcp.v1.common_pb2 import JSON_ENCODING_BYTES, JsonEncoding
from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope
from mcp_grpc.codec import (
    BothTwinsError,
    CodecError,
    Limits,
    RpcFailure,
    check_message,
    dumps,
    json_text,
    loads,
    to_value,
    twins,
)
from mcp_grpc.codec.text import check, members
from mcp_grpc.server.failure import invalid_request

RequestKey = str | int


def key_of(envelope: Envelope) -> RequestKey | None:
    """The id of a request, none if there is not one that can be read. A string and an integer differ."""
    request = envelope.request
    has_text, has_number = request.HasField("id"), request.HasField("int_id")
    if envelope.WhichOneof("kind") != "request" or has_text == has_number:
        return None
    return request.id if has_text else request.int_id


def check_envelope(envelope: Envelope, limits: Limits) -> None:
    """Refuse an envelope that is malformed or over a limit (§11.4).

    Raises:
        RpcFailure: Why.
    """
    try:
        check_message(envelope, limits)
    except BothTwinsError as error:
        raise invalid_request(str(error)) from None
    except CodecError as error:
        raise RpcFailure.of_codec(error) from None
    match envelope.WhichOneof("kind"):
        case "request":
            if not envelope.method:
                raise invalid_request("request without method")
            if key_of(envelope) is None:
                both = envelope.request.HasField("id")
                raise invalid_request("id and int_id are both set" if both else "request without id")
        case "notification":
            if not envelope.method:
                raise invalid_request("notification without method")
        case "response":
            if envelope.method:
                raise invalid_request("response with a method")


def params_of(message: Any) -> Any:
    """The params of a request or notification; none if there are none, or null.

    Raises:
        CodecError: They are not JSON.
    """
    text = json_text(message.params if message.HasField("params") else None, message.params_json)
    return None if text is None else loads(text)


def check_repeated(message: Any) -> None:
    """Refuse params that repeat a member: the mapping never chooses between two (R5); MalformedError."""
    if message.params_json and (raw := check(message.params_json))[0] == "{":
        members(raw)


def answer_of(envelope: Envelope) -> dict[str, Any] | MCPError:
    """The client's answer to a request of the server.

    Raises:
        RpcFailure: It has none.
    """
    response = envelope.response
    match response.WhichOneof("outcome"):
        case "error":
            error = to_value(response.error)
            return MCPError(error["code"], error["message"], error.get("data"))
        case None:
            raise invalid_request("response without result and error")
    text = json_text(response.result if response.HasField("result") else None, response.result_json)
    value = loads(text or "null")
    if not isinstance(value, dict):
        raise invalid_request("the result is no object")
    return value


def result_envelope(key: RequestKey, result: Mapping[str, Any], encoding: JsonEncoding) -> Envelope:
    """The envelope of a successful response."""
    envelope = Envelope()
    _set_id(envelope.response, key)
    struct, text = twins(dumps(result), encoding)
    if struct is None:
        envelope.response.result_json = text
    else:
        envelope.response.result.CopyFrom(struct)
        envelope.response.result.SetInParent()
    return envelope


def error_envelope(key: RequestKey | None, failure: RpcFailure, encoding: JsonEncoding) -> Envelope:
    """The envelope of a failed response; the key is none if the message that failed has none that can be read."""
    envelope = Envelope()
    if key is not None:
        _set_id(envelope.response, key)
    if failure.error is not None:
        envelope.response.error.CopyFrom(failure.error)
    else:
        envelope.response.error.code, envelope.response.error.message = failure.code, failure.message
    error = envelope.response.error
    if encoding == JSON_ENCODING_BYTES and error.HasField("data"):
        text = json_text(error.data, b"")
        error.ClearField("data")
        error.data_json = (text or "").encode("utf-8")
    return envelope


def notification(method: str, params: Mapping[str, Any] | None, encoding: JsonEncoding) -> Envelope:
    """The envelope of a notification."""
    envelope = Envelope(method=method)
    envelope.notification.SetInParent()
    _set_params(envelope.notification, params, encoding)
    return envelope


def request(key: str, method: str, params: Mapping[str, Any] | None, encoding: JsonEncoding) -> Envelope:
    """The envelope of a server's request."""
    envelope = Envelope(method=method)
    envelope.request.id = key
    _set_params(envelope.request, params, encoding)
    return envelope


def _set_id(message: Any, key: RequestKey) -> None:
    if isinstance(key, str):
        message.id = key
    else:
        message.int_id = key


def _set_params(message: Any, params: Mapping[str, Any] | None, encoding: JsonEncoding) -> None:
    if params is None:
        return
    struct, text = twins(dumps(dict(params)), encoding)
    if struct is None:
        message.params_json = text
    else:
        message.params.CopyFrom(struct)
        message.params.SetInParent()
