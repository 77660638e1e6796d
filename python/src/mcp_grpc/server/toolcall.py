# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""What a tool says while it runs, as events of ``CallTool``: SPEC.md §9.1 and §9.2."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from mcp_grpc._gen.mcp.v1.common_pb2 import JsonEncoding
from mcp_grpc._gen.mcp.v1.tool_pb2 import CallToolEvent, CallToolProgress, LogMessage
from mcp_grpc.codec import CodecError, from_value
from mcp_grpc.server.context import MESSAGE, PROGRESS

logger = logging.getLogger("mcp_grpc.server")


def event_of(method: str, params: Mapping[str, Any] | None, encoding: JsonEncoding) -> CallToolEvent | None:
    """The event of a notification; none if events have no place for it."""
    try:
        if method == PROGRESS:
            return CallToolEvent(progress=from_value(dict(params or {}), CallToolProgress, encoding))
        if method == MESSAGE:
            return CallToolEvent(log=from_value(dict(params or {}), LogMessage, encoding))
    except CodecError as error:
        logger.warning("a notification cannot be sent: %s", error)
    return None
