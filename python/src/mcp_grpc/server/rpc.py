# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""The RPCs of ``mcp.v1.MCP`` as ``grpc.aio`` calls them: SPEC.md §3."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message

from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope
from mcp_grpc._gen.mcp.v1.session_pb2 import ShutdownRequest
from mcp_grpc._gen.mcp.v1.tool_pb2 import CallToolEvent
from mcp_grpc.auth import step_up
from mcp_grpc.codec import METHODS_BY_RPC, Method, RpcFailure
from mcp_grpc.codec.metadata import SESSION_ID
from mcp_grpc.server.exchange import Exchange
from mcp_grpc.server.failure import draining, exhausted, failure_from, undecodable, within
from mcp_grpc.server.header import Headers
from mcp_grpc.server.initialize import initialize_rpc, shutdown_rpc
from mcp_grpc.server.listen import listen_rpc, subscribe_rpc
from mcp_grpc.server.ping import ping
from mcp_grpc.server.send import send_rpc
from mcp_grpc.server.service import Service
from mcp_grpc.server.stream import Stream
from mcp_grpc.server.toolcall import event_of

Context = grpc.aio.ServicerContext[Any, Any]
SERVICE = "mcp.v1.MCP"


class Rpc:
    """One RPC: its metadata, its messages, and how it ends."""

    def __init__(self, service: Service, context: Context) -> None:
        self.service = service
        self.headers = Headers(context.invocation_metadata() or ())
        self._context = context
        self._writing = asyncio.Lock()
        self._began = False
        self.task = asyncio.current_task()
        self.cut = False

    def cut_off(self) -> None:
        """End it: the server goes, and will not wait."""
        self.cut = True
        if self.task is not None:
            self.task.cancel()

    async def begin(self, *metadata: tuple[str, str | bytes]) -> None:
        """Send the response headers, unless they have been sent."""
        # grpc.aio sends them with the first message, too, and is lost for good if both happen at once.
        async with self._writing:
            if not self._began:
                self._began = True
                await self._context.send_initial_metadata(metadata)

    async def opened(self, session_id: str) -> None:
        """Tell the client the id of its new session."""
        await self.begin((SESSION_ID, session_id))

    async def read(self) -> bytes | None:
        """The next message of the client's; none at the end."""
        message = await self._context.read()
        return message if isinstance(message, bytes) else None

    async def first(self, request: type[Message]) -> Message:
        """The message of an RPC that has one, which has to come in time.

        Raises:
            RpcFailure: It does not come, or cannot be decoded.
        """
        async with within(self.service.limits.body_seconds):
            raw = await self.read()
        if raw is None:
            raise undecodable()
        try:
            return request.FromString(raw)
        except DecodeError:
            raise undecodable() from None

    async def write(self, message: Message | bytes) -> None:
        """Send one message of a stream, which may block for so long and no longer."""
        raw = message if isinstance(message, bytes) else message.SerializeToString()
        self.check_size(raw)
        async with self._writing:
            self._began = True
            try:
                async with asyncio.timeout(self.service.limits.write_seconds):
                    await self._context.write(raw)
            except TimeoutError:
                raise exhausted("the client reads too slowly") from None

    def check_size(self, raw: bytes) -> None:
        """Refuse a message over the limit of size."""
        if len(raw) > self.service.limits.message_bytes:
            raise exhausted(f"the message is larger than {self.service.limits.message_bytes} bytes")

    async def fail(self, failure: RpcFailure) -> None:
        """End the RPC with a failure."""
        headers, details = step_up(failure.code, failure.data) if failure.has_data else ((), ())
        if headers:
            await self.begin(*headers)
        failure.details += tuple(details)
        await self._context.abort(failure.status, failure.message, failure.trailers())


