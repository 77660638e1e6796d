# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""From results on the wire to the types of the SDK, without JSON-RPC in between (SPEC.md §5)."""

from __future__ import annotations

from typing import Any, TypeVar

import grpc
import mcp.types as types
from google.protobuf.message import Message
from pydantic import BaseModel, ValidationError

from mcp_grpc._gen.mcp.v1.content_pb2 import Content
from mcp_grpc._gen.mcp.v1.tool_pb2 import CallToolResult
from mcp_grpc.client.error import CallError
from mcp_grpc.codec import CodecError, loads, to_value

M = TypeVar("M", bound=BaseModel)


def malformed(why: str) -> CallError:
    """Says that an answer cannot be read."""
    return CallError.plain(grpc.StatusCode.INTERNAL, f"malformed answer: {why}")


def value_of(message: Message) -> Any:
    """Gives the JSON value of a server's message; raises `CallError`."""
    try:
        return to_value(message)
    except CodecError as e:
        raise malformed(str(e)) from e


def model_of(value: Any, model: type[M]) -> M:
    """Gives the SDK's type of a JSON value; raises `CallError`."""
    if isinstance(value, dict) and isinstance(value.get("ttlMs"), int) and value["ttlMs"] < 0:
        value = {**value, "ttlMs": 0}  # as the SDK's own client does
    try:
        return model.model_validate(value, by_name=False)
    except ValidationError as e:
        raise malformed(f"{model.__name__}: {e.error_count()} members of the wrong form") from e


def resource_result(value: Any, uri: str) -> types.ReadResourceResult:
    """Gives what reading a resource gave; raises `CallError`.

    A server of the inherited subset does not say whose contents they are (SPEC.md §15.3): those of what was read.
    """
    for contents in value.get("contents", ()):
        if isinstance(contents, dict):
            contents.setdefault("uri", uri)
    return model_of(value, types.ReadResourceResult)


def tool_result(message: CallToolResult) -> types.CallToolResult:
    """Gives the result of a tool; raises `CallError`.

    The results that most tools give, texts and structured output, are read field by field; that is
    several times as fast as by way of their JSON value.
    """
    try:
        plain = _plain_result(message)
    except CodecError as e:
        raise malformed(str(e)) from e
    except ValidationError as e:
        raise malformed(f"CallToolResult: {e.error_count()} members of the wrong form") from e
    return plain or model_of(value_of(message), types.CallToolResult)


def _plain_result(message: CallToolResult) -> types.CallToolResult | None:
    """Gives a result that has nothing but what is read here."""
    known: dict[str, Any] = {"content": []}
    for field, value in message.ListFields():
        name = field.name
        if name == "content":
            texts = [_plain_text(block) for block in value]
            if None in texts:
                return None
            known["content"] = [types.TextContent(text=text) for text in texts if text is not None]
        elif name == "structured_content_json":
            known["structured_content"] = loads(value)
        elif name == "meta" and value.values_json and not value.HasField("values"):
            known["meta"] = loads(value.values_json)
        elif name in ("is_error", "result_type"):
            known[name] = value
        else:
            return None
    return types.CallToolResult(**known)


def _plain_text(block: Content) -> str | None:
    """Gives the text of a block that has nothing else."""
    fields = block.ListFields()
    if len(fields) != 1 or fields[0][0].name != "text":
        return None
    inside = fields[0][1].ListFields()
    if len(inside) != 1 or inside[0][0].name != "text":
        return None
    text: str = inside[0][1]
    return text
