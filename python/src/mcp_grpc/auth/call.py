# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""What an RPC shows of its caller before its body is read."""

from __future__ import annotations

import ipaddress
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import grpc

from mcp_grpc.auth.error import Metadata


@dataclass(frozen=True, slots=True)
class Call:
    """What an RPC shows of its caller before its body is read.

    Attributes:
        method: Full name, "/mcp.v1.MCP/InvokeTool" for example.
        metadata: Request headers; one that is given twice is there twice.
        peer: Address of the peer as gRPC writes it, "ipv4:127.0.0.1:4711" for example.
        auth_context: What TLS knows of the peer, as ``grpc.aio.ServicerContext.auth_context`` gives it.
    """

    method: str
    metadata: Metadata = field(repr=False)  # credentials are in it
    peer: str = ""
    auth_context: Mapping[str, Iterable[bytes]] | None = None

    @classmethod
    def of(cls, method: str, context: grpc.aio.ServicerContext[object, object]) -> Call:
        """The call that ``context`` belongs to."""
        metadata = tuple((key, value) for key, value in context.invocation_metadata() or ())
        return cls(method, metadata, context.peer(), context.auth_context())

    def values(self, name: str) -> list[str | bytes]:
        """All values of a header, whose name is in lower case."""
        return [value for key, value in self.metadata if key == name]

    @property
    def is_local(self) -> bool:
        """Whether it came from this machine: by a loopback address or a Unix socket. gRPC says so, not the request."""
        kind, _, address = self.peer.partition(":")
        if kind == "unix":
            return True
        if kind not in ("ipv4", "ipv6"):
            return False
        host = urllib.parse.unquote(address).rpartition(":")[0]
        return is_loopback(host)

    def tls(self, name: str) -> list[bytes]:
        """A property of the peer that TLS has checked; empty where there is no TLS."""
        properties = self.auth_context or {}
        if b"ssl" not in properties.get("transport_security_type", ()):
            return []
        return list(properties.get(name, ()))


def is_loopback(host: str) -> bool:
    """Whether a host, without port, can only be this machine: "localhost", or a loopback address."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
