# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Asks ``server.py`` who it is, with credentials of one kind.

python examples/client.py --auth bearer --bearer-token dev-token
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from mcp.types import TextContent

from mcp_grpc.auth import APIKey, BearerToken, ClientAuth, ClientCredentials, ClientTLS, resource_of
from mcp_grpc.client import CallError, Client


def parse(args: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="client.py", description="Prints who the server says that we are.")
    add = parser.add_argument
    add("--addr", default="127.0.0.1:8080", help="address or URL of the server, or unix:PATH")
    add("--auth", default="none", choices=["none", "bearer", "apikey", "mtls", "unix", "oidc"], help="what to show")
    add("--bearer-token", default="dev-token", help="with --auth bearer: the token")
    add("--api-key", default="", help="with --auth apikey: the key")
    add("--certs", default="certs", help="with --auth mtls: folder of the certificates that the server has made")
    add("--issuer", default="", help="with --auth oidc: where to get tokens")
    add("--client-id", default="", help="with --auth oidc: the client")
    add("--client-secret", default="", help="with --auth oidc: its secret")
    add("--resource", default="", help="with --auth oidc: URL of the server that tokens are for; if empty, it is asked")
    return parser.parse_args(args)


async def credentials(f: argparse.Namespace) -> ClientAuth | None:
    """What calls show."""
    match f.auth:
        case "bearer":
            return BearerToken(f.bearer_token)
        case "apikey":
            return APIKey(f.api_key)
        case "oidc":
            resource = f.resource or await resource_of(f.addr, issuer=f.issuer)
            return ClientCredentials(f.issuer, f.client_id, f.client_secret, resource=resource)
    return None  # certificates and Unix sockets are of the connection


def tls(f: argparse.Namespace) -> ClientTLS | None:
    """Shows our certificate to a server that has one of the same CA."""
    if f.auth != "mtls":
        return None
    return ClientTLS(f"{f.certs}/ca.pem", f"{f.certs}/client.pem", f"{f.certs}/client-key.pem")


async def main(args: list[str]) -> None:
    """Prints who the server says that we are."""
    f = parse(args)
    async with Client(f.addr, auth=await credentials(f), tls=tls(f), timeout=30) as client:
        result = await client.call_tool("whoami")
    for content in result.content:
        if isinstance(content, TextContent):
            print(content.text)


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1:]))
    except CallError as e:
        sys.exit(f"client: {e.status.name}: {e}")
    except (OSError, ValueError) as e:
        sys.exit(f"client: {e}")
