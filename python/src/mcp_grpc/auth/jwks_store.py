# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The keys of one issuer, fetched as seldom as can be."""

from __future__ import annotations

import asyncio
import random
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

from mcp_grpc.auth.cache import Cache
from mcp_grpc.auth.error import AuthUnavailableError, InvalidCredentialError
from mcp_grpc.auth.fetch import Fetcher, FetchError
from mcp_grpc.auth.jwks import KeySet
from mcp_grpc.auth.jwt_issuer import Issuer
from mcp_grpc.auth.url import secure_url, server_metadata_urls

KEY_TTL = 3600.0
"""Seconds after which keys are forgotten that could not be fetched anew: one that was withdrawn must not live on
because its issuer is down."""

KEY_REFRESH = 600.0
"""Seconds after which keys are fetched anew, beside the tokens that need them."""

FETCH_INTERVAL = 10.0
"""Seconds between fetches that anybody can cause, beyond a burst of two. A new key is known after that long."""

_BURST = 2.0
_FIRST_BACKOFF = 1.0
_LAST_BACKOFF = 30.0
_UNKNOWN_SECONDS = 10.0  # that a key id is not asked for which the issuer does not have
_MAX_UNKNOWN = 1024


class KeyStore:
    """Holds the keys of one issuer. Used on one event loop.

    Args:
        issuer: The issuer.
        fetcher: Reaches it.
        clock: Seconds, of a clock that does not jump.

    Raises:
        ValueError: the key set in the configuration is none.
    """

    def __init__(self, issuer: Issuer, fetcher: Fetcher, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._fetcher = fetcher
        self._clock = clock
        self._static = issuer.jwks is not None
        self._current = KeySet(issuer.jwks, issuer.algorithms) if issuer.jwks is not None else None
        self._unknown: Cache[str, bool] = Cache(_MAX_UNKNOWN)
        self._jwks_url = issuer.jwks_url
        self._flight: asyncio.Task[None] | None = None
        self._closed = False
        self._tokens, self._filled = _BURST, clock()
        self._failures, self._resume = 0, float("-inf")

    async def close(self) -> None:
        """Ends what it may be fetching. Tokens whose keys are not known are unavailable from then on."""
        self._closed = True
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait([self._flight])

    def is_current(self, keys: KeySet) -> bool:
        """Whether what ``keys`` have verified is still good."""
        return keys is self._current and (self._static or self._clock() - keys.fetched < KEY_TTL)

    async def keys(self, kid: str) -> KeySet:
        """Keys with ``kid`` among them. If it is not known they are fetched anew, as often as the limits allow.

        Raises:
            AuthUnavailableError: nobody knows whether the issuer has it.
            InvalidCredentialError: it has not.
        """
        known = await self._fresh()
        if known.has(kid):
            return known
        if self._static or self._unknown.get(kid, self._clock()):
            raise InvalidCredentialError("the issuer does not have the token's key")
        await self._refresh()
        known = self._snapshot()
        if not known.has(kid):
            self._unknown.put(kid, True, self._clock() + _UNKNOWN_SECONDS)
            raise InvalidCredentialError("the issuer does not have the token's key")
        return known

    async def renewed(self, known: KeySet) -> KeySet | None:
        """The keys if they can be fetched anew, and are others than ``known``; None if not.

        It is for a signature that the key of its id does not verify: the issuer may have given the id to
        another key.
        """
        if self._static:
            return None
        try:
            await self._refresh()
        except AuthUnavailableError:
            return None
        return None if self._current is known else self._current

    def _snapshot(self) -> KeySet:
        if self._current is None:
            raise self._unavailable("there are none")
        return self._current

    async def _fresh(self) -> KeySet:
        """The keys that are known, unless they are too old."""
        if self._current is None:
            await self._refresh()
        elif not self._static:
            age = self._clock() - self._current.fetched
            if age >= KEY_TTL:
                await self._refresh()
            elif age >= KEY_REFRESH and self._may_fetch():
                self._start()  # whether it works or not: the keys are good for a while
        return self._snapshot()

    async def _refresh(self) -> None:
        """Fetches the keys, or waits for who does already: who asks may leave, and others go on waiting."""
        flight = self._flight
        if flight is None:
            if not self._may_fetch():
                raise self._unavailable("they were fetched just now")
            flight = self._start()
        await asyncio.wait([flight])
        if flight.cancelled():
            raise self._unavailable("the server is closing")
        if (error := flight.exception()) is not None:
            raise self._unavailable(str(error)) from None

    def _unavailable(self, reason: str) -> AuthUnavailableError:
        return AuthUnavailableError(f"keys of {self._issuer.url}: {reason}")

    def _may_fetch(self) -> bool:
        """Takes a token from the bucket. It is there for who calls :meth:`_start` next."""
        now = self._clock()
        if self._flight is not None or self._closed or now < self._resume:
            return False
        self._tokens = min(_BURST, self._tokens + (now - self._filled) / FETCH_INTERVAL)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _start(self) -> asyncio.Task[None]:
        self._flight = asyncio.create_task(self._run(), name="jwks")
        self._flight.add_done_callback(self._landed)
        return self._flight

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flight = None
        if not flight.cancelled():
            flight.exception()  # who waits for it has it

    async def _run(self) -> None:
        try:
            self._current = await self._load()
            self._failures = 0
        except Exception:
            # The keys as they were are better than none. That it failed costs no token, but time.
            self._tokens += 1
            pause = min(_FIRST_BACKOFF * 2 ** min(self._failures, 8), _LAST_BACKOFF)
            self._failures += 1
            self._resume = self._clock() + pause * random.uniform(0.5, 1)  # noqa: S311 - keeps servers out of step
            self._jwks_url = self._issuer.jwks_url  # it may have moved
            raise

    async def _load(self) -> KeySet:
        if not self._jwks_url:
            self._jwks_url = await self._discover()
        document = await self._fetcher.get(self._jwks_url)
        return KeySet(document, self._issuer.algorithms, self._clock())

    async def _discover(self) -> str:
        """Finds where the issuer has its keys (RFC 8414 §3, OpenID Connect Discovery §4)."""
        failure = FetchError("discovery: there is no metadata")
        for url in server_metadata_urls(self._issuer.url):
            try:
                document = await self._fetcher.get(url)
            except FetchError as e:
                failure = e
                continue
            return self._jwks_of(document)
        raise failure

    def _jwks_of(self, document: dict[str, Any]) -> str:
        """Reads the metadata of an authorization server. One that speaks for another issuer must not be used."""
        if document.get("issuer") != self._issuer.url:
            raise ValueError("discovery: the metadata is that of another issuer")
        found = document.get("jwks_uri")
        if not isinstance(found, str):
            raise ValueError("discovery: jwks_uri is missing")
        url = secure_url(found, query=True)
        if url.netloc != urllib.parse.urlsplit(self._issuer.url).netloc:
            raise ValueError("discovery: jwks_uri is on another host: if that is right, set jwks_url")
        return found
