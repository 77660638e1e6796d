# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""The vectors of testdata/vectors, which the Go implementation wrote (SPEC.md §5.6)."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import symbol_database
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from mcp_grpc._gen.mcp.v1 import auth_pb2, mcp_pb2  # noqa: F401 - registers the messages
from mcp_grpc._gen.mcp.v1.common_pb2 import JsonRpcError
from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope, FrameError
from mcp_grpc.codec import (
    METHODS_BY_RPC,
    BothTwinsError,
    CodecError,
    InvalidRequestError,
    LimitError,
    Limits,
    NotJsonError,
    RpcFailure,
    check_message,
    decode_value,
    encode_value,
    envelope_from_json,
    envelope_to_json,
    failure_of_frame,
    frame_error,
    from_json,
    loads,
    request_metadata,
    to_json,
)
from mcp_grpc.codec.text import members

VECTORS = Path(__file__).parents[2] / "testdata" / "vectors"


def load(name: str) -> list[dict[str, Any]]:
    vectors: list[dict[str, Any]] = json.loads((VECTORS / name).read_text("utf-8"))
    assert len(vectors) > 9
    return vectors


def indexed(name: str) -> list[Any]:
    return [pytest.param(vector, id=f"{name}-{line + 2}") for line, vector in enumerate(load(name))]


def message_type(name: str) -> type[Message]:
    found: type[Message] = symbol_database.Default().GetSymbol(name)
    return found


def text_of(vector: dict[str, Any]) -> str | bytes:
    return base64.b64decode(vector["jsonBase64"]) if "jsonBase64" in vector else vector.get("json", "")


def kind(error: CodecError | None) -> str:
    kinds: list[tuple[type[CodecError], str]] = [
        (NotJsonError, "not JSON"),
        (InvalidRequestError, "invalid request"),
        (BothTwinsError, "both twins"),
        (LimitError, "limit"),
    ]
    return "" if error is None else next((name for cls, name in kinds if isinstance(error, cls)), "malformed")


def canonical(text: str | bytes) -> Any:
    """One value for all spellings: numbers as decimals, objects as sorted lists that keep repeated keys."""
    return json.loads(
        text,
        parse_int=decimal,
        parse_float=decimal,
        object_pairs_hook=lambda pairs: ("object", sorted(pairs, key=repr)),
    )


def decimal(text: str) -> Any:
    mantissa, _, exponent = text.lower().partition("e")
    number = Decimal(mantissa)
    sign, digits, point = number.as_tuple()
    assert isinstance(point, int)
    if not any(digits):
        return ("number", sign, 0, 0)
    stripped = "".join(map(str, digits)).rstrip("0")
    return ("number", sign, stripped, int(exponent or 0) + point + len(digits) - len(stripped))


def attempt(work: Any, *arguments: Any) -> tuple[Any, CodecError | None]:
    try:
        return work(*arguments), None
    except CodecError as error:
        return None, error


@pytest.mark.parametrize("vector", indexed("messages.json") + indexed("envelopes.json"))
def test_json_becomes_the_same_message_and_comes_back(vector: dict[str, Any]) -> None:
    text, cls = text_of(vector), message_type(vector["type"])
    if cls is Envelope:
        message, error = attempt(envelope_from_json, text, vector["encoding"])
    else:
        message, error = attempt(from_json, text, cls, vector["encoding"])
    assert kind(error) == vector.get("error", ""), error
    if error is not None:
        return
    want = cls.FromString(base64.b64decode(vector["protobuf"]))
    assert message == want
    again = cls.FromString(message.SerializeToString())
    back = canonical(envelope_to_json(again) if isinstance(again, Envelope) else to_json(again))
    # The null id of an error is the one thing that does not come back.
    assert back == canonical(text) or ("id", None) in canonical(text)[1]


@pytest.mark.parametrize("vector", indexed("writings.json"))
def test_messages_are_written_alike(vector: dict[str, Any]) -> None:
    message = message_type(vector["type"]).FromString(base64.b64decode(vector["protobuf"]))
    text, error = attempt(envelope_to_json if isinstance(message, Envelope) else to_json, message)
    assert kind(error) == vector.get("error", ""), error
    if error is None:
        assert canonical(text) == canonical(vector["json"])


@pytest.mark.parametrize("vector", indexed("checks.json"))
def test_limits_are_the_same(vector: dict[str, Any]) -> None:
    message = message_type(vector["type"]).FromString(base64.b64decode(vector["protobuf"]))
    _, error = attempt(check_message, message, Limits())
    assert kind(error) == vector.get("error", ""), error


@pytest.mark.parametrize("vector", indexed("failures.json"))
def test_errors_have_the_same_status_and_detail(vector: dict[str, Any]) -> None:
    value = loads(vector["json"])
    failure = RpcFailure.of(value["code"], value["message"], *((value["data"],) if "data" in value else ()))
    assert failure.to_status().code == vector["code"]
    want = Status.FromString(base64.b64decode(vector["status"]))
    got = failure.to_status()
    assert (got.code, got.message, len(got.details)) == (want.code, want.message, 1)
    assert got.details[0].type_url == want.details[0].type_url
    detail = JsonRpcError.FromString(want.details[0].value)
    assert canonical(to_json(JsonRpcError.FromString(got.details[0].value))) == canonical(to_json(detail))
    frame = FrameError.FromString(base64.b64decode(vector["frame"]))
    assert frame_error(failure_of_frame(frame)) == frame
    assert failure_of_frame(frame).code == value["code"]


@pytest.mark.parametrize("vector", indexed("headers.json"))
def test_header_values_are_the_same(vector: dict[str, Any]) -> None:
    if vector.get("error"):
        with pytest.raises(ValueError, match="cannot be decoded"):
            decode_value(vector["header"])
        return
    assert decode_value(vector["header"]) == vector["value"]
    if encode_value(vector["value"]) != vector["header"]:
        # Not how the value is written, only how it may be: read above.
        assert encode_value(decode_value(vector["header"])) == encode_value(vector["value"])


@pytest.mark.parametrize("vector", indexed("requests.json"))
def test_requests_say_the_same_in_each_form_and_in_metadata(vector: dict[str, Any]) -> None:
    method = METHODS_BY_RPC[vector["rpc"]]
    assert method.request.DESCRIPTOR.full_name == vector["type"]
    typed = method.request.FromString(base64.b64decode(vector["typed"]))
    envelope = Envelope.FromString(base64.b64decode(vector["envelope"]))
    assert canonical(envelope_to_json(envelope)) == canonical(vector["json"])
    params = next(member.raw for member in members(vector["json"]) if member.key == "params")
    assert canonical(to_json(typed)) == canonical(params)
    name = getattr(typed, method.name_field) if method.name_field else None
    assert dict(request_metadata(method.name, "2026-07-28", name)) == vector["metadata"]
