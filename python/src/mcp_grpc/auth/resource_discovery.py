# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""How a client finds out what to ask tokens for (SPEC.md §14.7)."""

from __future__ import annotations

import urllib.parse
from typing import Any

import grpc

from mcp_grpc._gen.mcp.v1 import auth_pb2
from mcp_grpc.auth.channel import ClientTLS, Target, channel
from mcp_grpc.auth.discovery import GET_METADATA
from mcp_grpc.auth.url import resource_url

_SECONDS = 30.0


async def resource_of(target: str, *, issuer: str, tls: ClientTLS | None = None, timeout: float = _SECONDS) -> str:
    """The resource identifier of a server, which :class:`ClientCredentials` asks tokens for.

    It is that of ``AuthDiscovery/GetMetadata``, and has to be the URL of the server, or one above it. No
    credential is sent.

    Args:
        target: The server, as :func:`channel` takes it, but no Unix socket: that has no URL.
        issuer: The authorization server that the client has credentials of. What a server says does not lead
            them elsewhere.
        tls: See :func:`channel`.
        timeout: Seconds.

    Raises:
        ValueError: the target is none.
        PermissionError: the metadata is for another server, or names another authorization server.
        OSError: there is no metadata now.
    """
    to = Target.of(target, tls=tls is not None)
    if to.address.startswith("unix:"):
        raise ValueError(f"target {target!r}: a Unix socket has no URL: name the resource")
    url = f"{'https' if to.secure else 'http'}://{to.address}"
    document = await _metadata(target, tls, timeout)
    if not _covers(document.resource, url):
        raise PermissionError(f"the metadata of {url} is for {document.resource[:200]!r}")
    if issuer not in document.authorization_servers:
        raise PermissionError(f"{url} takes no tokens of {issuer}")
    return document.resource


async def _metadata(target: str, tls: ClientTLS | None, timeout: float) -> auth_pb2.ProtectedResourceMetadata:
    async with channel(target, tls=tls) as c:
        get: Any = c.unary_unary(
            GET_METADATA,
            auth_pb2.GetMetadataRequest.SerializeToString,
            auth_pb2.ProtectedResourceMetadata.FromString,
        )
        try:
            document: auth_pb2.ProtectedResourceMetadata = await get(auth_pb2.GetMetadataRequest(), timeout=timeout)
        except grpc.aio.AioRpcError as e:
            missing = e.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNIMPLEMENTED)
            raise (PermissionError if missing else OSError)(f"{target} gives no metadata: {e.code().name}") from None
    return document


def _covers(resource: str, url: str) -> bool:
    """Whether a resource is a URL without path, or above it."""
    try:
        found = resource_url(resource)
    except ValueError:
        return False
    return found.path == "" and _origin(found) == _origin(urllib.parse.urlsplit(url))


def _origin(url: urllib.parse.SplitResult) -> tuple[str, str | None, int]:
    return url.scheme, url.hostname, url.port or (443 if url.scheme == "https" else 80)
