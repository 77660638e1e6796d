# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""The transport's own sign of life, in either era: SPEC.md §6.7."""

from __future__ import annotations

from mcp_grpc._gen.mcp.v1.session_pb2 import PingRequest, PingResponse
from mcp_grpc.codec import check_message, to_value
from mcp_grpc.server.header import Headers
from mcp_grpc.server.scope import FIRST_MODERN, meta_of, named_version
from mcp_grpc.server.service import Service


async def ping(service: Service, headers: Headers, request: PingRequest) -> PingResponse:
    """The RPC ``Ping``. It keeps a session alive that its metadata names."""
    check_message(request, service.limits.json)
    headers.check_mirror("ping", "")
    params = to_value(request)
    version = named_version(headers, meta_of(params))
    if version is None or version < FIRST_MODERN:  # the method is gone from modern versions, the RPC is not
        session = service.sessions.named(headers)
        if session is not None:
            with session.use():
                pass
    response = PingResponse()
    response.server_time.GetCurrentTime()
    return response
