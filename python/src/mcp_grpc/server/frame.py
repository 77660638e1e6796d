# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Typed calls of a ``Connect`` stream: SPEC.md §4.6."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from mcp_types import METHOD_NOT_FOUND

from mcp_grpc._gen.mcp.v1.envelope_pb2 import CallFrame, Envelope, Hello, ReplyFrame
from mcp_grpc._gen.mcp.v1.tool_pb2 import CallToolEvent
from mcp_grpc.codec import METHODS_BY_FRAME, Method, RpcFailure, frame_error
from mcp_grpc.server.exchange import Exchange
from mcp_grpc.server.failure import failure_from, invalid_request, within
from mcp_grpc.server.ping import ping
from mcp_grpc.server.service import Service
from mcp_grpc.server.toolcall import event_of


class Frames:
    """The typed calls in flight on a stream.

    Args:
        service: What all RPCs share.
        exchange: The stream.
    """

    def __init__(self, service: Service, exchange: Exchange) -> None:
        self._service = service
        self._exchange = exchange
        self._headers = exchange.headers.without_mirror()
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._aborted: set[int] = set()
        self._framed = False
        self.greeted = False

    def greet(self, hello: Hello) -> None:
        """Note what the client reads."""
        self.greeted = True
        self._framed = hello.frames

    def refusal(self, call: CallFrame) -> RpcFailure | None:
        """Why a call may not begin."""
        if not self._framed:
            return invalid_request("typed frames need a hello first, that offers to read them")
        if call.call_id in self._calls:
            return invalid_request(f"call id {call.call_id} is in flight already")
        return None

    def begin(self, call_id: int, task: asyncio.Task[None]) -> None:
        """Note a call that runs."""
        self._calls[call_id] = task
        # Not by the task itself: one that is cancelled before it begins does nothing.
        task.add_done_callback(lambda _: self._forget(call_id))

    def _forget(self, call_id: int) -> None:
        del self._calls[call_id]
        self._aborted.discard(call_id)

    def abort(self, call_id: int) -> None:
        """Cancel a call, for which nothing more is sent then. An unknown id is ignored: the answer may have crossed."""
        task = self._calls.get(call_id)
        if task is not None:
            self._aborted.add(call_id)
            task.cancel()

    def refuse(self, call_id: int, failure: RpcFailure) -> None:
        """Answer a call with an error."""
        self._reply(ReplyFrame(call_id=call_id, error=frame_error(failure)))

    def _reply(self, reply: ReplyFrame) -> None:
        self._exchange.answer(Envelope(reply=reply))

    async def run(self, call: CallFrame) -> None:
        """Run a call to its reply."""
        try:
            async with within(self._seconds(call)):
                reply = await self._serve(call)
        except asyncio.CancelledError:
            if call.call_id not in self._aborted:
                raise
            reply = None
        except Exception as error:
            kind = call.WhichOneof("request") or ""
            method = METHODS_BY_FRAME[kind].name if kind else ""
            reply = ReplyFrame(call_id=call.call_id, error=frame_error(failure_from(error, method)))
        if reply is not None and call.call_id not in self._aborted:
            self._reply(reply)

    def _seconds(self, call: CallFrame) -> float:
        limit = self._service.limits.unary_seconds
        return min(call.timeout_ms / 1000, limit) if call.timeout_ms else limit

    async def _serve(self, call: CallFrame) -> ReplyFrame:
        kind = call.WhichOneof("request")
        if kind is None:
            raise RpcFailure.of(METHOD_NOT_FOUND, "call frame of an unknown kind, or without one")
        method, request = METHODS_BY_FRAME[kind], getattr(call, kind)
        reply = ReplyFrame(call_id=call.call_id)
        if kind == "ping":
            reply.ping.CopyFrom(await ping(self._service, self._headers, request))
        elif kind == "call_tool" and call.stream:
            reply.event.CopyFrom(await self._stream_tool(call, method))
        else:
            answer: Any = await self._service.typed(method, request, self._headers, method.response)
            getattr(reply, kind).CopyFrom(answer)
            getattr(reply, kind).SetInParent()
        return reply

    async def _stream_tool(self, call: CallFrame, method: Method) -> CallToolEvent:
        encoding = call.call_tool.meta.json_encoding

        async def tell(name: str, params: Mapping[str, Any] | None) -> None:
            event = event_of(name, params, encoding)
            if event is not None and call.call_id not in self._aborted:
                await self._exchange.put(Envelope(reply=ReplyFrame(call_id=call.call_id, event=event)))

        outcome = await self._service.typed(method, call.call_tool, self._headers, CallToolEvent, tell)
        assert isinstance(outcome, CallToolEvent)
        return outcome
