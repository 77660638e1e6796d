# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The transport for the SDK's client, with servers that drain, refuse and say nonsense (SPEC.md §4, §10.4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import grpc
import mcp
import pytest
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage
from mcp.types.jsonrpc import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse
from scripted import Stream, scripted

from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope
from mcp_grpc.auth.challenge import Challenge
from mcp_grpc.auth.client_auth import ClientAuth
from mcp_grpc.client import Transport
from mcp_grpc.client.mux import MAX_MOVES
from mcp_grpc.codec import RpcFailure

PATIENCE = 30.0


class Wire:
    """The streams of a transport, message by message."""

    def __init__(self, read: Any, write: Any) -> None:
        self._read, self._write = read, write

    async def say(self, message: Any) -> None:
        await self._write.send(SessionMessage(message))

    async def request(self, request_id: int | str, method: str = "tools/list", **params: Any) -> None:
        await self.say(JSONRPCRequest(jsonrpc="2.0", id=request_id, method=method, params=params or None))

    async def hear(self) -> Any:
        item = await asyncio.wait_for(self._read.receive(), PATIENCE)
        return item if isinstance(item, Exception) else item.message


@asynccontextmanager
async def wired(target: str, **options: Any) -> AsyncIterator[Wire]:
    async with Transport(target, **options) as (read, write), read, write:
        yield Wire(read, write)


def respond(request: Envelope, result: bytes = b"{}") -> Envelope:
    envelope = Envelope()
    if request.request.HasField("int_id"):
        envelope.response.int_id = request.request.int_id
    else:
        envelope.response.id = request.request.id
    envelope.response.result_json = result
    return envelope


async def answer_all(stream: Stream) -> None:
    while (envelope := await stream.read()) is not None:
        if envelope.HasField("request"):
            await stream.write(respond(envelope))


async def test_keeps_ids_and_texts_as_they_are() -> None:
    seen: list[Envelope] = []

    async def connect(stream: Stream) -> None:
        while (envelope := await stream.read()) is not None:
            seen.append(envelope)
            if envelope.HasField("request"):
                await stream.write(respond(envelope, b'{"n":9007199254740993,"x":null}'))

    async with scripted(connect) as target, wired(target) as wire:
        await wire.request("7", n=2**53 + 1)
        first = await wire.hear()
        assert first == JSONRPCResponse(jsonrpc="2.0", id="7", result={"n": 2**53 + 1, "x": None})
        await wire.request(7)
        assert (await wire.hear()).id == 7
        await wire.say(JSONRPCNotification(jsonrpc="2.0", method="notifications/x"))
        await wire.request("")
        assert (await wire.hear()).id == ""
    assert seen[0].request.params_json == b'{"n":9007199254740993}'
    assert seen[1].request.params_json == b""
    assert seen[2].method == "notifications/x"
    assert seen[2].HasField("notification")


async def test_makes_requests_of_a_drained_stream_again() -> None:
    opened = 0

    async def connect(stream: Stream) -> None:
        nonlocal opened
        opened += 1
        first = await stream.read()
        assert first is not None
        if opened == 1:
            second = await stream.read()
            assert second is not None
            await stream.write(respond(first))
            await stream.drain()
        await stream.write(respond(first))
        await answer_all(stream)

    async with scripted(connect) as target, wired(target) as wire:
        await wire.request(1)
        await wire.request(2)
        assert [(await wire.hear()).id, (await wire.hear()).id] == [1, 2]
        await wire.request(3)
        assert (await wire.hear()).id == 3
    assert opened == 2


async def test_does_not_move_for_ever() -> None:
    opened = 0

    async def connect(stream: Stream) -> None:
        nonlocal opened
        opened += 1
        await stream.read()
        await stream.drain()

    async with scripted(connect) as target, wired(target) as wire:
        await wire.request(1)
        answer = await wire.hear()
    assert isinstance(answer, JSONRPCError)
    assert answer.error.data == {"drained": True}
    assert opened == MAX_MOVES + 1


