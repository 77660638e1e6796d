# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Authorization servers whose access tokens are accepted, and what these look like (RFC 9068)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mcp_grpc.auth.error import InvalidCredentialError
from mcp_grpc.auth.jwt_parse import ParsedJWT
from mcp_grpc.auth.principal import CLOCK_SKEW, JWT_TOKEN, Principal
from mcp_grpc.auth.scope import check_scopes
from mcp_grpc.auth.url import secure_url

# The algorithms that may stand together: a key works for one family only.
_FAMILIES = (
    ("RS256", "RS384", "RS512"),
    ("PS256", "PS384", "PS512"),
    ("ES256", "ES384", "ES512"),
    ("EdDSA",),
)
_DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Issuer:
    """An authorization server whose access tokens are accepted. The defaults are what RFC 9068 says.

    Attributes:
        url: Issuer identifier, byte for byte as the tokens have it in ``iss``.
        jwks_url: Where its keys are. If empty it is taken from the server's metadata (RFC 8414, OpenID
            Connect Discovery), when the first token comes in; they must be on the issuer's own host then.
        jwks: The key set itself, for servers that reach no network. Nothing is fetched then.
        audiences: Values of ``aud`` that mean this server. One of them must be in the token. If empty it is
            the resource of the :class:`JWTVerifier`.
        algorithms: Signature algorithms that the server uses, all of one family: RS256, RS384, RS512;
            PS256, PS384, PS512; ES256, ES384, ES512; or EdDSA.
        types: Accepted values of the header ``typ``, without "application/". Servers that do not say what a
            token is need "JWT" here, or "" for a missing header; then a token must name its client and must
            not look like an ID token, since these are signed with the same key.
        clients: OAuth clients whose tokens are accepted, by ``client_id`` or ``azp``; empty for all.
        scope_claim: Claim with the scopes.
        tenant_claim: Claim with the caller's tenant. If empty callers have none; else tokens without it are
            refused.
        max_lifetime: Seconds that a token may end ahead.
        insecure_id_tokens: Accepts ID tokens in place of access tokens, for servers that give nothing else. A
            token that a client got to learn who its user is then opens this server, so ``clients`` is
            needed: those for whom that is right.
        group_scopes: Scopes of the values of the claim ``groups``. They add to those of ``scope_claim``.

    Raises:
        ValueError: tokens would be accepted that must not be; the error says what to write instead.
    """

    url: str
    jwks_url: str = ""
    jwks: Mapping[str, Any] | None = None
    audiences: Sequence[str] = ()
    algorithms: Sequence[str] = ("RS256",)
    types: Sequence[str] | None = None
    clients: Sequence[str] = ()
    scope_claim: str = "scope"
    tenant_claim: str = ""
    max_lifetime: float = _DAY
    insecure_id_tokens: bool = False
    group_scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_url("issuer", self.url)
        if self.jwks_url:
            _check_url("jwks_url", self.jwks_url, query=True)
            if self.jwks is not None:
                raise ValueError(f"issuer {self.url!r}: jwks_url and jwks are both set: write one of them")
        if isinstance(self.audiences, str) or "" in self.audiences:
            raise ValueError(f"issuer {self.url!r}: audiences: write a list without empty ones")
        if not self.algorithms or not any(set(self.algorithms) <= set(family) for family in _FAMILIES):
            hint = f'write some of one family: {_FAMILIES}; "none" and HS256 would let anybody sign'
            raise ValueError(f"issuer {self.url!r}: algorithms {list(self.algorithms)}: {hint}")
        if self.insecure_id_tokens and not self.clients:
            hint = "name the clients whose ID tokens may be used here"
            raise ValueError(f"issuer {self.url!r}: insecure_id_tokens needs clients: {hint}")
        for group, scopes in self.group_scopes.items():
            check_scopes(scopes, f"issuer {self.url!r}: group_scopes[{group!r}]")
        if self.max_lifetime <= 0:
            raise ValueError(f"issuer {self.url!r}: max_lifetime is {self.max_lifetime}: write a positive value")
        types = self.types if self.types is not None else ("jwt", "") if self.insecure_id_tokens else ("at+jwt",)
        object.__setattr__(self, "types", tuple(t.lower().removeprefix("application/") for t in types))

    def check(self, token: ParsedJWT, audiences: Sequence[str], now: float) -> Principal:
        """Judges what a token claims. It costs nothing but time: keys are fetched only for tokens that have passed.

        Args:
            token: The token.
            audiences: Those that mean this server.
            now: The time, in seconds of Unix time.

        Raises:
            InvalidCredentialError: it is not a token of this issuer for this server, or not now.
        """
        if token.alg not in self.algorithms:
            raise InvalidCredentialError(f"the algorithm {token.alg[:20]!r} is not one of the issuer's")
        if token.typ not in (self.types or ()):
            raise InvalidCredentialError(f"the type {token.typ[:40]!r} is not one of the issuer's access tokens")
        if not any(_same_audience(a, ours) for a in token.texts("aud") for ours in audiences):
            raise InvalidCredentialError("the token is for another server")
        expires = self._check_times(token, now)
        return Principal(
            _needed(token, "sub"),
            JWT_TOKEN,
            issuer=self.url,
            client_id=self._check_client(token),
            tenant=_needed(token, self.tenant_claim) if self.tenant_claim else "",
            scopes=self._scopes(token),
            credential_id=token.text("jti"),
            expires=expires,
            claims=token.claims,
        )

    def _check_times(self, token: ParsedJWT, now: float) -> float:
        """Gives the end of a token."""
        expires, begins, issued = (token.instant(name) for name in ("exp", "nbf", "iat"))
        if expires is None:
            raise InvalidCredentialError("claim 'exp' is missing")
        if now >= expires + CLOCK_SKEW:
            raise InvalidCredentialError("it has expired")
        if expires - now > self.max_lifetime + CLOCK_SKEW:
            raise InvalidCredentialError(f"it would live longer than {self.max_lifetime} s")
        if begins is not None and begins > now + CLOCK_SKEW:
            raise InvalidCredentialError("it is not valid yet")
        if issued is not None and issued > now + CLOCK_SKEW:
            raise InvalidCredentialError("it was issued in the future")
        return expires

    def _check_client(self, token: ParsedJWT) -> str:
        """Gives the client that a token was made for, and refuses tokens that were made for the client's own eyes."""
        client = token.text("client_id") or token.text("azp")
        if self.clients and client not in self.clients:
            raise InvalidCredentialError(f"client {client[:200]!r} is not one of the issuer's")
        if token.typ == "at+jwt" or self.insecure_id_tokens:
            return client
        if not client:
            raise InvalidCredentialError("the token does not name its client")
        if token.has_any("nonce", "at_hash", "c_hash", "events"):
            raise InvalidCredentialError("this is an ID token or a logout token")
        return client

    def _scopes(self, token: ParsedJWT) -> tuple[str, ...]:
        scopes = token.scopes(self.scope_claim)
        if self.group_scopes:
            for group in token.texts("groups"):
                scopes += self.group_scopes.get(group, ())
        return tuple(scopes)


def _needed(token: ParsedJWT, name: str) -> str:
    value = token.text(name)
    if not value:
        raise InvalidCredentialError(f"claim {name!r} is missing")
    return value


def _check_url(what: str, text: str, *, query: bool = False) -> None:
    try:
        secure_url(text, query=query)
    except ValueError as e:
        raise ValueError(f"{what} {text!r}: {e}") from None


def _same_audience(a: str, b: str) -> bool:
    """Compares byte for byte, except that a URL without path may end in a slash (RFC 3986 §6.2.3)."""
    return a == b or _without_root_slash(a) == _without_root_slash(b)


def _without_root_slash(url: str) -> str:
    bare = url.removesuffix("/")
    scheme, found, host = bare.partition("://")
    return bare if found and scheme and host and not any(c in host for c in "/?#") else url
