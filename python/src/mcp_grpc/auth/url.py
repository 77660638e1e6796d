# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""URLs that credentials depend on."""

from __future__ import annotations

import posixpath
import urllib.parse

from mcp_grpc.auth.call import is_loopback


def secure_url(text: str, *, query: bool = False) -> urllib.parse.SplitResult:
    """Checks a URL that credentials depend on: https, or http on this machine.

    Args:
        text: The URL.
        query: Whether it may have a query.

    Raises:
        ValueError: it is not; the error says what to write instead.
    """
    if any(c in '"\\| \t\r\n' for c in text):
        raise ValueError("leave out quotes, backslashes, bars and spaces")
    try:
        url = urllib.parse.urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        raise ValueError("this is no URL: write one like https://mcp.example.com") from None
    if url.scheme != "https" and (url.scheme != "http" or not is_loopback(host or "")):
        raise ValueError("write an https URL: only loopback hosts may have http")
    if not host:
        raise ValueError("write a URL with a host")
    if "@" in url.netloc:
        raise ValueError("leave out user and password")
    if ("?" in text and not query) or "#" in text:
        raise ValueError("leave out query and fragment")
    if url.netloc != url.netloc.lower():
        raise ValueError("write the host in lower case: identifiers are compared byte for byte")
    return url


def resource_url(text: str) -> urllib.parse.SplitResult:
    """Checks a resource identifier (SPEC.md §14.1).

    Raises:
        ValueError: it is none; the error says what to write instead.
    """
    url = secure_url(text)
    if url.path == "/":
        return url._replace(path="")  # goes away in front of the well-known path (RFC 9728 §3.1)
    if url.path.endswith("/"):
        raise ValueError("leave out the slash at the end: identifiers are compared byte for byte")
    if url.path.startswith("//") or (url.path and posixpath.normpath(url.path) != url.path):
        raise ValueError('write the path without empty, "." and ".." segments')
    return url


def server_metadata_urls(issuer: str) -> list[str]:
    """Where the metadata of an issuer may be, in the order of MCP 2026-07-28."""
    url = urllib.parse.urlsplit(issuer)
    base, path = f"{url.scheme}://{url.netloc}", url.path.removesuffix("/")
    found = [
        f"{base}/.well-known/oauth-authorization-server{path}",
        f"{base}/.well-known/openid-configuration{path}",
    ]
    if path:
        found.append(f"{base}{path}/.well-known/openid-configuration")
    return found
