# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""What a caller may not do (SPEC.md §14.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.rpc import error_details_pb2
from mcp import MCPError
from mcp_types import INVALID_REQUEST

from mcp_grpc.auth.challenge import HEADER, INSUFFICIENT_SCOPE, Challenge
from mcp_grpc.auth.error import Metadata
from mcp_grpc.auth.principal import Principal
from mcp_grpc.auth.resource_metadata import ResourceMetadata
from mcp_grpc.auth.scope import challenge_scopes

ACCESS_DENIED = "access_denied"


class Denial(MCPError):
    """The caller may not do this: PERMISSION_DENIED, with JSON-RPC code -32600.

    Its ``data`` is ``{"reason": "insufficient_scope", "scope": "a b"}`` or ``{"reason": "access_denied"}``.
    A tool may raise one, too.
    """

    def __init__(self, message: str, data: Mapping[str, str]) -> None:
        super().__init__(INVALID_REQUEST, message, dict(data))


class InsufficientScope(Denial):
    """A token with these scopes could do it.

    Name all that the operation needs at once (MCP 2026-07-28, "Runtime insufficient scope errors").
    """

    def __init__(self, *scopes: str) -> None:
        scope = challenge_scopes(scopes)
        data = {"reason": INSUFFICIENT_SCOPE} | ({"scope": scope} if scope else {})
        super().__init__(f"the token lacks a scope: {scope}", data)


class AccessDenied(Denial):
    """The caller may not do it, whatever its token says."""

    def __init__(self) -> None:
        super().__init__("not allowed", {"reason": ACCESS_DENIED})


def is_denial(code: int, data: object) -> bool:
    """Whether an error is one of :class:`Denial`, also after it has travelled as JSON."""
    return (
        code == INVALID_REQUEST
        and isinstance(data, Mapping)
        and data.get("reason") in (INSUFFICIENT_SCOPE, ACCESS_DENIED)
    )


def explain(error: MCPError, metadata: ResourceMetadata | None, principal: Principal | None) -> MCPError:
    """Gives a refusal with where such a token is to be had, as far as that helps the caller.

    Other credentials than tokens cannot get scopes. Other errors are given as they are.

    Args:
        error: What was raised.
        metadata: That of the server.
        principal: The caller; None if nobody knows.
    """
    if not is_denial(error.code, error.data) or error.data["reason"] != INSUFFICIENT_SCOPE:
        return error
    if principal is not None and not principal.by_token:
        return AccessDenied()
    if metadata is None:
        return error
    return Denial(error.message, {**error.data, "resource_metadata": metadata.url})


def challenge_of(code: int, data: Any) -> Challenge | None:
    """The challenge of a refusal that a token with more scopes would help against; None of any other error.

    It is for the client, which finds it in calls of a stream, and for the server, which repeats it in the
    response headers (SPEC.md §14.3).
    """
    if not is_denial(code, data) or data["reason"] != INSUFFICIENT_SCOPE:
        return None
    scope, where = data.get("scope", ""), data.get("resource_metadata", "")
    if not isinstance(scope, str) or not isinstance(where, str):
        return None
    return Challenge(INSUFFICIENT_SCOPE, tuple(scope.split()), where)


def step_up(code: int, data: Any) -> tuple[Metadata, tuple[error_details_pb2.ErrorInfo, ...]]:
    """What a refused call says beside its error (SPEC.md §14.3).

    Args:
        code: JSON-RPC code of the error.
        data: Its data.

    Returns:
        Response headers, and details of the RPC's error or the frame's; both empty where no token would help.
    """
    challenge = challenge_of(code, data)
    return ((), ()) if challenge is None else (((HEADER, challenge.header()),), (challenge.info(),))
