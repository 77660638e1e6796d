# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The keys of an issuer at one time (RFC 7517 §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from mcp_grpc.auth.jwt_parse import ParsedJWT

_MAX_KEYS = 100  # of one issuer
_MIN_RSA_BITS = 2048  # RFC 7518 §3.3
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})


@dataclass(frozen=True, slots=True)
class _Key:
    key: Any
    algorithms: frozenset[str]

    def verifies(self, token: ParsedJWT) -> bool:
        if token.alg not in self.algorithms:
            return False
        try:
            return bool(get_default_algorithms()[token.alg].verify(token.signed, self.key, token.signature))
        except (ValueError, TypeError):
            return False


class KeySet:
    """The keys of an issuer at one time. It does not change.

    Args:
        document: A JWK Set. Keys that cannot be used here are left out, as the RFC says: what else an issuer
            publishes must not stop its tokens.
        algorithms: Those of the issuer.
        fetched: When, as the clock of the one who fetches says.

    Raises:
        ValueError: it is none, or has no key for the algorithms.
    """

    def __init__(self, document: Mapping[str, Any], algorithms: Sequence[str], fetched: float = 0.0) -> None:
        items = document.get("keys")
        if not isinstance(items, list):
            raise ValueError("this is no JWK Set")
        if len(items) > _MAX_KEYS:
            raise ValueError("the JWK Set has too many keys")
        self.fetched = fetched
        self._by_id: dict[str, list[_Key]] = {}
        for item in items:
            if (key := _usable(item, algorithms)) is not None:
                key_id = item.get("kid")
                self._by_id.setdefault(key_id if isinstance(key_id, str) else "", []).append(key)
        usable = [key for keys in self._by_id.values() for key in keys]
        if not usable:
            raise ValueError("the JWK Set has no key for the issuer's algorithms")
        self._only = usable if len(usable) == 1 else []

    def has(self, kid: str) -> bool:
        """Whether there is a key of this id. Without id it can only be the key of an issuer that has one."""
        return bool(self._find(kid))

    def verifies(self, token: ParsedJWT) -> bool:
        """Whether the signature of a token is that of one of its keys."""
        return any(key.verifies(token) for key in self._find(token.kid))

    def _find(self, kid: str) -> Sequence[_Key]:
        return self._by_id.get(kid, ()) if kid else self._only


def _usable(item: object, algorithms: Sequence[str]) -> _Key | None:
    """One key; None if it is not for signatures of the issuer."""
    if not isinstance(item, dict) or item.keys() & _PRIVATE or item.get("use", "sig") != "sig":
        return None
    declared = item.get("alg")
    for algorithm in algorithms:
        if declared is not None and declared != algorithm:
            continue
        try:
            key = jwt.PyJWK(item, algorithm=algorithm).key
        except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):
            continue
        suited = frozenset(a for a in algorithms if _suits(key, a) and declared in (None, a))
        return _Key(key, suited) if suited else None
    return None


def _suits(key: object, algorithm: str) -> bool:
    """Whether a key can sign by an algorithm."""
    match key:
        case rsa.RSAPublicKey():
            return key.key_size >= _MIN_RSA_BITS and algorithm[:2] in ("RS", "PS")
        case ec.EllipticCurvePublicKey():
            return _CURVES.get(algorithm) == key.curve.name
        case ed25519.Ed25519PublicKey():
            return algorithm == "EdDSA"
    return False
