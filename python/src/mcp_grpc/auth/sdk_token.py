# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The caller as the SDK shows callers to tools."""

from __future__ import annotations

from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken

from mcp_grpc.auth.principal import Principal


def show_to_sdk(principal: Principal) -> None:
    """Lets the SDK's ``get_access_token`` give the caller, for this task and those that it starts.

    The SDK binds ``requestState`` to whom this says (SPEC.md §8), and other code of a user's server may ask for it.
    It is never a credential: ``token`` is empty (MCP 2026-07-28, "Token passthrough"). ``subject`` is
    :attr:`Principal.id`, which is unique among all callers.
    """
    auth_context_var.set(AuthenticatedUser(access_token(principal)))


def access_token(principal: Principal) -> AccessToken:
    """The caller in the SDK's terms."""
    claims = dict(principal.claims or {})
    if principal.issuer:
        claims["iss"] = principal.issuer
    return AccessToken(
        token="",
        client_id=principal.client_id,
        scopes=list(principal.scopes),
        expires_at=None if principal.expires is None else int(principal.expires),
        subject=principal.id,
        claims=claims or None,
    )
