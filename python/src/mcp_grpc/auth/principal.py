# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Who calls."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp_grpc.auth.scope import check_scopes

CLOCK_SKEW = 60.0
"""Seconds that the clocks of this machine and of who issues credentials may be apart."""

JWT_TOKEN = "jwt"  # noqa: S105 - a name
INTROSPECTION = "introspection"
STATIC_TOKEN = "static-token"  # noqa: S105 - a name
API_KEY = "api-key"
CERTIFICATE = "certificate"
UNIX_PEER = "unix-peer"


class Revocation:
    """The end of a credential before it expires. Used on one event loop."""

    def __init__(self) -> None:
        self._revoked = False
        self._watchers: set[Callable[[], None]] = set()

    @property
    def revoked(self) -> bool:
        """Whether it has ended."""
        return self._revoked

    def revoke(self) -> None:
        """Ends it, and what was let in by it."""
        self._revoked = True
        watchers, self._watchers = self._watchers, set()
        for watcher in watchers:
            watcher()

    def watch(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Calls ``watcher`` when it ends, at once if it has; gives what stops that."""
        if self._revoked:
            watcher()
            return lambda: None
        self._watchers.add(watcher)
        return lambda: self._watchers.discard(watcher)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. An authenticator makes it, and requests share it. It holds no credential.

    Attributes:
        subject: Name of the caller, unique within issuer and tenant, or within method and tenant where
            there is no issuer. Never empty.
        method: How the caller was authenticated: "jwt", "introspection", "static-token", "api-key", "certificate",
            "unix-peer", or that of an authenticator of another kind.
        issuer: Authorization server that vouches for the caller; empty for callers known without one.
        tenant: Organisation of the caller; empty for none.
        client_id: OAuth client that acts for the caller; empty if unknown.
        scopes: What the caller may do, as the credential says.
        credential_id: Name of the credential for logs, a token's jti or a key's id; no secret.
        expires: When the credential ends, in seconds of Unix time; None for never.
        claims: Verified claims of a token; None for other credentials.
        connection: Who holds the connection, by certificate or Unix socket, where a token or API key
            says who calls; None if that is nobody.
    """

    subject: str
    method: str
    issuer: str = ""
    tenant: str = ""
    client_id: str = ""
    scopes: tuple[str, ...] = ()
    credential_id: str = ""
    expires: float | None = None
    claims: Mapping[str, Any] | None = None
    connection: Principal | None = None
    revocation: Revocation | None = field(default=None, repr=False, compare=False)

    @property
    def id(self) -> str:
        """Names the caller among all others, for state that belongs to it (SPEC.md §14.6).

        It is issuer or method, then the tenant if there is one, and the subject, with bars between. Two
        callers never share it.
        """
        parts = [self.issuer or self.method, _escaped(self.subject)]
        if self.tenant:
            parts.insert(1, _escaped(self.tenant))
        return "|".join(parts)

    @property
    def of_connection(self) -> bool:
        """Whether the credential is the connection's, not the request's."""
        return self.method in (CERTIFICATE, UNIX_PEER)

    @property
    def by_token(self) -> bool:
        """Whether another token, with more scopes, could help the caller."""
        return self.method in (JWT_TOKEN, INTROSPECTION)

    @property
    def end(self) -> float | None:
        """When nothing may be done for the caller any more, in seconds of Unix time; None for never.

        A minute after its credential, or that of its connection, expires (SPEC.md §14.2).
        """
        own = None if self.expires is None else self.expires + CLOCK_SKEW
        below = None if self.connection is None else self.connection.end
        return below if own is None else own if below is None else min(own, below)


def _escaped(text: str) -> str:
    """Keeps the parts of an id apart. An issuer is a URL, which has no bar."""
    return text.replace("%", "%25").replace("|", "%7C")


@dataclass(frozen=True, slots=True)
class Grant:
    """What the configuration says of a caller that no authorization server vouches for.

    Attributes:
        subject: Name of the caller. If empty it is the name in the credential: a SPIFFE ID, a host, or
            the user id of a process.
        tenant: Organisation of the caller; empty for none.
        scopes: What the caller may do.

    Raises:
        ValueError: a scope is none (RFC 6749 §3.3).
    """

    subject: str = ""
    tenant: str = ""
    scopes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "scopes", check_scopes(self.scopes, f"grant of {self.subject!r}"))


Grants = Mapping[str, Grant] | Callable[[str], Grant | None]
"""Grants by the name in the credential, compared byte for byte: a mapping, or a function that gives None
for strangers."""


def lookup(grants: Grants, name: str) -> Grant | None:
    """The grant of ``name``; None for a stranger."""
    return grants.get(name) if isinstance(grants, Mapping) else grants(name)


_current: contextvars.ContextVar[Principal | None] = contextvars.ContextVar("mcp_grpc_principal", default=None)


def current_principal() -> Principal | None:
    """The caller of the RPC that runs; None if nobody was authenticated.

    Tasks that a handler starts see it too.
    """
    return _current.get()


def set_current_principal(principal: Principal | None) -> None:
    """Sets the caller for this task and those that it starts."""
    _current.set(principal)
