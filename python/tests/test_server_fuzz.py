# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Streams of random messages: whatever a client says, its stream ends, and nobody else notices (SPEC.md §11.4)."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import grpc
from random_requests import Requests
from serving import INITIALIZE, SECONDS, Served, serving

from mcp_grpc._gen.mcp.v1.envelope_pb2 import CallFrame, CancelFrame, Envelope, Hello
from mcp_grpc._gen.mcp.v1.tool_pb2 import CallToolRequest
from mcp_grpc.codec import envelope_from_value

STREAMS = 150


class Messages:
    """Gives random messages of a stream."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._requests = Requests(seed)

    def stream(self) -> list[bytes]:
        """All messages of one stream."""
        first = (
            [Envelope(hello=Hello(frames=True, batch=True)).SerializeToString()] if self._random.random() < 0.7 else []
        )
        return first + [self._message() for _ in range(self._random.randrange(12))]

    def _message(self) -> bytes:
        if self._random.random() < 0.03:
            return self._random.randbytes(20)
        envelope = self._envelope()
        for _ in range(self._random.choice([0, 0, 0, 1, 3])):
            envelope.batch.add().CopyFrom(self._envelope())
        return envelope.SerializeToString()

    def _envelope(self) -> Envelope:
        kind = self._random.randrange(10)
        if kind < 3:
            tool = CallToolRequest(name=self._random.choice(["greet", "hold", "error_plain", "test_elicitation"]))
            frame = CallFrame(call_id=self._random.randrange(4), call_tool=tool, stream=self._random.random() < 0.5)
            return Envelope(call=frame)
        if kind == 3:
            return Envelope(cancel=CancelFrame(call_id=self._random.randrange(4)))
        if kind == 4:
            params = {"requestId": self._random.choice(["1", 1, -5, "nobody"])}
            return envelope_from_value({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})
        if kind == 5:
            message: dict[str, Any] = {"jsonrpc": "2.0", "id": "init", "method": "initialize", "params": INITIALIZE}
            return envelope_from_value(message)
        while True:
            request = self._requests.next()
            if request.form == "connect" and len(request.messages) == 1:
                try:
                    return Envelope.FromString(request.messages[0])
                except Exception:
                    continue


async def test_no_stream_hangs_or_hurts_another() -> None:
    messages = Messages(20260728)
    async with serving() as served:
        statuses = set()
        for _ in range(STREAMS):
            statuses.add(await run(served, messages.stream()))
            served.subject.released.clear()
        assert grpc.StatusCode.OK in statuses
        assert statuses <= {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}
        answer = await served.request("tools/call", {"name": "greet", "arguments": {"name": "Ann"}})
        assert answer["result"]["content"][0]["text"] == "Hi Ann"
        assert not served.server._service.sessions._sessions


async def run(served: Served, stream: list[bytes]) -> grpc.StatusCode:
    """Say all of it, let held tools go, and give how the stream ends."""
    call: Any = served.channel.stream_stream("/mcp.v1.MCP/Connect")()
    async with asyncio.timeout(SECONDS):
        try:
            for message in stream:
                await call.write(message)
            await call.done_writing()
        except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
            pass  # it has ended already
        served.subject.released.set()
        try:
            while (raw := await call.read()) is not grpc.aio.EOF:
                Envelope.FromString(raw)
        except grpc.aio.AioRpcError:
            pass
        code: grpc.StatusCode = await call.code()
    return grpc.StatusCode.INVALID_ARGUMENT if code is grpc.StatusCode.INTERNAL else code  # of a write too late
