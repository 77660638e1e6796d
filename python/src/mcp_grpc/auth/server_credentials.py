# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The server's side of TLS."""

from __future__ import annotations

from pathlib import Path

import grpc


def server_credentials(
    certificate: bytes | str | Path, key: bytes | str | Path, *, client_ca: bytes | str | Path | None = None
) -> grpc.ServerCredentials:
    """The server's side of TLS, for ``add_secure_port``.

    Args:
        certificate: The server's certificate and its chain: PEM as bytes, or the file with it.
        key: Its private key, in the same way.
        client_ca: CAs of client certificates, in the same way. With them every client has to show a
            certificate that one of them has issued: gRPC for Python knows no client certificates that
            are optional.

    Raises:
        OSError: a file cannot be read.
    """
    ca = None if client_ca is None else read_pem(client_ca)
    pairs = [(read_pem(key), read_pem(certificate))]
    return grpc.ssl_server_credentials(pairs, root_certificates=ca, require_client_auth=ca is not None)


def read_pem(source: bytes | str | Path) -> bytes:
    """PEM that is given as bytes, or as the file with it."""
    return source if isinstance(source, bytes) else Path(source).read_bytes()
