# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Channels that show credentials to whom they are for."""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from mcp_grpc.auth.call import is_loopback
from mcp_grpc.auth.client_auth import ClientAuth
from mcp_grpc.auth.client_interceptor import interceptors_for
from mcp_grpc.auth.server_credentials import read_pem


@dataclass(frozen=True, slots=True)
class ClientTLS:
    """The client's side of TLS. PEM is given as bytes, or as the file with it.

    Attributes:
        ca: CAs that the server's certificate may be of; None for those of gRPC.
        certificate: The client's own certificate and its chain; None for none.
        key: Its private key.
        server_name: Name in the server's certificate, if it is not that of the target.
    """

    ca: bytes | str | Path | None = None
    certificate: bytes | str | Path | None = None
    key: bytes | str | Path | None = field(default=None, repr=False)
    server_name: str = ""

    def credentials(self) -> grpc.ChannelCredentials:
        """The same for gRPC.

        Raises:
            OSError: a file cannot be read.
            ValueError: there is a certificate without key, or the other way round.
        """
        if (self.certificate is None) != (self.key is None):
            raise ValueError("TLS: certificate and key go together")
        ca, key, certificate = (None if p is None else read_pem(p) for p in (self.ca, self.key, self.certificate))
        return grpc.ssl_channel_credentials(ca, key, certificate)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a channel leads.

    Attributes:
        address: As gRPC takes it.
        secure: Whether TLS is spoken there.
        local: Whether it cannot be but on this machine.
    """

    address: str
    secure: bool
    local: bool

    @classmethod
    def of(cls, text: str, *, tls: bool = False) -> Target:
        """Reads "host:port", "http://host:port", "https://host:port" or "unix:PATH".

        Raises:
            ValueError: it is none of them.
        """
        if text.startswith("unix:"):
            return cls(text, tls, local=True)
        url = urllib.parse.urlsplit(text if "://" in text else f"//{text}")
        try:
            host, port = url.hostname, url.port
        except ValueError:
            host, port = None, None
        if not host or url.scheme not in ("", "http", "https") or url.path.strip("/") or url.query or "@" in url.netloc:
            raise ValueError(f"target {text!r}: write host:port, http://host:port, https://host:port or unix:PATH")
        if url.scheme == "http" and tls:
            raise ValueError(f"target {text!r}: there are credentials for TLS: write https")
        secure = tls or url.scheme == "https"
        if port is None:
            if not url.scheme:
                raise ValueError(f"target {text!r}: the port is missing")
            port = 443 if secure else 80
        shown = f"[{host}]" if ":" in host else host
        return cls(f"{shown}:{port}", secure, is_loopback(host))


def channel(
    target: str,
    *,
    auth: ClientAuth | None = None,
    tls: ClientTLS | None = None,
    options: Sequence[tuple[str, Any]] = (),
    interceptors: Sequence[grpc.aio.ClientInterceptor] = (),
    intercept: bool = True,
    insecure: bool = False,
) -> grpc.aio.Channel:
    """Opens a channel.

    Credentials go to ``target`` only: in clear to loopback addresses and Unix sockets alone (SPEC.md §14.7).

    Args:
        target: "host:port", "http://host:port", "https://host:port" or "unix:PATH".
        auth: What calls show; None for nothing.
        tls: The client's side of TLS. If None, TLS is spoken with https targets, by the CAs of gRPC.
        options: Those of gRPC.
        interceptors: Others, which run before that of ``auth``.
        intercept: False leaves it to the caller to send :meth:`ClientAuth.metadata`.
        insecure: Credentials may go in clear to other machines, since something else encrypts.

    Raises:
        ValueError: the target is none, or credentials would go in clear.
        OSError: a file of ``tls`` cannot be read.
    """
    to = Target.of(target, tls=tls is not None)
    if auth is not None and not (to.secure or to.local or insecure):
        raise ValueError(f"target {target!r}: credentials would go in clear: use TLS")
    all_options = list(options)
    if to.local:
        # A proxy would read along, and it is not local.
        all_options.append(("grpc.enable_http_proxy", 0))
    if tls is not None and tls.server_name:
        all_options.append(("grpc.ssl_target_name_override", tls.server_name))
    chain = [*interceptors, *(interceptors_for(auth) if auth is not None and intercept else ())]
    if not to.secure:
        return grpc.aio.insecure_channel(to.address, options=all_options, interceptors=chain)
    credentials = (tls or ClientTLS()).credentials()
    return grpc.aio.secure_channel(to.address, credentials, options=all_options, interceptors=chain)
