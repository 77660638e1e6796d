# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""A server in this process, and what tests say to it without any client of ours."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import mcp.types as types
from everything import Context, Everything, Result, text

from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope, Hello
from mcp_grpc._gen.mcp.v1.mcp_pb2_grpc import MCPStub
from mcp_grpc.codec import RpcFailure, envelope_from_value, envelope_to_value, failure_of
from mcp_grpc.server import Server

MODERN = "2026-07-28"
LEGACY = "2025-11-25"
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
INITIALIZE = {
    "protocolVersion": LEGACY,
    "capabilities": {"elicitation": {}, "sampling": {}, "roots": {}},
    "clientInfo": {"name": "test", "version": "1"},
}
SECONDS = 30.0


class Subject(Everything):
    """The server of the tests, some of whose tools tell the test what becomes of them."""

    def __init__(self) -> None:
        super().__init__()
        self.held = 0
        self.released = asyncio.Event()
        self.cancelled = 0
        self.changed = asyncio.Event()
        self.add_tool("hold", self._hold)
        self.add_tool("stubborn", self._stubborn)
        self.add_tool("flood", flood)
        self.add_tool("notify", notify)

    async def _hold(self, ctx: Context, params: types.CallToolRequestParams) -> Result:
        self.held += 1
        self.changed.set()
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            self.changed.set()
            raise
        return text("released")

    async def _stubborn(self, ctx: Context, params: types.CallToolRequestParams) -> Result:
        """Heeds no cancellation, and answers all the same."""
        self.held += 1
        self.changed.set()
        while not self.released.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await self.released.wait()
        return text("too late")

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so, which a tool has changed."""
        async with asyncio.timeout(SECONDS):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


async def flood(ctx: Context, params: types.CallToolRequestParams) -> Result:
    count, size = (params.arguments or {})["count"], (params.arguments or {}).get("size", 1)
    for step in range(count):
        await ctx.session.report_progress(step, count, "x" * size)
    return text("flooded")


async def notify(ctx: Context, params: types.CallToolRequestParams) -> Result:
    for _ in range((params.arguments or {})["count"]):
        await ctx.session.send_tool_list_changed()
    return text("notified")


class Served:
    """A server that runs, and a channel to it."""

    def __init__(self, subject: Subject, server: Server, channel: grpc.aio.Channel) -> None:
        self.subject = subject
        self.server = server
        self.channel = channel
        self.stub: Any = MCPStub(channel)  # type: ignore[no-untyped-call]

    async def open(self, version: str = LEGACY) -> tuple[tuple[str, str], ...]:
        """Open a session, and give the metadata that names it."""
        from mcp_grpc._gen.mcp.v1.session_pb2 import InitializeRequest
        from mcp_grpc.codec import from_value

        response = await self.stub.Initialize(
            from_value({**INITIALIZE, "protocolVersion": version}, InitializeRequest), timeout=SECONDS
        )
        return (("mcp-session-id", response.session_id),)

    async def send(
        self, message: dict[str, Any] | Envelope, metadata: tuple[tuple[str, str], ...] = ()
    ) -> list[dict[str, Any]]:
        """``Send`` a message, and give all that comes back."""
        envelope = message if isinstance(message, Envelope) else envelope_from_value(message)
        call = self.stub.Send(envelope, metadata=metadata, timeout=SECONDS)
        return [envelope_to_value(answer) async for answer in call]

    async def request(
        self, method: str, params: Any = None, metadata: tuple[tuple[str, str], ...] = ()
    ) -> dict[str, Any]:
        """``Send`` a request, and give its response."""
        message = {"jsonrpc": "2.0", "id": 1, "method": method} | ({} if params is None else {"params": params})
        return (await self.send(message, metadata))[-1]


@contextlib.asynccontextmanager
async def serving(subject: Subject | None = None, **options: Any) -> AsyncIterator[Served]:
    """A server, until the block ends; then nothing of it is left."""
    subject = subject or Subject()
    before = asyncio.all_tasks()
    async with Server(subject.server, "127.0.0.1:0", **options) as server:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            yield Served(subject, server, channel)
        subject.released.set()
        await server.stop(SECONDS)
    left = {task for task in asyncio.all_tasks() - before if not _of_grpc(task)}
    if left:
        _, left = await asyncio.wait(left, timeout=SECONDS)
    assert not left, "tasks are left behind"


def _of_grpc(task: asyncio.Task[Any]) -> bool:
    """Whether it is a task of grpc.aio, whose client leaves some behind for calls that it could not write to."""
    return "cygrpc" in repr(task)


class Talk:
    """A ``Connect`` stream, spoken by hand."""

    def __init__(self, served: Served, metadata: tuple[tuple[str, str], ...] = ()) -> None:
        self.call: Any = served.stub.Connect(metadata=metadata)
        self._ids = 0

    async def write(self, message: dict[str, Any] | Envelope) -> None:
        """Send a message."""
        await self.call.write(message if isinstance(message, Envelope) else envelope_from_value(message))

    async def read(self) -> Envelope:
        """The next message."""
        async with asyncio.timeout(SECONDS):
            message = await self.call.read()
        assert message is not grpc.aio.EOF, "the stream has ended"
        assert isinstance(message, Envelope)
        return message

    async def value(self) -> Any:
        """The next message as JSON."""
        return envelope_to_value(await self.read())

    async def ask(self, method: str, params: Any = None, key: str | int = 1) -> None:
        """Send a request."""
        await self.write(
            {"jsonrpc": "2.0", "id": key, "method": method} | ({} if params is None else {"params": params})
        )

    async def tell(self, method: str, params: Any = None) -> None:
        """Send a notification."""
        await self.write({"jsonrpc": "2.0", "method": method} | ({} if params is None else {"params": params}))

    async def initialize(self) -> dict[str, Any]:
        """Open a session on the stream."""
        await self.ask("initialize", INITIALIZE, "init")
        answer: dict[str, Any] = await self.value()
        await self.tell("notifications/initialized")
        return answer

    async def hello(self, *, frames: bool = True, batch: bool = False) -> Hello:
        """Greet, and give the server's greeting."""
        await self.write(Envelope(hello=Hello(frames=frames, batch=batch)))
        return (await self.read()).hello

    async def end(self) -> list[Envelope]:
        """Say no more, and give what still comes."""
        await self.call.done_writing()
        rest = []
        async with asyncio.timeout(SECONDS):
            while (message := await self.call.read()) is not grpc.aio.EOF:
                rest.append(message)
        return rest

    async def failure(self) -> RpcFailure:
        """What the stream ends with, after whatever still comes."""
        async with asyncio.timeout(SECONDS):
            return await failing(self._drain())

    async def _drain(self) -> None:
        while await self.call.read() is not grpc.aio.EOF:
            pass


async def failing(work: Awaitable[Any]) -> RpcFailure:
    """What an RPC fails with, which must fail."""
    try:
        got = await work
    except grpc.aio.AioRpcError as error:
        return failure_of(error)
    raise AssertionError(f"it did not fail but gave {str(got)[:300]}")
