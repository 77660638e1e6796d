# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Opaque tokens, which only their issuer can read (RFC 7662)."""

from __future__ import annotations

import dataclasses
import hashlib
import ssl
import time
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

from mcp_grpc.auth.cache import Cache
from mcp_grpc.auth.call import Call
from mcp_grpc.auth.error import AuthUnavailableError, InvalidCredentialError
from mcp_grpc.auth.fetch import Fetcher, FetchError
from mcp_grpc.auth.jwt_issuer import Issuer
from mcp_grpc.auth.jwt_parse import ParsedJWT, refuse_variants
from mcp_grpc.auth.jwt_verifier import check_binding
from mcp_grpc.auth.principal import INTROSPECTION, Principal
from mcp_grpc.auth.url import secure_url

_CACHE_SECONDS = 60.0
_MAX_CACHED = 10_000
_RATE, _BURST = 50.0, 100.0  # what anybody with many wrong tokens can make us ask, per second and at once


@dataclasses.dataclass(frozen=True, slots=True)
class _Answer:
    """What the endpoint has said of a token: whose it is, or why it is none."""

    principal: Principal | None
    bound_to: str = ""
    refused: str = ""


class Introspection:
    """Verifies opaque tokens, which it looks up (RFC 7662).

    It takes every token for its own, so it stands last in a :class:`Bearer`. An answer counts for a minute: so long
    does a revoked token live.

    Args:
        issuer: The authorization server, and what its tokens look like. ``url``, ``audiences``, ``clients``,
            ``scope_claim``, ``tenant_claim``, ``max_lifetime`` and ``group_scopes`` count; the rest is about JWTs.
        endpoint: The introspection endpoint.
        client_id: This server's name there.
        client_secret: Its secret.
        resource: See :class:`JWTVerifier`.
        allow_missing_audience: Accepts tokens of which the endpoint does not say for whom they are. It is right
            only if the endpoint itself says "active" of no others to this client.
        tls: Reaches the endpoint, for a private CA.
        clock: See :class:`JWTVerifier`.

    Raises:
        ValueError: tokens would be accepted that must not be; the error says what to write instead.
    """

    def __init__(
        self,
        issuer: Issuer,
        endpoint: str,
        client_id: str,
        client_secret: str,
        *,
        resource: str = "",
        allow_missing_audience: bool = False,
        tls: ssl.SSLContext | None = None,
        clock: tuple[Callable[[], float], Callable[[], float]] = (time.monotonic, time.time),
    ) -> None:
        try:
            secure_url(endpoint)
        except ValueError as e:
            raise ValueError(f"introspection: endpoint {endpoint!r}: {e}") from None
        if not client_id or not client_secret:
            hint = "an endpoint that answers everybody tells thieves which tokens are good (RFC 7662 §2.1)"
            raise ValueError(f"introspection: client_id and client_secret are needed: {hint}")
        self._audiences = issuer.audiences or ((resource,) if resource else ())
        if not self._audiences:
            raise ValueError("introspection: there is no audience, so tokens for any server would be accepted")
        self._issuer = dataclasses.replace(issuer, types=("at+jwt",))
        self._endpoint = endpoint
        self._client = (urllib.parse.quote_plus(client_id), urllib.parse.quote_plus(client_secret))  # RFC 6749 §2.3.1
        self._allow_missing_audience = allow_missing_audience
        self._fetcher = Fetcher(tls)
        self._monotonic, self._now = clock
        self._answers: Cache[bytes, _Answer] = Cache(_MAX_CACHED)
        self._tokens, self._filled = _BURST, self._monotonic()

    async def verify_token(self, token: str, call: Call) -> Principal | None:
        """See :class:`TokenVerifier`."""
        digest = hashlib.sha256(token.encode()).digest()
        answer = self._answers.get(digest, self._monotonic())
        if answer is None:
            answer = await self._ask(token)
            end = None if answer.principal is None else answer.principal.end
            left = _CACHE_SECONDS if end is None else min(_CACHE_SECONDS, end - self._now())
            self._answers.put(digest, answer, self._monotonic() + left)
        if answer.principal is None:
            raise InvalidCredentialError(answer.refused)
        if answer.bound_to:
            check_binding(answer.bound_to, call)
        return answer.principal

    async def _ask(self, token: str) -> _Answer:
        now = self._monotonic()
        self._tokens = min(_BURST, self._tokens + (now - self._filled) * _RATE)
        self._filled = now
        if self._tokens < 1:
            raise AuthUnavailableError(f"introspection at {self._issuer.url}: too many tokens that are not known")
        self._tokens -= 1
        form = {"token": token, "token_type_hint": "access_token"}
        try:
            claims = await self._fetcher.post(self._endpoint, form, self._client)
        except FetchError as e:
            raise AuthUnavailableError(f"introspection at {self._issuer.url}: {e}") from None
        try:
            return self._judge(claims)
        except InvalidCredentialError as e:
            return _Answer(None, refused=str(e))

    def _judge(self, claims: Mapping[str, Any]) -> _Answer:
        """Checks what the endpoint says as if the token had said it: what is active may be for somebody else."""
        if claims.get("active") is not True:
            raise InvalidCredentialError("the token is not active")
        refuse_variants(claims)
        if self._allow_missing_audience and "aud" not in claims:
            claims = {**claims, "aud": self._audiences[0]}
        said = ParsedJWT(self._issuer.algorithms[0], "", "at+jwt", claims, b"", b"")
        if said.text("iss") not in ("", self._issuer.url):
            raise InvalidCredentialError("the token is of another issuer")
        principal = self._issuer.check(said, self._audiences, self._now())
        return _Answer(dataclasses.replace(principal, method=INTROSPECTION), said.bound_to())
