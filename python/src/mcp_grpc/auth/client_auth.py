# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""What a client shows of itself."""

from __future__ import annotations

import abc
from collections.abc import Awaitable, Callable

from mcp_grpc.auth.authenticator import API_KEY_HEADER, AUTHORIZATION
from mcp_grpc.auth.bearer import is_token68
from mcp_grpc.auth.challenge import Challenge


class ClientAuth(abc.ABC):
    """What a client shows of itself on every call. Used on one event loop."""

    @abc.abstractmethod
    async def metadata(self) -> tuple[tuple[str, str], ...]:
        """Headers of a call.

        Raises:
            OSError: a credential cannot be got now.
            PermissionError: nor later: the authorization server refuses.
        """

    async def refused(self, challenge: Challenge) -> bool:
        """Is told that a call with these headers was refused.

        Returns:
            Whether there is another credential now, so that the call is worth repeating, once.
        """
        return False


class BearerToken(ClientAuth):
    """An access token in the header ``authorization`` (RFC 6750).

    Args:
        token: The token, or what gives it for each call: it may refresh it.

    Raises:
        ValueError: it is no token.
    """

    def __init__(self, token: str | Callable[[], Awaitable[str]]) -> None:
        self._give = None if isinstance(token, str) else token
        self._shown = _checked(token) if isinstance(token, str) else ""

    async def metadata(self) -> tuple[tuple[str, str], ...]:
        """See :class:`ClientAuth`."""
        if self._give is not None:
            self._shown = _checked(await self._give())
        return ((AUTHORIZATION, f"Bearer {self._shown}"),)

    async def refused(self, challenge: Challenge) -> bool:
        """See :class:`ClientAuth`. Whether another token is given now."""
        return self._give is not None and _checked(await self._give()) != self._shown


def _checked(token: str) -> str:
    if not is_token68(token):  # it does not belong into the error
        raise ValueError("the token is none: it has letters, digits and -._~+/ only (RFC 6750)")
    return token


class APIKey(ClientAuth):
    """An API key in the header ``x-mcp-api-key``.

    Raises:
        ValueError: it cannot stand in a header.
    """

    def __init__(self, key: str) -> None:
        if not key or not key.isascii() or not key.isprintable() or key != key.strip():
            raise ValueError("the API key is none: it has visible ASCII only")
        self._metadata = ((API_KEY_HEADER, key),)

    async def metadata(self) -> tuple[tuple[str, str], ...]:
        """See :class:`ClientAuth`."""
        return self._metadata
