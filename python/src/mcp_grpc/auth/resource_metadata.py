# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Who a server is to authorization servers, and where callers get tokens (RFC 9728, SPEC.md §14.1)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import struct_pb2

from mcp_grpc._gen.mcp.v1 import auth_pb2
from mcp_grpc.auth.challenge import Challenge
from mcp_grpc.auth.scope import check_scopes
from mcp_grpc.auth.url import resource_url, secure_url

WELL_KNOWN = "/.well-known/oauth-protected-resource"


class ResourceMetadata:
    """The protected resource metadata of a server. It is fixed when it is made; nothing in a request changes it.

    Args:
        resource: The https URL under which clients reach the server, with nothing behind it; http for
            loopback hosts. It is the audience of its tokens.
        authorization_servers: Issuers of tokens for it.
        scopes_supported: Scopes that a client may ask for; without ``offline_access``.
        members: Other members of the document, by their JSON names.

    Raises:
        ValueError: the document would lead clients astray; the error says what to write instead.
    """

    def __init__(
        self,
        resource: str,
        *,
        authorization_servers: Sequence[str] = (),
        scopes_supported: Sequence[str] = (),
        members: Mapping[str, Any] | None = None,
    ) -> None:
        try:
            url = resource_url(resource)
        except ValueError as e:
            raise ValueError(f"resource {resource!r}: {e}") from None
        for issuer in authorization_servers:
            try:
                secure_url(issuer)
            except ValueError as e:
                raise ValueError(f"authorization server {issuer!r}: {e}") from None
        check_scopes(scopes_supported, "scopes_supported")
        if "offline_access" in scopes_supported:
            raise ValueError("scopes_supported: leave out offline_access: clients ask the authorization server for it")
        others = dict(members or {})
        if others.pop("bearer_methods_supported", ["header"]) != ["header"]:
            raise ValueError('bearer_methods_supported: write ["header"] or nothing: tokens are read from the header')
        if taken := others.keys() & {"resource", "authorization_servers", "scopes_supported"}:
            raise ValueError(f"members: {sorted(taken)} are arguments of their own")
        self._document: dict[str, Any] = {"resource": resource}
        if authorization_servers:
            self._document["authorization_servers"] = list(authorization_servers)
        if scopes_supported:
            self._document["scopes_supported"] = list(scopes_supported)
        self._document |= {"bearer_methods_supported": ["header"], **others}
        self._url = f"{url.scheme}://{url.netloc}{WELL_KNOWN}{url.path}"
        self._paths = (WELL_KNOWN, WELL_KNOWN + url.path) if url.path else (WELL_KNOWN,)
        self._message = _message(self._document)

    @property
    def resource(self) -> str:
        """The resource identifier, which the audience of tokens has to be (RFC 8707)."""
        return str(self._document["resource"])

    @property
    def url(self) -> str:
        """Where clients find the document: the well-known path goes between host and path (RFC 9728 §3.1)."""
        return self._url

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths at the root of the host that an HTTP server has to serve :meth:`json` at.

        gRPC itself serves no GET: what stands in front of this server, or beside it, has to.
        """
        return self._paths

    def json(self) -> str:
        """The document, to be served as ``application/json`` to anybody."""
        return json.dumps(self._document, separators=(",", ":"), ensure_ascii=False)

    def message(self) -> auth_pb2.ProtectedResourceMetadata:
        """The document as ``AuthDiscovery/GetMetadata`` gives it (SPEC.md §5.5.12)."""
        return self._message

    def challenge(self, error: str, scopes: Sequence[str]) -> Challenge:
        """The challenge that points to this document."""
        return Challenge(error, tuple(scopes), self._url)


def _message(document: Mapping[str, Any]) -> auth_pb2.ProtectedResourceMetadata:
    message, extra = auth_pb2.ProtectedResourceMetadata(), struct_pb2.Struct()
    fields = auth_pb2.ProtectedResourceMetadata.DESCRIPTOR.fields_by_name
    for name, value in document.items():
        try:
            if name not in fields or name == "extra":
                extra.update({name: value})
            elif isinstance(value, list):
                getattr(message, name).extend(value)
            else:
                setattr(message, name, value)
        except (TypeError, ValueError, AttributeError):
            raise ValueError(f"members: {name!r} has a value of the wrong type") from None
    if extra.fields:
        message.extra.CopyFrom(extra)
    return message
