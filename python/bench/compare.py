# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""How many calls a second: the typed client on the Go server, and the SDK's Streamable HTTP on the SDK's server.

    python bench/compare.py [--seconds 3] [--in-flight 16] [--at-least 5]

Both call a tool that says hi, with the same arguments, in one run on one machine: `Client` of this package on the
multiplexed stream of the Go server, and `mcp.Client` over Streamable HTTP on an `MCPServer` behind uvicorn, both with
their defaults. The two take turns, so that what else the machine does hits both, and the best round of each counts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import mcp
from mcp.server.mcpserver import MCPServer

from mcp_grpc.client import Client, Transport

ROOT = Path(__file__).parents[2]
Call = Callable[[], Awaitable[object]]


@contextmanager
def started(*command: str) -> Iterator[str]:
    """Runs a server, which says its URL in its first line."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def go_server() -> Iterator[str]:
    """Serves the everything server of Go."""
    with tempfile.TemporaryDirectory() as folder:
        binary = str(Path(folder) / "peer")
        subprocess.run(["go", "build", "-o", binary, "./python/tests/peer"], cwd=ROOT, check=True)
        with started(binary, "serve") as url:
            yield url


def serve_sdk() -> None:
    """Serves an MCPServer over Streamable HTTP."""
    import socket

    import uvicorn

    server = MCPServer("bench", log_level="ERROR")

    @server.tool()
    def greet(name: str) -> str:
        return f"Hi {name}"

    listener = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"}), flush=True)
    config = uvicorn.Config(server.streamable_http_app(), log_level="error", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


async def rate(call: Call, in_flight: int, seconds: float) -> float:
    """Gives calls a second."""
    done = 0
    end = time.perf_counter() + seconds

    async def caller() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await call()
            done += 1

    start = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(in_flight)))
    return done / (time.perf_counter() - start)


async def measure(go: str, sdk: str, in_flight: int, seconds: float, rounds: int) -> dict[str, float]:
    """Gives the best rate of each client."""
    best: dict[str, float] = {}
    async with (
        Client(go) as stream,
        Client(go, multiplexed=False) as unary,
        mcp.Client(Transport(go), mode="2026-07-28") as enveloped,
        mcp.Client(sdk) as http,
    ):
        calls: dict[str, Call] = {
            "mcp_grpc.Client, multiplexed, on the Go server": lambda: stream.call_tool("greet", {"name": "Ada"}),
            "mcp_grpc.Client, an RPC a call, on the Go server": lambda: unary.call_tool("greet", {"name": "Ada"}),
            "mcp.Client on mcp_grpc.Transport, on the Go server": lambda: enveloped.call_tool("greet", {"name": "Ada"}),
            "mcp.Client on Streamable HTTP, on the SDK's server": lambda: http.call_tool("greet", {"name": "Ada"}),
        }
        for _ in range(rounds):
            for name, call in calls.items():
                await call()
                best[name] = max(best.get(name, 0.0), await rate(call, in_flight, seconds))
    return best


def main() -> int:
    """Prints the rates and their ratio; fails if it is too small."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3.0, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--at-least", type=float, default=5.0, help="the ratio that is asked for")
    parser.add_argument("--serve-sdk", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve_sdk:
        serve_sdk()
        return 0
    logging.disable(logging.WARNING)
    with go_server() as go, started(sys.executable, __file__, "--serve-sdk") as sdk:
        rates = asyncio.run(measure(go, sdk, args.in_flight, args.seconds, args.rounds))
    own, base = next(iter(rates.values())), list(rates.values())[-1]
    for name, value in rates.items():
        print(f"{value:8.0f} calls/s  {value / base:5.1f}x  {name}")
    print(f"ratio {own / base:.1f}, at {args.in_flight} in flight; at least {args.at_least:g} is asked for")
    return 0 if own >= args.at_least * base else 1


if __name__ == "__main__":
    sys.exit(main())
