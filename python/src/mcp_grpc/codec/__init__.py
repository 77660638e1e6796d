# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""The mapping between JSON-RPC messages and protobuf, errors and statuses, and metadata.

What :func:`from_json` accepts, :func:`to_json` gives back: the same JSON value, to the last digit of every number,
with absent, empty and null kept apart (SPEC.md §5). All functions may be called from several threads.
"""

from mcp_grpc.codec import shape
from mcp_grpc.codec.envelope import (
    envelope_from_json,
    envelope_from_value,
    envelope_to_json,
    envelope_to_value,
)
from mcp_grpc.codec.errors import (
    BothTwinsError,
    CodecError,
    InvalidRequestError,
    LimitError,
    MalformedError,
    NotJsonError,
)
from mcp_grpc.codec.failure import (
    RpcFailure,
    code_of,
    error_message,
    failure_of,
    failure_of_frame,
    frame_error,
    status_of,
)
from mcp_grpc.codec.limits import Limits, check_json, check_message
from mcp_grpc.codec.metadata import decode_value, encode_value, request_metadata
from mcp_grpc.codec.method import METHODS_BY_FRAME, METHODS_BY_NAME, METHODS_BY_RPC, Method
from mcp_grpc.codec.number import ExactFloat
from mcp_grpc.codec.reader import from_json, from_value
from mcp_grpc.codec.shape import percentage
from mcp_grpc.codec.struct import json_text, twins
from mcp_grpc.codec.text import dumps, loads
from mcp_grpc.codec.writer import to_json, to_value

shape.register()

__all__ = [
    "METHODS_BY_FRAME",
    "METHODS_BY_NAME",
    "METHODS_BY_RPC",
    "BothTwinsError",
    "CodecError",
    "ExactFloat",
    "InvalidRequestError",
    "LimitError",
    "Limits",
    "MalformedError",
    "Method",
    "NotJsonError",
    "RpcFailure",
    "check_json",
    "check_message",
    "code_of",
    "decode_value",
    "dumps",
    "encode_value",
    "envelope_from_json",
    "envelope_from_value",
    "envelope_to_json",
    "envelope_to_value",
    "error_message",
    "failure_of",
    "failure_of_frame",
    "frame_error",
    "from_json",
    "from_value",
    "json_text",
    "loads",
    "percentage",
    "request_metadata",
    "status_of",
    "to_json",
    "to_value",
    "twins",
]
