# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""A guarded gRPC server for tests, with every shape of RPC, and what a call to it gave."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from mcp_grpc.auth import Call, Guard, Principal, current_principal
from mcp_grpc.auth.principal import CLOCK_SKEW

PATIENCE = 30.0
"""Seconds that bound every wait of the tests."""


@dataclass
class Served:
    """A server that runs: where, and what its handlers saw."""

    address: str
    seen: list[str] = field(default_factory=list)
    metadata: list[tuple[str, Any]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    """Why handlers of streams ended."""


class Ending:
    """Lets everybody in, for some seconds from each call on."""

    scheme = ""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def authenticate(self, call: Call) -> Principal | None:
        expires = time.time() - CLOCK_SKEW + self._seconds
        return Principal("ann", "jwt", issuer="https://as.example", scopes=("mcp", "read"), expires=expires)


def who() -> str:
    principal = current_principal()
    return "nobody" if principal is None else f"{principal.id} by {principal.method}"


@contextlib.asynccontextmanager
async def serving(
    guard: Guard | None,
    address: str = "127.0.0.1:0",
    credentials: grpc.ServerCredentials | None = None,
    extra: Callable[[bytes, Any], Awaitable[bytes]] | None = None,
    first: Sequence[grpc.aio.ServerInterceptor] = (),
) -> AsyncIterator[Served]:
    """Serves ``test.Echo``, ``extra`` as ``test.Extra/Unary``, and ``mcp.v1.AuthDiscovery`` behind ``guard``."""
    served = Served(address)

    async def unary(request: bytes, context: Any) -> bytes:
        served.seen.append(who())
        served.metadata += context.invocation_metadata()
        return b"%s %s" % (request, await asyncio.create_task(_who()))

    async def unary_stream(request: bytes, context: Any) -> AsyncIterator[bytes]:
        served.seen.append(who())
        try:
            yield b"first " + who().encode()
            if request == b"forever":
                await asyncio.Event().wait()
            yield request
        except asyncio.CancelledError:
            served.ended.append("cancelled")
            raise

    async def stream_unary(requests: AsyncIterator[bytes], context: Any) -> bytes:
        served.seen.append(who())
        return b",".join([r async for r in requests])

    async def stream_stream(_: object, context: Any) -> None:
        served.seen.append(who())
        while (request := await context.read()) is not grpc.aio.EOF:
            await context.write(request)

    handlers: dict[str, Any] = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "UnaryStream": grpc.unary_stream_rpc_method_handler(unary_stream),
        "StreamUnary": grpc.stream_unary_rpc_method_handler(stream_unary),
        "StreamStream": grpc.stream_stream_rpc_method_handler(stream_stream),
    }
    interceptors = [*first] if guard is None else [*first, guard.interceptor()]
    options = [("grpc.max_metadata_size", 32768), ("grpc.absolute_max_metadata_size", 32768)]
    server = grpc.aio.server(interceptors=interceptors, options=options)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", handlers),))
    if extra is not None:
        more = {"Unary": grpc.unary_unary_rpc_method_handler(extra)}  # type: ignore[var-annotated]
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Extra", more),))
    if guard is not None:
        guard.add_to_server(server)
    port = server.add_insecure_port(address) if credentials is None else server.add_secure_port(address, credentials)
    served.address = address if address.startswith("unix:") else f"127.0.0.1:{port}"
    await server.start()
    try:
        yield served
    finally:
        await server.stop(None)


async def _who() -> bytes:
    return who().encode()


@dataclass(frozen=True)
class Outcome:
    """What a refused call gave; ``code`` is OK for one that was not."""

    code: grpc.StatusCode
    message: str = ""
    challenges: tuple[str, ...] = ()
    """Values of www-authenticate in the response headers."""
    trailed: tuple[str, ...] = ()
    """The same in the trailers, where there must be none."""
    info: error_details_pb2.ErrorInfo | None = None
    headers: tuple[tuple[str, Any], ...] = ()
    body: bytes = b""

    @property
    def texts(self) -> str:
        return f"{self.message} {self.headers} {self.info}"


def rpc(channel: Any, shape: str, method: str = "") -> Any:
    """What calls an RPC: of ``test.Echo``, or another one of the same shape."""
    kinds = {"Unary": "unary_unary", "UnaryStream": "unary_stream", "StreamUnary": "stream_unary"}
    return getattr(channel, kinds.get(shape, "stream_stream"))(method or f"/test.Echo/{shape}")


async def call(
    channel: grpc.aio.Channel, metadata: Sequence[tuple[str, Any]] = (), method: str = "/test.Echo/Unary"
) -> Outcome:
    """Makes a unary call."""
    try:
        body = await rpc(channel, "Unary", method)(b"hi", metadata=tuple(metadata), timeout=PATIENCE)
    except grpc.aio.AioRpcError as e:
        return outcome(e)
    return Outcome(grpc.StatusCode.OK, body=body)


async def stream_outcome(start: Callable[[], Any]) -> Outcome:
    """What a stream gives: its first message, or why it was refused.

    grpc.aio now and then gives the error of a stream without the headers that came before it, whoever serves. Then it
    is asked again, some times.
    """
    got = Outcome(grpc.StatusCode.OK)
    for _ in range(50):
        stream = start()
        try:
            await stream.initial_metadata()
            await stream.read()
        except grpc.aio.AioRpcError as e:
            got = outcome(e)
            if not got.headers:
                continue
        stream.cancel()
        break
    return got


def outcome(error: grpc.aio.AioRpcError) -> Outcome:
    headers = tuple(error.initial_metadata())
    trailers = tuple(error.trailing_metadata())
    status, found = status_pb2.Status(), None
    for name, value in trailers:
        if name == "grpc-status-details-bin":
            status.ParseFromString(value)
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            found = info
    return Outcome(
        error.code(),
        error.details() or "",
        tuple(str(v) for k, v in headers if k == "www-authenticate"),
        tuple(str(v) for k, v in trailers if k == "www-authenticate"),
        found,
        headers,
    )


async def until(condition: Callable[[], bool]) -> None:
    """Waits for what happens soon.

    Raises:
        AssertionError: it does not happen.
    """
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)