async def test_answers_what_was_lost_and_connects_again() -> None:
    opened = 0

    async def connect(stream: Stream) -> None:
        nonlocal opened
        opened += 1
        if opened == 1:
            await stream.read()
            await stream.fail(RpcFailure(grpc.StatusCode.UNAVAILABLE, "gone"))
        await answer_all(stream)

    async with scripted(connect) as target, wired(target) as wire:
        await wire.request(1)
        lost = await wire.hear()
        assert isinstance(lost, JSONRPCError)
        assert lost.error.code == -32603
        assert lost.error.message == "no answer came on the stream: gone"
        await wire.request(2)
        assert isinstance(await wire.hear(), JSONRPCResponse)
    assert opened == 2


async def test_says_that_nobody_is_there() -> None:
    async with scripted(None) as target:
        pass
    async with wired(target) as wire:
        await wire.request(1)
        answer = await wire.hear()
        assert isinstance(answer, JSONRPCError)
        assert answer.error.code == -32603


async def test_takes_an_error_without_id_for_the_answer_to_all() -> None:
    async def connect(stream: Stream) -> None:
        await stream.read()
        await stream.read()
        envelope = Envelope()
        envelope.response.error.code = -32600
        envelope.response.error.message = "request without id"
        await stream.write(envelope)
        await answer_all(stream)

    async with scripted(connect) as target, wired(target) as wire:
        await wire.request(1)
        await wire.request(2)
        answers = [await wire.hear(), await wire.hear()]
        assert [(a.id, a.error.code) for a in answers] == [(1, -32600), (2, -32600)]
        await wire.request(3)
        assert isinstance(await wire.hear(), JSONRPCResponse)


async def test_drops_strangers_and_says_what_cannot_be_read() -> None:
    async def connect(stream: Stream) -> None:
        first = await stream.read()
        assert first is not None
        stranger = Envelope()
        stranger.response.int_id = 99
        stranger.response.result_json = b"{}"
        await stream.write(stranger)
        asked = Envelope(method="elicitation/create")
        asked.request.id = "1"
        await stream.write(asked)  # a modern client answers no requests
        await stream.write(Envelope(event_id="no kind"))
        await stream.write(respond(first, b"[1]"))
        second = await stream.read()
        assert second is not None
        await stream.write(respond(second, b"no JSON"))
        await answer_all(stream)

    async with scripted(connect) as target, wired(target) as wire:
        for request_id in (1, 2):
            await wire.request(request_id)
            answer = await wire.hear()
            assert isinstance(answer, JSONRPCError)
            assert (answer.id, answer.error.code) == (request_id, -32603)
            assert "malformed answer" in answer.error.message
        await wire.request(3)
        assert isinstance(await wire.hear(), JSONRPCResponse)


async def test_sends_nothing_that_would_end_the_stream() -> None:
    async with scripted(answer_all) as target, wired(target, max_message_bytes=1000) as wire:
        await wire.request(1, text="x" * 2000)
        large = await wire.hear()
        assert (large.id, large.error.code) == (1, -32600)
        await wire.request(2, text="\ud800")  # no Unicode: JSON says it by an escape
        assert isinstance(await wire.hear(), JSONRPCResponse)
        await wire.request(2**70)
        assert (await wire.hear()).error.code == -32602
        await wire.request(3, number=float("nan"))
        assert (await wire.hear()).error.code == -32602
        await wire.request(4)
        assert isinstance(await wire.hear(), JSONRPCResponse)


async def test_a_legacy_session_ends_with_its_stream() -> None:
    async def connect(stream: Stream) -> None:
        await stream.context.send_initial_metadata((("mcp-session-id", "s-1"),))
        first = await stream.read()
        assert first is not None
        await stream.write(respond(first))
        asked = Envelope(method="ping")
        asked.request.id = "ask"
        await stream.write(asked)
        answer = await stream.read()
        assert answer is not None
        assert answer.response.id == "ask"
        await stream.read()
        await stream.drain()

    async with scripted(connect) as target:
        transport = Transport(target)
        async with transport as (read, write), read, write:
            wire = Wire(read, write)
            await wire.request(1, "initialize")
            await wire.hear()
            assert transport.session_id == "s-1"
            asked = await wire.hear()
            assert isinstance(asked, JSONRPCRequest)
            await wire.say(JSONRPCResponse(jsonrpc="2.0", id="ask", result={}))
            await wire.request(2)
            lost = await wire.hear()
            assert lost.error.message.startswith("the session was lost with its stream")
            assert isinstance(await wire.hear(), MCPError)
            with pytest.raises(anyio.EndOfStream):
                await wire.hear()


