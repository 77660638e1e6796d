# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""JSON documents of authorization servers."""

from __future__ import annotations

import asyncio
import functools
import ssl
import urllib.parse
from collections.abc import Mapping
from typing import Any

import httpx2

from mcp_grpc.auth.call import is_loopback
from mcp_grpc.auth.strict_json import json_object

_TIMEOUT = 5.0
_MAX_BYTES = 512 << 10  # of a key set, a metadata document or a token response
_JSON = frozenset({"application/json", "application/jwk-set+json"})


class FetchError(OSError):
    """There is no document. The text says nothing of the body: who writes it need not be who is trusted.

    Attributes:
        status: HTTP status of the answer; None if there was none.
        document: The JSON object of an answer with another status than 200, for errors of OAuth.
    """

    def __init__(self, text: str, status: int | None = None, document: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.document = document


class Fetcher:
    """Talks to authorization servers: in bounded time, for a bounded answer, and only to the URL that was configured.

    Args:
        tls: For a private CA; None for the CAs of the system.
        timeout: Seconds for the whole of an exchange.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, timeout: float = _TIMEOUT) -> None:
        self._tls = tls
        self._timeout = timeout

    async def get(self, url: str) -> dict[str, Any]:
        """Fetches a JSON object.

        Raises:
            FetchError: there is none.
        """
        return await self._exchange("GET", url)

    async def post(self, url: str, form: Mapping[str, str], auth: tuple[str, str] | None) -> dict[str, Any]:
        """Sends a form, and gives the JSON object that comes back.

        Args:
            url: Where to.
            form: Its fields.
            auth: User and password for HTTP Basic, None for none.

        Raises:
            FetchError: there is none.
        """
        return await self._exchange("POST", url, data=dict(form), auth=auth)

    async def _exchange(self, method: str, url: str, **body: Any) -> dict[str, Any]:
        # A redirect would lead to where nobody has allowed; what is compressed might be large.
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        # To read the CAs of the system takes so long that other calls would wait.
        verify = await asyncio.to_thread(_system_tls) if self._tls is None else self._tls
        # A proxy of the environment would read along what is in clear, and it is not this machine.
        proxies = not is_loopback(urllib.parse.urlsplit(url).hostname or "")
        try:
            async with (
                asyncio.timeout(self._timeout),
                httpx2.AsyncClient(
                    verify=verify, follow_redirects=False, timeout=self._timeout, trust_env=proxies
                ) as client,
                client.stream(method, url, headers=headers, **body) as response,
            ):
                status, text = response.status_code, await _body(response)
        except TimeoutError:
            raise FetchError("there was no answer in time") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError) as e:
            raise FetchError(f"the exchange failed: {type(e).__name__}") from None
        document = _object(text) if text is not None else None
        if status != 200:
            raise FetchError(f"the response has status {status}", status, document)
        if document is None:
            raise FetchError("the response is not a JSON object of a size that is allowed", status)
        return document


@functools.cache
def _system_tls() -> ssl.SSLContext:
    """TLS with the CAs of the system."""
    return httpx2.create_ssl_context()


async def _body(response: httpx2.Response) -> bytes | None:
    """The body if it is JSON and not too long."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _JSON or response.headers.get("content-encoding", "identity") != "identity":
        return None
    text = b""
    async for chunk in response.aiter_raw():
        text += chunk
        if len(text) > _MAX_BYTES:
            return None
    return text


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        return json_object(text)
    except ValueError:
        return None
