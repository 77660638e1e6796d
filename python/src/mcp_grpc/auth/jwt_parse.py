# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""What a JWT claims before anybody has looked at its signature."""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp_grpc.auth.error import InvalidCredentialError
from mcp_grpc.auth.scope import parse_scopes
from mcp_grpc.auth.strict_json import json_object

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_MAX_NUMERIC_DATE = 253402300799  # in the year 9999: seconds, not milliseconds
_MAX_TEXT = 1024
_MAX_KID = 128

# These name keys that the token brings itself, or change how it is read.
_DANGEROUS_HEADERS = ("jwk", "jku", "x5u", "x5c", "crit", "zip", "b64", "cty")

# Claims that something here depends on.
_READ_CLAIMS = (
    *("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "azp"),
    *("scope", "scp", "cnf", "nonce", "at_hash", "c_hash", "events"),
)


class NotJWTError(Exception):
    """The token is of another kind."""


@dataclass(frozen=True, slots=True)
class ParsedJWT:
    """A JWT in the one form that all readers read alike, and what its claims are.

    Attributes:
        alg: Signature algorithm.
        kid: Id of the key; empty for none.
        typ: Type in lower case, without "application/"; empty for none.
        claims: Its claims.
        signed: What the signature is over.
        signature: The signature.
    """

    alg: str
    kid: str
    typ: str
    claims: Mapping[str, Any]
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)  # with it, what is shown would be the token

    def text(self, name: str) -> str:
        """A claim that is a plain string; empty if there is none."""
        value = self.claims.get(name, "")
        if not isinstance(value, str) or not _is_plain(value):
            raise InvalidCredentialError(f"claim {name!r} is not a plain string")
        return value

    def texts(self, name: str) -> list[str]:
        """A claim that is a string or an array of strings; empty if there is none."""
        value = self.claims.get(name)
        values = [] if value is None else [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
            raise InvalidCredentialError(f"claim {name!r} is neither a string nor an array of strings")
        return values

    def instant(self, name: str) -> float | None:
        """A claim that is a NumericDate (RFC 7519 §2), in seconds of Unix time; None if there is none."""
        if name not in self.claims:
            return None
        value = self.claims[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= _MAX_NUMERIC_DATE:
            raise InvalidCredentialError(f"claim {name!r} is no time in seconds")
        return float(value)

    def scopes(self, name: str) -> list[str]:
        """What the token allows: a string as RFC 6749 §3.3 has it, or an array of such strings."""
        try:
            return [scope for value in self.texts(name) for scope in parse_scopes(value)]
        except ValueError:
            raise InvalidCredentialError(f"claim {name!r} has what is no scope") from None

    def bound_to(self) -> str:
        """Thumbprint of the certificate that the token is bound to (RFC 8705 §3.1); empty for none.

        A binding of another kind cannot be checked, and must not be ignored.
        """
        if "cnf" not in self.claims:
            return ""
        members = self.claims["cnf"]
        thumbprint = members.get("x5t#S256") if isinstance(members, dict) and len(members) == 1 else None
        if not isinstance(thumbprint, str) or not thumbprint:
            raise InvalidCredentialError("the token is bound to its holder in a way that is not supported")
        return thumbprint

    def has_any(self, *names: str) -> bool:
        """Whether one of the claims is there."""
        return any(name in self.claims for name in names)


def parse_jwt(token: str) -> ParsedJWT:
    """Reads a JWT: compact, base64url to the letter, each member once.

    Raises:
        NotJWTError: the token is of another kind.
        InvalidCredentialError: it is a JWT that readers could read differently.
    """
    segments = token.split(".")
    if len(segments) != 3:
        raise NotJWTError
    head, body, signature = segments
    try:
        header = json_object(_base64url(head))
    except ValueError:
        raise NotJWTError from None  # opaque tokens may have dots
    if not signature:
        raise InvalidCredentialError("the token is not signed")
    try:
        claims, raw_signature = json_object(_base64url(body)), _base64url(signature)
    except ValueError as e:
        raise InvalidCredentialError(f"the token is not well formed: {e}") from None
    refuse_variants(claims)
    _refuse_variants(header, ("alg", "kid", "typ", *_DANGEROUS_HEADERS))
    for name in _DANGEROUS_HEADERS:
        if name in header:
            raise InvalidCredentialError(f"the header has {name!r}")
    # RFC 7515 §4.1.9: a media type, mostly without "application/".
    typ = _header_text(header, "typ").lower().removeprefix("application/")
    kid = _header_text(header, "kid")
    if "kid" in header and not 0 < len(kid.encode()) <= _MAX_KID:
        raise InvalidCredentialError("the header has a wrong 'kid'")
    signed = f"{head}.{body}".encode()
    return ParsedJWT(_header_text(header, "alg"), kid, typ, claims, signed, raw_signature)


def _header_text(header: Mapping[str, Any], name: str) -> str:
    value = header.get(name, "")
    if not isinstance(value, str) or not _is_plain(value):
        raise InvalidCredentialError(f"the header has a wrong {name!r}")
    return value


def _base64url(segment: str) -> bytes:
    if _BASE64URL.fullmatch(segment) is None:
        raise ValueError("not base64url")
    raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    # Bits that nobody reads would make many tokens of one.
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != segment:
        raise ValueError("not base64url")
    return raw


def refuse_variants(claims: Iterable[str]) -> None:
    """Refuses claims that some readers take for one that something here depends on: they fold cases.

    Raises:
        InvalidCredentialError: there is one.
    """
    _refuse_variants(claims, _READ_CLAIMS)


def _refuse_variants(members: Iterable[str], names: Iterable[str]) -> None:
    """Refuses members that some readers take for one of ``names``: they fold cases."""
    folded = {name.casefold(): name for name in names}
    for member in members:
        name = folded.get(member.casefold())
        if name is not None and member != name:
            raise InvalidCredentialError(f"a member looks like {name!r}")


def _is_plain(text: str) -> bool:
    """Whether text can stand in logs and comparisons: not long, and without control characters."""
    return len(text) <= _MAX_TEXT and not any(unicodedata.category(c) in ("Cc", "Cs") for c in text)
