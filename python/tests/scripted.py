# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""A gRPC server that does what a test says, for what a good server never does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc

from mcp_grpc._gen.mcp.v1.content_pb2 import Content, TextContent
from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope, Hello
from mcp_grpc._gen.mcp.v1.session_pb2 import DiscoverRequest, DiscoverResponse, PingRequest, PingResponse
from mcp_grpc._gen.mcp.v1.tool_pb2 import CallToolRequest, CallToolResult, InvokeToolResponse
from mcp_grpc.codec import RpcFailure, frame_error

Connect = Callable[["Stream"], Awaitable[None]]


class Stream:
    """The server's side of a Connect stream."""

    def __init__(self, context: Any) -> None:
        self.context = context
        self._read: list[Envelope] = []

    @property
    def metadata(self) -> dict[str, str]:
        """What the client sent."""
        return dict(self.context.invocation_metadata())

    async def read(self) -> Envelope | None:
        """Gives the next envelope, of batches too; None at the end."""
        if not self._read:
            message = await self.context.read()
            if message is grpc.aio.EOF:
                return None
            batch = list(message.batch)
            del message.batch[:]
            self._read = ([message] if message.WhichOneof("kind") else []) + batch
        return self._read.pop(0)

    async def write(self, envelope: Envelope | bytes) -> None:
        """Sends an envelope, or bytes that are none."""
        await self.context.write(envelope)

    async def hello(self, max_calls: int = 8) -> None:
        """Says hello as the server's first envelope."""
        first = await self.read()
        assert first is not None
        assert first.hello.frames
        await self.write(Envelope(hello=Hello(frames=True, batch=True, max_calls=max_calls, gzip=True)))

    async def answer(self, call: Envelope, **reply: Any) -> None:
        """Answers a frame."""
        envelope = Envelope()
        envelope.reply.call_id = call.call.call_id
        for name, value in reply.items():
            if isinstance(value, bytes):
                setattr(envelope.reply, name, value)
            else:
                getattr(envelope.reply, name).CopyFrom(value)
        await self.write(envelope)

    async def fail(self, failure: RpcFailure, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Ends the RPC."""
        if headers:
            await self.context.send_initial_metadata(headers)
        await self.context.abort(failure.status, failure.message, failure.trailers())

    async def drain(self) -> None:
        """Ends the RPC as a server that drains (SPEC.md §10.4)."""
        await self.fail(RpcFailure.of(-32603, "going", {"drained": True}, grpc.StatusCode.UNAVAILABLE))


def refusing(failure: RpcFailure) -> tuple[Connect, list[Envelope]]:
    """Makes a server that refuses each call of a stream, and gives the calls that have come beside it."""
    calls: list[Envelope] = []

    async def connect(stream: Stream) -> None:
        await stream.hello()
        while (call := await stream.read()) is not None:
            calls.append(call)
            await stream.answer(call, error=frame_error(failure))

    return connect, calls


def encoded(message: Any) -> bytes:
    """Encodes messages, and leaves bytes as they are."""
    return message if isinstance(message, bytes) else bytes(message.SerializeToString())


@asynccontextmanager
async def scripted(
    connect: Connect | None,
    ping: Callable[[PingRequest, Any], Awaitable[PingResponse | bytes]] | None = None,
    invoke: Callable[[CallToolRequest, Any], Awaitable[InvokeToolResponse]] | None = None,
) -> AsyncIterator[str]:
    """Serves RPCs by functions, and gives the address. An RPC without function is not there."""
    handlers: dict[str, Any] = {}
    if connect is not None:

        async def handle(_: Any, context: Any) -> None:
            await connect(Stream(context))

        handlers["Connect"] = grpc.stream_stream_rpc_method_handler(handle, Envelope.FromString, encoded)
    if ping is not None:
        handlers["Ping"] = grpc.unary_unary_rpc_method_handler(ping, PingRequest.FromString, encoded)
    if invoke is not None:
        handlers["InvokeTool"] = grpc.unary_unary_rpc_method_handler(
            invoke, CallToolRequest.FromString, InvokeToolResponse.SerializeToString
        )

        async def discover(_: DiscoverRequest, __: Any) -> DiscoverResponse:
            return DiscoverResponse()

        handlers["Discover"] = grpc.unary_unary_rpc_method_handler(
            discover, DiscoverRequest.FromString, DiscoverResponse.SerializeToString
        )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("mcp.v1.MCP", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


def said(words: str) -> InvokeToolResponse:
    content = [Content(text=TextContent(text=words))]
    return InvokeToolResponse(result=CallToolResult(content=content, result_type="complete"))


async def serve_calls(stream: Stream) -> None:
    """Answers each call with its own name."""
    while (call := await stream.read()) is not None:
        if call.HasField("call"):
            await stream.answer(call, call_tool=said(call.call.call_tool.name))


def words_of(result: Any) -> str:
    return str(result.content[0].text)
