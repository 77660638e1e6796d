# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Any server of the MCP SDK over gRPC: :func:`serve`, or a :class:`Server` for embedding (SPEC.md §3 to §12)."""

from mcp_grpc.server.limits import ServerLimits
from mcp_grpc.server.server import Server, serve

__all__ = ["Server", "ServerLimits", "serve"]
