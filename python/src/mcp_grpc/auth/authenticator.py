# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""How callers are recognised, and how several ways to do so go together."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from mcp_grpc.auth.call import Call
from mcp_grpc.auth.error import AbsentCredentialError, InvalidCredentialError, MalformedCredentialError
from mcp_grpc.auth.principal import Principal

AUTHORIZATION = "authorization"
API_KEY_HEADER = "x-mcp-api-key"
CREDENTIAL_HEADERS = frozenset({AUTHORIZATION, API_KEY_HEADER, "proxy-authorization"})
"""Headers that code behind the server does not see: credentials must not be passed on (SPEC.md §14.2)."""


@runtime_checkable
class Authenticator(Protocol):
    """Recognises one kind of credential.

    Attributes:
        scheme: Authentication scheme that a caller without credentials is asked for (RFC 9110 §11.3), "Bearer"
            for example; empty if a header cannot ask for it.
    """

    @property
    def scheme(self) -> str: ...  # noqa: D102

    async def authenticate(self, call: Call) -> Principal | None:
        """Says who makes ``call``: None if it has no credential of this kind; another one may know the caller.

        Raises:
            InvalidCredentialError: it has one that is wrong. It ends the request: a wrong credential is never
                ignored in favour of another one.
            MalformedCredentialError: it has one in the wrong form or place.
            AuthUnavailableError: nobody can say now.
        """
        ...


async def authenticate(call: Call, authenticators: Sequence[Authenticator]) -> Principal:
    """Asks all authenticators (SPEC.md §14.2).

    The credentials of the request say who calls; the connection's count where the request has none.

    Raises:
        CredentialError: the call is to be refused.
    """
    check_presentation(call)
    caller: Principal | None = None
    holder: Principal | None = None
    for authenticator in authenticators:
        found = await authenticator.authenticate(call)
        if found is None:
            continue
        if found.end is not None and found.end <= time.time():
            raise InvalidCredentialError("it has expired")
        if found.revocation is not None and found.revocation.revoked:
            raise InvalidCredentialError("it was revoked")
        if (holder if found.of_connection else caller) is not None:
            raise MalformedCredentialError("there are two credentials")
        if found.of_connection:
            holder = found
        else:
            caller = found
    if caller is not None:
        return caller if holder is None else dataclasses.replace(caller, connection=holder)
    if holder is None:
        raise AbsentCredentialError("no credential")
    return holder


def check_presentation(call: Call) -> None:
    """Refuses calls that show more than one credential, or one where nobody may look for it.

    Each reader might take another one (RFC 6750 §2).

    Raises:
        MalformedCredentialError: the call does so.
    """
    names = [key for key, _ in call.metadata]
    tokens, keys = names.count(AUTHORIZATION), names.count(API_KEY_HEADER)
    if tokens > 1 or keys > 1:
        raise MalformedCredentialError("a credential header is given twice")
    if tokens and keys:
        raise MalformedCredentialError("there are a token and an API key")
    if AUTHORIZATION + "-bin" in names or API_KEY_HEADER + "-bin" in names:
        raise MalformedCredentialError("a credential is in a binary header")
