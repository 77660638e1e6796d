# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Opening and ending sessions: SPEC.md §6.3 and §6.4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_grpc._gen.mcp.v1.session_pb2 import InitializeResponse, ShutdownResponse
from mcp_grpc.auth import authorize
from mcp_grpc.codec import METHODS_BY_RPC, RpcFailure, check_message, to_value
from mcp_grpc.server.context import CallContext
from mcp_grpc.server.failure import invalid_request, method_not_found, no_session
from mcp_grpc.server.header import Headers
from mcp_grpc.server.scope import (
    FIRST_MODERN,
    VERSIONS,
    Scope,
    meta_of,
    named_version,
    unsupported_version,
    without_null_meta,
)
from mcp_grpc.server.service import Service
from mcp_grpc.server.session import Session

_METHOD = "initialize"
_INITIALIZED = "notifications/initialized"


def may_initialize(
    service: Service, headers: Headers, meta: Mapping[str, Any], stream_session: Session | None = None
) -> None:
    """Refuse an ``initialize`` of the wrong era, and one in a session.

    Raises:
        RpcFailure: As §6.3 and §6.7 say.
    """
    version = named_version(headers, meta)
    if version is not None and version not in VERSIONS:
        raise unsupported_version(version)
    if version is not None and version >= FIRST_MODERN:
        raise method_not_found(_METHOD)
    if service.sessions.named(headers) is not None or stream_session is not None:
        raise invalid_request("the session is initialized already")


async def initialize(service: Service, headers: Headers, params: Any) -> tuple[Session, dict[str, Any]]:
    """Open a session, and give it with the result of ``initialize``.

    Raises:
        Exception: Whatever the handler raises; there is no session then.
    """
    if params is None:
        raise invalid_request(f"{_METHOD}: params are missing")
    meta_of(params)
    if service.guard is not None and service.guard.policy is not None:
        await authorize(service.guard.policy, _METHOD, params)
    session = service.sessions.open()
    try:
        with session.use():
            scope = Scope("", session, without_null_meta(params))
            result = await service.run(scope, CallContext(headers, service.new_id(), scope.params, session), _METHOD)
    except BaseException:
        service.sessions.end(session)
        raise
    return session, result


async def initialize_rpc(service: Service, headers: Headers, request: Any) -> InitializeResponse:
    """The RPC ``Initialize``, which stands for the whole handshake."""
    check_message(request, service.limits.json)
    headers.check_mirror(_METHOD, "")
    params = to_value(request)
    may_initialize(service, headers, meta_of(params))
    session, result = await initialize(service, headers, params)
    try:
        scope = Scope(session.version, session, {})
        await service.core.notify(scope, CallContext(headers, None, {}, session), _INITIALIZED)
        response = service.message(result, METHODS_BY_RPC["Initialize"].response, request)
        assert isinstance(response, InitializeResponse)
        response.session_id = session.id
    except BaseException:
        service.sessions.end(session)
        raise
    return response


async def shutdown_rpc(service: Service, headers: Headers) -> ShutdownResponse:
    """The RPC ``Shutdown``: what is in flight in the session is answered, then it ends."""
    try:
        session = service.sessions.named(headers)
    except RpcFailure as failure:
        if failure.status == no_session().status:
            return ShutdownResponse(accepted=False)
        raise
    if session is None:
        return ShutdownResponse(accepted=False)
    try:
        await session.quiesce()
    finally:  # also when the time of the RPC is over, or its client has gone
        ended = service.sessions.end(session)
    return ShutdownResponse(accepted=ended)