class Rpcs:
    """All RPCs that run, and the handlers that ``grpc.aio`` calls."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.running: set[Rpc] = set()

    def handler(self) -> grpc.GenericRpcHandler:
        """The service for ``grpc.aio``. Messages are decoded here: what cannot be is the client's fault."""
        streams = {"CallTool": _call_tool, "Listen": _listen, "SubscribeResource": _subscribe}
        unary = {"Initialize": _initialize, "Ping": _ping}
        handlers: dict[str, Any] = {
            "Connect": self._handler("Connect", _connect),
            "Send": self._stream("Send", Envelope, send_rpc),
            "Shutdown": self._unary("Shutdown", ShutdownRequest, _shutdown),
        }
        for name, method in METHODS_BY_RPC.items():
            if name in streams:
                handlers[name] = self._stream(name, method.request, streams[name])
            elif name not in handlers:
                handlers[name] = self._unary(name, method.request, unary.get(name) or _typed(method))
        return grpc.method_handlers_generic_handler(SERVICE, handlers)

    def _unary(self, name: str, request: type[Message], work: Callable[[Rpc, Any], Awaitable[Message]]) -> Any:
        async def run(rpc: Rpc) -> None:
            async with within(self._service.limits.unary_seconds):
                response = await work(rpc, await rpc.first(request))
            await rpc.write(response)

        return self._handler(name, run)

    def _stream(self, name: str, request: type[Message], work: Callable[[Rpc, Any], Awaitable[None]]) -> Any:
        async def run(rpc: Rpc) -> None:
            await work(rpc, await rpc.first(request))

        return self._handler(name, run)

    def _handler(self, name: str, work: Callable[[Rpc], Awaitable[None]]) -> Any:
        """A handler for streams: on the wire all RPCs are alike, and others are given no bound for the body."""

        async def call(_: object, context: Context) -> None:
            await self._run(name, context, work)

        return grpc.stream_stream_rpc_method_handler(call)

    async def _run(self, name: str, context: Context, work: Callable[[Rpc], Awaitable[Any]]) -> Any:
        """Run an RPC to its end, which is one of those of §11."""
        rpc = Rpc(self._service, context)
        if self._service.draining.is_set():
            await rpc.fail(draining())
        self.running.add(rpc)
        try:
            return await work(rpc)
        except asyncio.CancelledError:
            if not rpc.cut or rpc.task is None:
                raise
            rpc.task.uncancel()
            failure = draining()
        except Exception as error:
            failure = failure_from(error, METHODS_BY_RPC[name].name if name in METHODS_BY_RPC else name)
        finally:
            self.running.discard(rpc)
        await rpc.fail(failure)
        return None


def _typed(method: Method) -> Callable[[Rpc, Any], Awaitable[Message]]:
    async def work(rpc: Rpc, request: Any) -> Message:
        return await rpc.service.typed(method, request, rpc.headers, method.response)

    return work


async def _call_tool(rpc: Rpc, request: Any) -> None:
    async def tell(method: str, params: Mapping[str, Any] | None) -> None:
        event = event_of(method, params, request.meta.json_encoding)
        if event is not None:
            await rpc.write(event)

    await rpc.write(await rpc.service.typed(METHODS_BY_RPC["CallTool"], request, rpc.headers, CallToolEvent, tell))


async def _initialize(rpc: Rpc, request: Any) -> Message:
    response = await initialize_rpc(rpc.service, rpc.headers, request)
    await rpc.opened(response.session_id)
    return response


async def _ping(rpc: Rpc, request: Any) -> Message:
    return await ping(rpc.service, rpc.headers, request)


async def _shutdown(rpc: Rpc, request: Any) -> Message:
    return await shutdown_rpc(rpc.service, rpc.headers)


async def _listen(rpc: Rpc, request: Any) -> None:
    await listen_rpc(rpc.service, rpc.headers, request, rpc.write)


async def _subscribe(rpc: Rpc, request: Any) -> None:
    await subscribe_rpc(rpc.service, rpc.headers, request, rpc.begin, rpc.write)


async def _connect(rpc: Rpc) -> None:
    exchange = Exchange(rpc.service, rpc.headers, single=False, opened=rpc.opened)
    session = rpc.service.sessions.named(rpc.headers)
    if session is not None:
        exchange.join(session, owned=False)
        await rpc.begin()  # the session's stream stands
    await Stream(rpc.service, exchange, rpc.read, rpc.write).serve()
