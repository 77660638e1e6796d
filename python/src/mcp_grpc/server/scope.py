# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Which era a request has, and what it runs in: SPEC.md §6.2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import grpc
from mcp_types import (
    CLIENT_CAPABILITIES_META_KEY,
    CLIENT_INFO_META_KEY,
    INVALID_REQUEST,
    LOG_LEVEL_META_KEY,
    PROTOCOL_VERSION_META_KEY,
    UNSUPPORTED_PROTOCOL_VERSION,
)
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_MODERN_VERSION, MODERN_PROTOCOL_VERSIONS

from mcp_grpc.codec import RpcFailure
from mcp_grpc.server.failure import header_mismatch, invalid_params, invalid_request, method_not_found
from mcp_grpc.server.header import Headers

if TYPE_CHECKING:
    from mcp_grpc.server.session import Session, Sessions

VERSIONS: Final = (*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS)
FIRST_MODERN: Final = MODERN_PROTOCOL_VERSIONS[0]

LEGACY_ONLY: Final = frozenset(
    {
        "initialize",
        "notifications/initialized",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "notifications/roots/list_changed",
    }
)

NEEDS_PARAMS: Final = frozenset(
    {
        "initialize",
        "tools/call",
        "resources/read",
        "resources/subscribe",
        "resources/unsubscribe",
        "prompts/get",
        "completion/complete",
        "logging/setLevel",
        "subscriptions/listen",
    }
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What one request runs in.

    Attributes:
        version: The protocol version.
        session: The legacy session; none of a modern request.
        params: The params for the handler, whose ``_meta`` has what a modern request left out.
    """

    version: str
    session: Session | None
    params: dict[str, Any]


def named_version(headers: Headers, meta: Mapping[str, Any]) -> str | None:
    """The version that a request names, in its body or its metadata (§6.1).

    Raises:
        RpcFailure: -32020 if they differ; -32602 if a reserved key has the wrong type.
    """
    header, body = headers.version, meta.get(PROTOCOL_VERSION_META_KEY)
    if header and body and isinstance(body, str) and header != body:
        raise header_mismatch(f'mcp-protocol-version is "{header}", but the body says "{body}"')
    check_reserved(meta)
    return body or header or None


def check_reserved(meta: Mapping[str, Any]) -> None:
    """Refuse reserved keys of ``_meta`` whose value has the wrong type."""
    for key, kind in (
        (PROTOCOL_VERSION_META_KEY, str),
        (CLIENT_INFO_META_KEY, dict),
        (CLIENT_CAPABILITIES_META_KEY, dict),
        (LOG_LEVEL_META_KEY, str),
    ):
        if key in meta and not isinstance(meta[key], kind):
            raise invalid_params(f'_meta: "{key}" is invalid')


def unsupported_version(version: str) -> RpcFailure:
    """The version is none that the server speaks."""
    return RpcFailure.of(
        UNSUPPORTED_PROTOCOL_VERSION,
        f"unsupported protocol version {version}",
        {"supported": list(VERSIONS), "requested": version},
    )


def meta_of(params: Any) -> dict[str, Any]:
    """The ``_meta`` of params, empty if there is none.

    Raises:
        RpcFailure: -32602, params or ``_meta`` are no objects.
    """
    if params is None:
        return {}
    if not isinstance(params, dict):
        raise invalid_params("params must be an object")
    meta = params.get("_meta")
    if meta is None:
        return {}
    if not isinstance(meta, dict):
        raise invalid_params("_meta must be an object")
    return meta


def scope_of(
    sessions: Sessions, headers: Headers, method: str, params: Any, stream_session: Session | None = None
) -> Scope:
    """Decide the era of a request: by the version that it names, else by its session, else it is modern.

    Args:
        sessions: All sessions.
        headers: The metadata of the RPC.
        method: The MCP method.
        params: The decoded params; none if there are none.
        stream_session: The session of the ``Connect`` stream that the request came on.

    Raises:
        RpcFailure: As §6.2 says.
    """
    meta = meta_of(params)
    version = named_version(headers, meta)
    if version is not None and version not in VERSIONS:
        raise unsupported_version(version)
    if version is not None and version >= FIRST_MODERN:
        if PROTOCOL_VERSION_META_KEY in meta and CLIENT_CAPABILITIES_META_KEY not in meta:
            raise invalid_params(f'_meta: "{CLIENT_CAPABILITIES_META_KEY}" is missing')
        if method in LEGACY_ONLY:
            raise method_not_found(method)
        return _modern(version, headers, method, params, meta)
    session = sessions.named(headers) or stream_session
    if session is None:
        if version is not None:
            raise RpcFailure.of(
                INVALID_REQUEST,
                f"version {version} needs a session: initialize first, then send mcp-session-id",
                status=grpc.StatusCode.FAILED_PRECONDITION,
            )
        if method in LEGACY_ONLY and method != "ping":
            raise method_not_found(method)
        return _modern(LATEST_MODERN_VERSION, headers, method, params, meta)
    if version is not None and version != session.version:
        raise header_mismatch(f"the session speaks version {session.version}, not {version}")
    _need_params(method, params)
    return Scope(session.version, session, _with_meta(params, {**_trace(headers, meta), **meta}))


def _modern(version: str, headers: Headers, method: str, params: Any, meta: dict[str, Any]) -> Scope:
    _need_params(method, params)
    defaults = {PROTOCOL_VERSION_META_KEY: version, CLIENT_CAPABILITIES_META_KEY: {}}
    return Scope(version, None, _with_meta(params, {**_trace(headers, meta), **defaults, **meta}))


def _need_params(method: str, params: Any) -> None:
    if params is None and method in NEEDS_PARAMS:
        raise invalid_request(f"{method}: params are missing")


def _trace(headers: Headers, meta: Mapping[str, Any]) -> dict[str, str]:
    """The trace context of the headers, where ``_meta`` has none (§7.3)."""
    return {} if meta.get("traceparent") is not None else headers.trace


def _with_meta(params: Any, meta: dict[str, Any]) -> dict[str, Any]:
    return {**(params or {}), "_meta": meta} if meta else without_null_meta(params or {})


def without_null_meta(params: Mapping[str, Any]) -> dict[str, Any]:
    """Params without a ``_meta`` that is null, which says as little as none."""
    return {key: value for key, value in params.items() if key != "_meta" or value is not None}
