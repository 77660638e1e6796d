# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Bearer tokens that are written down in the configuration, for development."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from mcp_grpc.auth.bearer import MAX_TOKEN_BYTES, is_token68
from mcp_grpc.auth.call import Call
from mcp_grpc.auth.error import InvalidCredentialError
from mcp_grpc.auth.principal import STATIC_TOKEN, Grant, Principal


class StaticTokens:
    """Verifies bearer tokens that are written down in the program's configuration, for development.

    They are accepted only from loopback addresses and Unix sockets: they never end, and stand in shell
    histories. Comparison takes the same time for every token.

    Args:
        tokens: Tokens, and whose they are; of each grant the subject is needed.
        insecure_everywhere: Accepts the tokens on every connection. For tests in networks that nobody else
            reaches.

    Raises:
        ValueError: there is no token, one cannot stand in a header, or a subject is missing.
    """

    def __init__(self, tokens: Mapping[str, Grant], *, insecure_everywhere: bool = False) -> None:
        if not tokens:
            raise ValueError("static tokens: there is none: give at least one")
        self._everywhere = insecure_everywhere
        self._known: list[tuple[bytes, Principal]] = []
        for token, grant in tokens.items():
            if not is_token68(token) or len(token) > MAX_TOKEN_BYTES:  # the token does not belong into the error
                raise ValueError(f"static token of {grant.subject!r}: use letters, digits and -._~+/ only")
            if not grant.subject:
                raise ValueError("static token: subject is empty: say whose it is")
            principal = Principal(grant.subject, STATIC_TOKEN, tenant=grant.tenant, scopes=grant.scopes)
            self._known.append((_digest(token), principal))

    async def verify_token(self, token: str, call: Call) -> Principal | None:
        """See :class:`TokenVerifier`."""
        digest = _digest(token)
        found: Principal | None = None
        for known, principal in self._known:
            if hmac.compare_digest(known, digest):
                found = principal
        if found is not None and not self._everywhere and not call.is_local:
            raise InvalidCredentialError(
                f"a static token of {found.subject!r} came in from outside: they are for loopback and Unix sockets"
            )
        return found


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
