# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The requests and responses of typed RPCs in frames (SPEC.md §4.6)."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from mcp_grpc._gen.mcp.v1.envelope_pb2 import CallFrame, ReplyFrame
from mcp_grpc.client.convert import malformed
from mcp_grpc.client.wire import field, varint
from mcp_grpc.codec import Method

_TAGS = {f.name: varint(f.number << 3 | 2) for f in CallFrame.DESCRIPTOR.oneofs_by_name["request"].fields}
_STREAM = varint(16 << 3) + b"\x01"  # CallFrame.stream = 16


def frame_body(method: Method, request: Message, *, stream: bool = False) -> bytes:
    """Gives the encoded `CallFrame` of a request, but for the id and the time."""
    assert method.frame is not None
    body = field(_TAGS[method.frame], request.SerializeToString())
    return body + _STREAM if stream else body


def answer_of(method: Method, reply: ReplyFrame) -> Any:
    """Gives the response in a reply; raises `CallError` for a reply of another kind."""
    assert method.frame is not None
    if reply.WhichOneof("reply") != method.frame:
        raise malformed("the reply is of another kind")
    return getattr(reply, method.frame)