class _Tokens(ClientAuth):
    def __init__(self) -> None:
        self.token = 0

    async def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer t{self.token}"),)

    async def refused(self, challenge: Challenge) -> bool:
        self.token += 1
        return self.token == 1


async def test_opens_the_stream_again_with_a_better_token() -> None:
    good = "Bearer t1"

    async def connect(stream: Stream) -> None:
        if stream.metadata["authorization"] != good:
            # Of streams, grpc.aio may lose the headers: the details say the same.
            challenge = Challenge("invalid_token")
            failure = RpcFailure(grpc.StatusCode.UNAUTHENTICATED, "who?", None, (challenge.info(),))
            await stream.fail(failure, (("www-authenticate", challenge.header()),))
        await answer_all(stream)

    async with scripted(connect) as target:
        async with wired(target, auth=_Tokens()) as wire:
            await wire.request(1)
            assert isinstance(await wire.hear(), JSONRPCResponse)
        good = "Bearer nobody has it"
        async with wired(target, auth=_Tokens()) as wire:
            await wire.request(1)
            refused = await wire.hear()
            assert isinstance(refused, JSONRPCError)
            assert "who?" in refused.error.message


async def test_bytes_that_are_no_message_fail_what_is_in_flight() -> None:
    opened = 0

    async def connect(stream: Stream) -> None:
        nonlocal opened
        opened += 1
        if opened == 1:
            await stream.read()
            await stream.write(b"\xff\xff")
        await answer_all(stream)

    async with scripted(connect) as target, wired(target) as wire:
        await wire.request(1)
        failed = await wire.hear()
        assert isinstance(failed, JSONRPCError)
        assert "no message" in failed.error.message
        await wire.request(2)
        assert isinstance(await wire.hear(), JSONRPCResponse)


async def test_says_why_a_stream_was_refused_every_time() -> None:
    async def connect(stream: Stream) -> None:
        await stream.fail(RpcFailure(grpc.StatusCode.UNAUTHENTICATED, "who?"))

    async with scripted(connect) as target, wired(target) as wire:
        for n in range(150):
            await wire.request(n)
            assert (await wire.hear()).error.message == "no answer came on the stream: who?"


async def test_goes_on_when_credentials_cannot_be_got() -> None:
    class Tokens(ClientAuth):
        calls = 0

        async def metadata(self) -> tuple[tuple[str, str], ...]:
            self.calls += 1
            if self.calls == 1:
                raise OSError("secret")
            return ()

    async with scripted(answer_all) as target, wired(target, auth=Tokens()) as wire:
        await wire.request(1)
        failed = await wire.hear()
        assert isinstance(failed, JSONRPCError)
        assert failed.error.message == "credentials cannot be got now"
        await wire.request(2)
        assert isinstance(await wire.hear(), JSONRPCResponse)


async def test_leaves_nothing_behind() -> None:
    before = asyncio.all_tasks()
    ended = asyncio.Event()

    async def connect(stream: Stream) -> None:
        await answer_all(stream)
        ended.set()

    async with scripted(connect) as target:
        async with wired(target) as wire:
            await wire.request(1)
            await wire.hear()
        await asyncio.wait_for(ended.wait(), PATIENCE)  # the stream was half-closed, not cut off
        transport = Transport(target)
        for _ in range(2):
            async with transport:
                pass
        async with transport:
            with pytest.raises(RuntimeError, match="already"):
                await transport.__aenter__()
    assert {task for task in asyncio.all_tasks() - before if not task.done()} == set()


async def test_the_sdk_raises_what_the_server_cannot_be_reached_for() -> None:
    async with scripted(None) as target:
        pass
    with pytest.raises(ExceptionGroup) as failure:
        async with mcp.Client(Transport(target), mode="legacy"):
            pass
    assert failure.group_contains(MCPError)
