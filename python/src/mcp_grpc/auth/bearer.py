# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Tokens in the header ``authorization`` (RFC 6750 §2.1)."""

from __future__ import annotations

import re
from typing import Protocol

from mcp_grpc.auth.authenticator import AUTHORIZATION
from mcp_grpc.auth.call import Call
from mcp_grpc.auth.error import InvalidCredentialError, MalformedCredentialError
from mcp_grpc.auth.principal import Principal

MAX_TOKEN_BYTES = 8 << 10
"""Bounds what is parsed and hashed for somebody unknown."""

_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


def is_token68(text: str) -> bool:
    """Whether ``text`` is the b64token of RFC 6750 §2.1."""
    return _TOKEN68.fullmatch(text) is not None


class TokenVerifier(Protocol):
    """Checks one kind of bearer token."""

    async def verify_token(self, token: str, call: Call) -> Principal | None:
        """Says whose token it is: None if it is not of this kind; another verifier may then know it.

        Args:
            token: Has the form of RFC 6750 §2.1 and at most 8 KiB.
            call: For what binds the token to its connection.

        Raises:
            CredentialError: as :meth:`Authenticator.authenticate` does.
        """
        ...


class Bearer:
    """The authenticator for tokens in the header ``authorization``.

    The verifiers are asked in their order, until one knows the token.

    Raises:
        ValueError: there is no verifier.
    """

    scheme = "Bearer"

    def __init__(self, *verifiers: TokenVerifier) -> None:
        if not verifiers:
            raise ValueError("Bearer: there is no verifier: nobody could get in")
        self._verifiers = verifiers

    async def authenticate(self, call: Call) -> Principal | None:
        """See :class:`Authenticator`."""
        token = bearer_token(call)
        if token is None:
            return None
        for verifier in self._verifiers:
            principal = await verifier.verify_token(token, call)
            if principal is not None:
                return principal
        raise InvalidCredentialError("no issuer is known for the token")

    async def start(self) -> None:
        """Starts what the verifiers do beside calls."""
        for verifier in self._verifiers:
            if (start := getattr(verifier, "start", None)) is not None:
                await start()

    async def close(self) -> None:
        """Ends that."""
        for verifier in self._verifiers:
            if (close := getattr(verifier, "close", None)) is not None:
                await close()


def bearer_token(call: Call) -> str | None:
    """The token of a call; None if it shows none.

    It takes the header as RFC 6750 §2.1 has it, to the letter: lists of tokens, and spaces around them,
    read differently to different readers.

    Raises:
        MalformedCredentialError: the header is not of that form.
        InvalidCredentialError: the token is too long.
    """
    values = call.values(AUTHORIZATION)
    if not values:
        return None
    value = values[0]
    if not isinstance(value, str):
        raise MalformedCredentialError("the header is not text")
    scheme, rest = value[:6], value[6:]
    if scheme.lower() != "bearer":
        return None  # another scheme: like no credential at all
    if rest == "":
        raise MalformedCredentialError("there is no token")
    if rest[0] != " ":
        if is_token68(rest[0]):
            return None  # a scheme with a longer name
        raise MalformedCredentialError("the header is not of the form of RFC 6750")
    token = rest[1:]
    if len(token) > MAX_TOKEN_BYTES:
        raise InvalidCredentialError(f"the token has more than {MAX_TOKEN_BYTES} bytes")
    if not is_token68(token):
        raise MalformedCredentialError("the token has characters that no token has")
    return token
