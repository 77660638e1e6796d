# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""TLS client certificates."""

from __future__ import annotations

import datetime
import hashlib
import re
import time
from dataclasses import dataclass
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from mcp_grpc.auth.cache import Cache
from mcp_grpc.auth.call import Call
from mcp_grpc.auth.error import InvalidCredentialError
from mcp_grpc.auth.principal import CERTIFICATE, CLOCK_SKEW, Grants, Principal, lookup

E = TypeVar("E", bound=x509.ExtensionType)

_MAX_CACHED = 1024
_CACHE_SECONDS = 60.0
_TRUST_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}")
_SPIFFE_ID = re.compile(r"spiffe://([a-z0-9._-]{1,255})((?:/[A-Za-z0-9._-]+)*)")
_LABEL = re.compile(r"[a-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class _Leaf:
    name: str
    serial: str
    begins: float
    ends: float


class Certificates:
    """The authenticator for TLS client certificates, which gRPC has verified (:func:`server_credentials`).

    A certificate must name one holder, must be one for clients, and not that of a CA. What its subject's
    common name says does not count.

    Args:
        grants: What the holder of a name may do: a SPIFFE ID as "spiffe://example.org/agent", or a DNS name
            in lower case.
        trust_domain: Accepts SPIFFE IDs of one trust domain, "example.org" for instance. The CAs that TLS
            trusts must all be that domain's: each of them can issue any ID.
        dns_names: Accepts certificates with one DNS name, and no URI, from any CA that TLS trusts.

    Raises:
        ValueError: no kind of name is accepted, or the trust domain is none.
    """

    scheme = ""  # TLS asks for certificates, not a header

    def __init__(self, grants: Grants, *, trust_domain: str = "", dns_names: bool = False) -> None:
        if not trust_domain and not dns_names:
            raise ValueError("certificates: no kind of name is accepted: set trust_domain or dns_names")
        if trust_domain and _TRUST_DOMAIN.fullmatch(trust_domain) is None:
            raise ValueError(f"certificates: trust_domain {trust_domain!r} is none: write it like example.org")
        self._grants = grants
        self._domain = trust_domain
        self._dns_names = dns_names
        self._leaves: Cache[bytes, _Leaf] = Cache(_MAX_CACHED)

    async def authenticate(self, call: Call) -> Principal | None:
        """See :class:`Authenticator`."""
        presented = call.tls("x509_pem_cert")
        if not presented:
            return None
        leaf = self._leaf(presented[0])
        now = time.time()  # the connection may have been opened when the certificate was still good
        if not leaf.begins - CLOCK_SKEW <= now <= leaf.ends:
            raise InvalidCredentialError("the certificate is not valid now")
        grant = lookup(self._grants, leaf.name)
        if grant is None:
            raise InvalidCredentialError(f"nobody is known as {leaf.name[:200]!r}")
        return Principal(
            grant.subject or leaf.name,
            CERTIFICATE,
            tenant=grant.tenant,
            scopes=grant.scopes,
            credential_id=leaf.serial,
            expires=leaf.ends,
        )

    def _leaf(self, pem: bytes) -> _Leaf:
        now = time.monotonic()
        digest = hashlib.sha256(pem).digest()
        leaf = self._leaves.get(digest, now)
        if leaf is None:
            leaf = self._read(pem)
            self._leaves.put(digest, leaf, now + _CACHE_SECONDS)
        return leaf

    def _read(self, pem: bytes) -> _Leaf:
        try:
            certificate = x509.load_pem_x509_certificate(pem)
            _check_purpose(certificate)
            name = self._name(certificate)
        except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as e:
            raise InvalidCredentialError(f"the certificate cannot be read: {type(e).__name__}") from None
        return _Leaf(
            name,
            f"{certificate.serial_number:x}",
            _seconds(certificate.not_valid_before_utc),
            _seconds(certificate.not_valid_after_utc),
        )

    def _name(self, certificate: x509.Certificate) -> str:
        try:
            names = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        except x509.ExtensionNotFound:
            raise InvalidCredentialError("the certificate has no name but perhaps its common name") from None
        uris = [n.value for n in names if isinstance(n, x509.UniformResourceIdentifier)]
        if uris:
            return self._spiffe_id(uris)
        if not self._dns_names:
            raise InvalidCredentialError("the certificate has no SPIFFE ID")
        if len(names) != 1 or not isinstance(names[0], x509.DNSName):
            # Of several, each reader might take another one for the holder's.
            raise InvalidCredentialError("the certificate does not have exactly one name")
        host = names[0].value.lower()
        if not _is_host_name(host):
            raise InvalidCredentialError(f"{host[:200]!r} is not the name of one host")
        return host

    def _spiffe_id(self, uris: list[str]) -> str:
        if len(uris) != 1:
            raise InvalidCredentialError("the certificate has more than one URI")
        match = _SPIFFE_ID.fullmatch(uris[0])
        if match is None or any(s in (".", "..") for s in match[2].split("/")) or len(uris[0]) > 2048:
            raise InvalidCredentialError("the URI of the certificate is no SPIFFE ID")
        if not self._domain or match[1] != self._domain:
            raise InvalidCredentialError(f"trust domain {match[1][:200]!r} is not accepted")
        return uris[0]


def _check_purpose(certificate: x509.Certificate) -> None:
    """Refuses certificates that are not a client's."""
    basic = _extension(certificate, x509.BasicConstraints)
    usage = _extension(certificate, x509.KeyUsage)
    if (basic is not None and basic.ca) or (usage is not None and (usage.key_cert_sign or usage.crl_sign)):
        raise InvalidCredentialError("the certificate is that of a CA")
    extended = _extension(certificate, x509.ExtendedKeyUsage)
    if extended is None or ExtendedKeyUsageOID.CLIENT_AUTH not in extended:
        raise InvalidCredentialError("the certificate is not one for clients")


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _is_host_name(name: str) -> bool:
    """Whether a name in lower case is that of a host: no wildcard, nothing that looks like something else."""
    return 0 < len(name) <= 253 and all(_LABEL.fullmatch(label) for label in name.split("."))


def _seconds(when: datetime.datetime) -> float:
    return when.timestamp()
