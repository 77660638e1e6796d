# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Access tokens that are JWTs (RFC 9068, SPEC.md §14.2)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from mcp_grpc.auth.cache import Cache
from mcp_grpc.auth.call import Call
from mcp_grpc.auth.error import InvalidCredentialError
from mcp_grpc.auth.fetch import Fetcher
from mcp_grpc.auth.jwks import KeySet
from mcp_grpc.auth.jwks_store import KeyStore
from mcp_grpc.auth.jwt_issuer import Issuer
from mcp_grpc.auth.jwt_parse import NotJWTError, ParsedJWT, parse_jwt
from mcp_grpc.auth.principal import Principal

_CACHE_SECONDS = 60.0  # that a token is not verified again: a key that is withdrawn counts at once anyway
_MAX_CACHED = 10_000


@dataclass(frozen=True, slots=True)
class _Verified:
    principal: Principal
    keys: KeySet
    bound_to: str


class JWTVerifier:
    """Verifies access tokens that are JWTs (RFC 9068).

    It checks, in this order: that the token is a JWT to the letter; issuer, algorithm, type, audience, times,
    subject and client; and then the signature, for which it may have to fetch keys. So tokens that nobody has
    signed cost no request to an issuer; those with the right claims and a wrong key cause one in ten seconds at
    the most. It fetches nothing before: a server can start while its issuers are down.

    Args:
        issuers: The authorization servers.
        resource: Resource identifier of this server, the audience of its tokens (RFC 8707): that of its
            :class:`ResourceMetadata`. It may be empty if each issuer has audiences.
        tls: Reaches the issuers, for a private CA.
        clock: Seconds of a clock that does not jump, and seconds of Unix time; for tests.

    Raises:
        ValueError: tokens would be accepted that must not be.
    """

    def __init__(
        self,
        issuers: Sequence[Issuer],
        *,
        resource: str = "",
        tls: ssl.SSLContext | None = None,
        clock: tuple[Callable[[], float], Callable[[], float]] = (time.monotonic, time.time),
    ) -> None:
        if not issuers:
            raise ValueError("JWT: there is no issuer: name the authorization server")
        fetcher = Fetcher(tls)
        self._monotonic, self._now = clock
        self._issuers: dict[str, tuple[Issuer, Sequence[str], KeyStore]] = {}
        for issuer in issuers:
            audiences = issuer.audiences or ((resource,) if resource else ())
            if not audiences:
                hint = "so tokens for any server would be accepted: set resource or audiences"
                raise ValueError(f"JWT: issuer {issuer.url!r}: there is no audience, {hint}")
            if issuer.url in self._issuers:
                raise ValueError(f"JWT: issuer {issuer.url!r} is there twice: merge the two")
            self._issuers[issuer.url] = (issuer, audiences, KeyStore(issuer, fetcher, self._monotonic))
        self._verified: Cache[bytes, _Verified] = Cache(_MAX_CACHED)

    async def close(self) -> None:
        """Ends what it may be fetching."""
        for _, _, store in self._issuers.values():
            await store.close()

    async def verify_token(self, token: str, call: Call) -> Principal | None:
        """See :class:`TokenVerifier`."""
        digest = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(digest, self._monotonic())
        if known is None or not self._issuers[known.principal.issuer][2].is_current(known.keys):
            try:
                known = await self._verify(token)
            except NotJWTError:
                return None
            end = known.principal.end
            left = _CACHE_SECONDS if end is None else min(_CACHE_SECONDS, end - self._now())
            self._verified.put(digest, known, self._monotonic() + left)
        if known.bound_to:
            check_binding(known.bound_to, call)
        return known.principal

    async def _verify(self, token: str) -> _Verified:
        parsed = parse_jwt(token)
        found = self._issuers.get(parsed.text("iss"))
        if found is None:
            raise NotJWTError  # of ours: another verifier may know it
        issuer, audiences, store = found
        principal = issuer.check(parsed, audiences, self._now())
        bound_to = parsed.bound_to()
        return _Verified(principal, await _verified_by(parsed, store), bound_to)


async def _verified_by(token: ParsedJWT, store: KeyStore) -> KeySet:
    """The keys by which the token is good."""
    keys: KeySet | None = await store.keys(token.kid)
    if keys is not None and keys.verifies(token):
        return keys
    keys = await store.renewed(keys) if keys is not None else None
    if keys is not None and keys.verifies(token):
        return keys
    raise InvalidCredentialError("the signature is wrong")


def check_binding(thumbprint: str, call: Call) -> None:
    """Refuses a token that came over a connection of somebody else (RFC 8705 §3).

    Raises:
        InvalidCredentialError: it did.
    """
    presented = call.tls("x509_pem_cert")
    if not presented:
        raise InvalidCredentialError("the token is bound to a certificate, and there is none")
    try:
        raw = x509.load_pem_x509_certificate(presented[0]).public_bytes(serialization.Encoding.DER)
    except ValueError:
        raise InvalidCredentialError("the certificate cannot be read") from None
    got = base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"=")
    if not hmac.compare_digest(got, thumbprint.encode()):
        raise InvalidCredentialError("the token is bound to another certificate")
