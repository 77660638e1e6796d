# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Tokens that a program gets for itself (RFC 6749 §4.4, the MCP extension for client credentials)."""

from __future__ import annotations

import asyncio
import ssl
import time
import urllib.parse
from collections.abc import Sequence

from mcp_grpc.auth.bearer import is_token68
from mcp_grpc.auth.challenge import INSUFFICIENT_SCOPE, Challenge
from mcp_grpc.auth.client_auth import ClientAuth
from mcp_grpc.auth.fetch import Fetcher, FetchError
from mcp_grpc.auth.scope import check_scopes
from mcp_grpc.auth.url import secure_url, server_metadata_urls

_EARLY = 30.0  # seconds before its end that a token is not used any more
_DEFAULT_LIFETIME = 300.0  # seconds, of a server that does not say it


class ClientCredentials(ClientAuth):
    """Gets access tokens by the client credentials grant, and gets another one when it is time.

    Args:
        issuer: The authorization server, whose metadata says where tokens are given.
        client_id: The client.
        client_secret: Its secret, sent by HTTP Basic. It goes to the token endpoint only.
        resource: The server that tokens are for (RFC 8707): ``resource`` of its metadata, see
            :func:`resource_of`.
        scopes: What is asked for. A challenge adds to them.
        tls: Reaches the authorization server, for a private CA.

    Raises:
        ValueError: a URL is not https, or http on this machine; or a scope is none.
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        *,
        resource: str,
        scopes: Sequence[str] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        for what, url in (("issuer", issuer), ("resource", resource)):
            try:
                secure_url(url)
            except ValueError as e:
                raise ValueError(f"{what} {url!r}: {e}") from None
        self._issuer = issuer
        self._client = (urllib.parse.quote_plus(client_id), urllib.parse.quote_plus(client_secret))  # RFC 6749 §2.3.1
        self._resource = resource
        self._scopes = dict.fromkeys(check_scopes(scopes, "scopes"))
        self._fetcher = Fetcher(tls)
        self._endpoint = ""
        self._token, self._until = "", 0.0
        self._lock = asyncio.Lock()

    async def metadata(self) -> tuple[tuple[str, str], ...]:
        """See :class:`ClientAuth`."""
        async with self._lock:  # one fetches for all
            if time.monotonic() >= self._until:
                await self._fetch()
            return (("authorization", f"Bearer {self._token}"),)

    async def refused(self, challenge: Challenge) -> bool:
        """See :class:`ClientAuth`. It asks for the scopes of the challenge beside its own, once for each."""
        async with self._lock:
            if challenge.error == INSUFFICIENT_SCOPE:
                if self._scopes.keys() >= set(challenge.scopes):
                    return False  # it has asked for them before
                self._scopes |= dict.fromkeys(challenge.scopes)
            used = self._token
            await self._fetch()
            return self._token != used

    async def _fetch(self) -> None:
        form = {"grant_type": "client_credentials", "resource": self._resource}
        if self._scopes:
            form["scope"] = " ".join(self._scopes)
        self._endpoint = self._endpoint or await self._discover()
        try:
            document = await self._fetcher.post(self._endpoint, form, self._client)
        except FetchError as e:
            if e.status is not None and 400 <= e.status < 500 and e.status != 429:
                code = (e.document or {}).get("error")
                known = code if isinstance(code, str) and code.isascii() and code.isprintable() else e.status
                raise PermissionError(f"{self._issuer} gives no token: {str(known)[:100]}") from None
            raise
        token, kind, lifetime = (document.get(n) for n in ("access_token", "token_type", "expires_in"))
        if not isinstance(token, str) or not is_token68(token) or not isinstance(kind, str) or kind.lower() != "bearer":
            raise FetchError(f"{self._issuer} gave no bearer token")
        seconds = float(lifetime) if isinstance(lifetime, int | float) and lifetime > 0 else _DEFAULT_LIFETIME
        self._token, self._until = token, time.monotonic() + max(seconds - _EARLY, seconds / 2)

    async def _discover(self) -> str:
        """Finds where tokens are given (RFC 8414 §3)."""
        failure = FetchError("there is no metadata of the authorization server")
        for url in server_metadata_urls(self._issuer):
            try:
                document = await self._fetcher.get(url)
            except FetchError as e:
                failure = e
                continue
            endpoint = document.get("token_endpoint")
            if document.get("issuer") != self._issuer or not isinstance(endpoint, str):
                raise PermissionError(f"the metadata of {self._issuer} is that of another issuer, or has no endpoint")
            try:
                secure_url(endpoint, query=True)
            except ValueError as e:
                raise PermissionError(f"{self._issuer} gives tokens at {endpoint[:200]!r}: {e}") from None
            return endpoint
        raise failure
