# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""An MCP server that lets in who has credentials of one kind.

    python examples/server.py --auth bearer --bearer-token dev-token

``client.py`` is who calls it.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

import grpc
from certificates import CLIENT_ID, TRUST_DOMAIN, make_certificates
from mcp.server import MCPServer

from mcp_grpc.auth import (
    APIKeys,
    Bearer,
    Certificates,
    Grant,
    Guard,
    Issuer,
    JWTVerifier,
    Policy,
    ResourceMetadata,
    Rule,
    StaticTokens,
    UnixPeers,
    current_principal,
    new_api_key,
    record_api_key,
    server_credentials,
)
from mcp_grpc.server import Server


def parse(args: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="server.py", description="An MCP server that tells its callers who they are.")
    add = parser.add_argument
    add("--addr", default="127.0.0.1:8080", help="address to listen on, or unix:PATH; port 0 picks a free one")
    add("--auth", default="none", choices=["none", "bearer", "apikey", "mtls", "unix", "oidc"], help="whom to let in")
    add("--bearer-token", default="dev-token", help="with --auth bearer: the token")
    add("--api-key", default="", help="with --auth apikey: the key; if empty, one is drawn and printed")
    add("--certs", default="certs", help="with --auth mtls: folder of the certificates, made if they are not there")
    add("--issuer", default="", help="with --auth oidc: issuer of the tokens")
    add("--algorithm", default="RS256", help="with --auth oidc: signature algorithm of the tokens")
    add("--resource", default="", help="with --auth oidc: URL of this server that tokens are for")
    add("--scopes", default="", help="with --auth oidc: scopes that callers need, separated by spaces")
    f = parser.parse_args(args)
    if (f.auth == "unix") != f.addr.startswith("unix:"):
        parser.error("--auth unix and --addr unix:PATH go together")
    if f.auth == "oidc" and not (f.issuer and f.resource):
        parser.error("--auth oidc needs --issuer and --resource")
    return f


def guard(f: argparse.Namespace) -> Guard | None:
    """Says whom to let in."""
    match f.auth:
        case "bearer":
            return Guard([Bearer(StaticTokens({f.bearer_token: Grant("developer")}))])
        case "apikey":
            if f.api_key:
                return Guard([APIKeys([record_api_key(f.api_key, "key holder")])])
            key, record = new_api_key("dev", "key holder")  # of which the server keeps a hash
            print("API key:", key, flush=True)
            return Guard([APIKeys([record])])
        case "mtls":
            return Guard([Certificates({CLIENT_ID: Grant("client")}, trust_domain=TRUST_DOMAIN)])
        case "unix":
            return Guard([UnixPeers()])  # whoever runs this server
        case "oidc":
            issuer = Issuer(f.issuer, algorithms=[f.algorithm])
            scopes = f.scopes.split()
            return Guard(
                [Bearer(JWTVerifier([issuer], resource=f.resource))],
                metadata=ResourceMetadata(f.resource, authorization_servers=[f.issuer], scopes_supported=scopes),
                policy=Policy(baseline=scopes, default=Rule()),
            )
    return None


def credentials(f: argparse.Namespace) -> grpc.ServerCredentials | None:
    """The server's side of TLS."""
    if f.auth != "mtls":
        return None
    make_certificates(f.certs)
    return server_credentials(f"{f.certs}/server.pem", f"{f.certs}/server-key.pem", client_ca=f"{f.certs}/ca.pem")


mcp_server = MCPServer("mcpconnect-example")


@mcp_server.tool()
async def whoami() -> str:
    """Tells who you are."""
    caller = current_principal()
    return f"{caller.subject}, by {caller.method}" if caller else "nobody knows"


async def main(args: list[str]) -> None:
    """Serves until it is told to stop. It prints where."""
    f = parse(args)
    stopping = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stopping.set)
    async with Server(mcp_server, f.addr, auth=guard(f), credentials=credentials(f)) as server:
        host, _, _ = f.addr.rpartition(":")
        scheme = "https" if f.auth == "mtls" else "http"
        print("serving", f.addr if f.addr.startswith("unix:") else f"{scheme}://{host}:{server.port}", flush=True)
        await stopping.wait()


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1:]))
    except (OSError, ValueError) as e:
        sys.exit(f"server: {e}")
