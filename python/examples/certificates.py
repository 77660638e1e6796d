# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Certificates for a server and its client, and the CA of both."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TRUST_DOMAIN = "example.org"
CLIENT_ID = f"spiffe://{TRUST_DOMAIN}/client"

_LIFETIME = datetime.timedelta(days=90)


def make_certificates(folder: str) -> None:
    """Makes ca.pem, and server and client with their keys, if ca.pem is not there.

    Args:
        folder: Where they are. It is made for its user alone.

    Raises:
        OSError: they cannot be written.
    """
    at = Path(folder)
    if (at / "ca.pem").exists():
        return
    at.mkdir(mode=0o700, parents=True, exist_ok=True)
    ca_key = ec.generate_private_key(ec.SECP256R1())  # is forgotten: it signs nothing more
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mcpconnect example CA")])
    host = [x509.DNSName("localhost")] + [x509.IPAddress(ipaddress.ip_address(a)) for a in ("127.0.0.1", "::1")]
    client = [x509.UniformResourceIdentifier(CLIENT_ID)]
    for name, names, purpose in (
        ("server", host, ExtendedKeyUsageOID.SERVER_AUTH),
        ("client", client, ExtendedKeyUsageOID.CLIENT_AUTH),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(x509.Name([]), ca_name, key, names, critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        _write(at / f"{name}-key.pem", _pem_of_key(key))
        _write(at / f"{name}.pem", _pem(builder.sign(ca_key, hashes.SHA256())))
    domain = [x509.UniformResourceIdentifier(f"spiffe://{TRUST_DOMAIN}")]
    builder = _builder(ca_name, ca_name, ca_key, domain, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    _write(at / "ca.pem", _pem(builder.sign(ca_key, hashes.SHA256())))  # last: with it all are there


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    names: Sequence[x509.GeneralName],
    *,
    critical: bool,
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=critical)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    form, secret = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, secret)


def _write(path: Path, pem: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(pem)
