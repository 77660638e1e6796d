# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The multiplexed stream of the typed client, with servers that are good, slow, gone and hostile (SPEC.md §4.6)."""

from __future__ import annotations

import asyncio
import gzip
import random
from typing import Any

import grpc
import pytest
from scripted import Stream, refusing, said, scripted, serve_calls, words_of

from mcp_grpc._gen.mcp.v1.catalog_pb2 import Tool
from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope, Hello, ReplyFrame
from mcp_grpc._gen.mcp.v1.session_pb2 import PingRequest, PingResponse
from mcp_grpc._gen.mcp.v1.tool_pb2 import (
    CallToolEvent,
    CallToolProgress,
    CallToolRequest,
    InvokeToolResponse,
    ListToolsResponse,
)
from mcp_grpc.client import CallError, Client
from mcp_grpc.client import mux_stream as mux_stream_module
from mcp_grpc.client.mux import MAX_MOVES
from mcp_grpc.codec import RpcFailure, frame_error

PATIENCE = 30.0


async def pong(request: PingRequest, context: Any) -> PingResponse:
    return PingResponse()


async def test_goes_on_by_rpcs_without_connect() -> None:
    async def invoke(request: CallToolRequest, context: Any) -> InvokeToolResponse:
        metadata = dict(context.invocation_metadata())
        assert (metadata["mcp-method"], metadata["mcp-name"]) == ("tools/call", "a")
        return said("by an RPC")

    async with scripted(None, pong, invoke) as target, Client(target, timeout=PATIENCE) as client:
        assert words_of(await client.call_tool("a", {"x": 1})) == "by an RPC"
        assert (await client.ping()).year == 1970


@pytest.mark.parametrize("kind", ["silence", "no frames", "end", "error"])
async def test_goes_on_by_rpcs_if_hello_is_not_answered(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(mux_stream_module, "HELLO_TIMEOUT", 0.2)
    opened = 0

    async def connect(stream: Stream) -> None:
        nonlocal opened
        opened += 1
        await stream.read()
        if kind == "silence":
            await asyncio.Event().wait()
        if kind == "no frames":
            await stream.write(Envelope(hello=Hello(batch=True)))
        if kind == "error":
            envelope = Envelope()
            envelope.response.error.code = -32600
            await stream.write(envelope)

    async with scripted(connect, pong) as target, Client(target, timeout=PATIENCE) as client:
        await client.ping()
        await client.ping()
    assert opened == 1  # and is not asked again


async def test_makes_calls_of_a_drained_stream_again() -> None:
    opened = 0
    names: list[str] = []

    async def connect(stream: Stream) -> None:
        nonlocal opened
        opened += 1
        await stream.hello()
        if opened < 3:
            call = await stream.read()
            assert call is not None
            names.append(call.call.call_tool.name)
            await stream.drain()
        await serve_calls(stream)

    async with scripted(connect) as target, Client(target, timeout=PATIENCE) as client:
        assert words_of(await client.call_tool("a")) == "a"
    assert (opened, names) == (3, ["a", "a"])


async def test_does_not_move_for_ever() -> None:
    opened = 0

    async def connect(stream: Stream) -> None:
        nonlocal opened
        opened += 1
        await stream.hello()
        await stream.read()
        await stream.drain()

    async with scripted(connect) as target, Client(target, timeout=PATIENCE) as client:
        with pytest.raises(CallError) as failure:
            await client.call_tool("a")
    assert failure.value.status is grpc.StatusCode.UNAVAILABLE
    assert opened == MAX_MOVES + 1


async def test_does_not_repeat_what_a_lost_stream_may_have_done() -> None:
    calls = 0

    async def connect(stream: Stream) -> None:
        nonlocal calls
        await stream.hello()
        while await stream.read() is not None:
            calls += 1
            await stream.fail(RpcFailure(grpc.StatusCode.UNAVAILABLE, "gone"))

    async with scripted(connect) as target, Client(target, timeout=PATIENCE) as client:
        with pytest.raises(CallError, match="unknown whether the call was done") as failure:
            await client.call_tool("a")
    assert failure.value.status is grpc.StatusCode.UNAVAILABLE
    assert calls == 1


async def test_reads_compressed_replies_and_no_bombs() -> None:
    tools = ListToolsResponse(tools=[Tool(name="a" * 100)])

    async def connect(stream: Stream) -> None:
        await stream.hello()
        for data in (
            gzip.compress(ReplyFrame(list_tools=tools).SerializeToString()),
            gzip.compress(b"\0" * (64 << 20)),
            b"no gzip",
            gzip.compress(b"no protobuf"),
        ):
            call = await stream.read()
            assert call is not None
            await stream.answer(call, gzip=data)
        await serve_calls(stream)

    async with scripted(connect) as target, Client(target, timeout=PATIENCE) as client:
        assert (await client.request("tools/list"))["tools"][0]["name"] == "a" * 100
        for status in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL, grpc.StatusCode.INTERNAL):
            with pytest.raises(CallError) as failure:
                await client.list_tools()
            assert failure.value.status is status
        assert words_of(await client.call_tool("a")) == "a"  # the stream goes on


async def test_refuses_replies_of_another_kind_and_ignores_strangers() -> None:
    async def connect(stream: Stream) -> None:
        await stream.hello()
        call = await stream.read()
        assert call is not None
        await stream.write(Envelope(reply=ReplyFrame(call_id=77, ping=PingResponse())))
        await stream.write(Envelope(event_id="nothing else"))
        request = Envelope(method="elicitation/create")
        request.request.id = "1"
        await stream.write(request)  # a modern client answers no requests
        await stream.answer(call, ping=PingResponse())
        await serve_calls(stream)

    async with scripted(connect) as target, Client(target, timeout=PATIENCE) as client:
        with pytest.raises(CallError, match="another kind"):
            await client.call_tool("a")
        assert words_of(await client.call_tool("b")) == "b"


async def test_tells_the_server_what_is_given_up_and_how_long_calls_may_take() -> None:
    seen: asyncio.Queue[Envelope] = asyncio.Queue()

    async def connect(stream: Stream) -> None:
        await stream.hello()
        while (envelope := await stream.read()) is not None:
            await seen.put(envelope)

    async with scripted(connect) as target, Client(target) as client:
        call = asyncio.create_task(client.call_tool("a"))
        first = await asyncio.wait_for(seen.get(), PATIENCE)
        assert first.call.timeout_ms == 0
        call.cancel()
        cancelled = await asyncio.wait_for(seen.get(), PATIENCE)
        assert cancelled.cancel.call_id == first.call.call_id
        with pytest.raises(CallError) as late:
            await client.call_tool("b", timeout=0.2)
        assert late.value.status is grpc.StatusCode.DEADLINE_EXCEEDED
        second = await asyncio.wait_for(seen.get(), PATIENCE)
        assert 0 < second.call.timeout_ms <= 201
        assert second.call.call_id != first.call.call_id
        assert (await asyncio.wait_for(seen.get(), PATIENCE)).cancel.call_id == second.call.call_id


async def test_writes_what_waits_as_one_message_below_the_limit() -> None:
    sizes: list[int] = []

    async def connect(stream: Stream) -> None:
        await stream.hello(max_calls=1000)
        while (message := await stream.context.read()) is not grpc.aio.EOF:
            sizes.append(message.ByteSize())
            for call in [message, *message.batch]:
                if call.HasField("call"):
                    await stream.answer(call, call_tool=said(call.call.call_tool.name))

    async with scripted(connect) as target, Client(target, timeout=PATIENCE, max_message_bytes=20_000) as client:
        await client.call_tool("first")
        names = [f"{n:03}" + "x" * 997 for n in range(100)]
        results = await asyncio.gather(*(client.call_tool(name) for name in names))
        assert [words_of(result) for result in results] == names
    assert max(sizes) <= 20_000
    assert len(sizes) < 30


async def test_sends_refused_calls_again_while_the_server_is_busy_with_others() -> None:
    busy = frame_error(RpcFailure.of(-32600, "too many", status=grpc.StatusCode.RESOURCE_EXHAUSTED))

    async def connect(stream: Stream) -> None:
        await stream.hello(max_calls=1)
        await stream.read()  # is given up, and goes on here
        refusals = 0
        while (call := await stream.read()) is not None:
            if not call.HasField("call"):
                continue
            refusals += 1
            if refusals < 4:
                await stream.answer(call, error=busy)
            else:
                await stream.answer(call, call_tool=said(str(refusals)))

    async with scripted(connect) as target, Client(target, timeout=PATIENCE) as client:
        with pytest.raises(CallError):
            await client.call_tool("a", timeout=0.1)
        assert words_of(await client.call_tool("b")) == "4"


async def test_does_not_repeat_a_call_that_is_too_much_by_itself() -> None:
    connect, calls = refusing(RpcFailure.of(-32600, "JSON is too deep", status=grpc.StatusCode.RESOURCE_EXHAUSTED))
    async with scripted(connect) as target, Client(target, timeout=PATIENCE) as client:
        with pytest.raises(CallError, match="too deep"):
            await client.call_tool("a")
    assert len(calls) == 1


async def test_leaves_out_progress_that_nobody_takes_and_keeps_the_outcome() -> None:
    count = 5000

    async def connect(stream: Stream) -> None:
        await stream.hello()
        call = await stream.read()
        assert call is not None
        assert call.call.stream
        for n in range(count):
            await stream.answer(call, event=CallToolEvent(progress=CallToolProgress(progress=n)))
        await stream.answer(call, event=CallToolEvent(result=said("done").result))
        other = await stream.read()
        assert other is not None
        await stream.answer(other, ping=PingResponse())

    heard: list[float] = []
    others = asyncio.Event()

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        heard.append(progress)
        await others.wait()

    async with scripted(connect) as target, Client(target, timeout=PATIENCE) as client:
        call = asyncio.create_task(client.call_tool("a", progress_callback=on_progress))
        await asyncio.sleep(0)
        while not heard:
            await asyncio.sleep(0.01)
        await client.ping()  # the call that nobody listens to holds up no other
        others.set()
        assert words_of(await call) == "done"
    assert len(heard) < count
    assert heard == sorted(heard)
    assert heard[-1] == count - 1


async def test_a_callback_that_raises_ends_the_call() -> None:
    cancelled = asyncio.Event()

    async def connect(stream: Stream) -> None:
        await stream.hello()
        call = await stream.read()
        assert call is not None
        await stream.answer(call, event=CallToolEvent(progress=CallToolProgress(progress=1)))
        while (envelope := await stream.read()) is not None:
            if envelope.HasField("cancel"):
                cancelled.set()

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        raise KeyError("mine")

    async with scripted(connect) as target, Client(target, timeout=PATIENCE) as client:
        with pytest.raises(KeyError):
            await client.call_tool("a", progress_callback=on_progress)
        await asyncio.wait_for(cancelled.wait(), PATIENCE)


async def test_closing_fails_what_is_in_flight() -> None:
    begun = asyncio.Event()

    async def connect(stream: Stream) -> None:
        await stream.hello()
        await stream.read()
        begun.set()
        await stream.read()

    async with scripted(connect) as target:
        client = Client(target)
        call = asyncio.create_task(client.call_tool("a"))
        await asyncio.wait_for(begun.wait(), PATIENCE)
        await client.close()
        with pytest.raises(CallError) as failure:
            await call
    assert failure.value.status is grpc.StatusCode.CANCELLED


async def test_refuses_arguments_that_json_cannot_say() -> None:
    async def connect(stream: Stream) -> None:
        await stream.hello()
        await serve_calls(stream)

    async with scripted(connect) as target, Client(target, timeout=PATIENCE) as client:
        for arguments in ({"x": float("nan")}, {"x": object()}, {"x": {1, 2}}):
            with pytest.raises(CallError) as failure:
                await client.call_tool("a", arguments)
            assert failure.value.status is grpc.StatusCode.INVALID_ARGUMENT


async def test_bytes_that_are_no_message_fail_their_call_and_no_other() -> None:
    opened = 0

    async def connect(stream: Stream) -> None:
        nonlocal opened
        opened += 1
        await stream.hello()
        if opened == 1:
            await stream.read()
            await stream.write(b"\xff\xff")
        await serve_calls(stream)

    async with scripted(connect) as target, Client(target, timeout=PATIENCE) as client:
        with pytest.raises(CallError, match="no message") as failure:
            await client.call_tool("a")
        assert failure.value.status is grpc.StatusCode.UNAVAILABLE
        assert words_of(await client.call_tool("b")) == "b"

    async def nonsense(request: PingRequest, context: Any) -> bytes:
        return b"\xff\xff"

    async with scripted(None, nonsense) as target, Client(target, timeout=PATIENCE) as client:
        with pytest.raises(CallError, match="cannot be decoded"):
            await client.ping()


@pytest.mark.parametrize("multiplexed", [True, False])
async def test_closing_fails_calls_and_does_not_cancel_who_waits(multiplexed: bool) -> None:
    begun = asyncio.Event()

    async def slow(request: PingRequest, context: Any) -> PingResponse:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError("it waits for ever")

    async with scripted(None, slow) as target:
        client = Client(target, multiplexed=multiplexed)
        call = asyncio.create_task(client.ping())
        await asyncio.wait_for(begun.wait(), PATIENCE)
        await client.close()
        with pytest.raises(CallError) as failure:
            await call
        assert failure.value.status is grpc.StatusCode.CANCELLED
        with pytest.raises(CallError, match="closed"):
            await client.ping()


@pytest.mark.parametrize("multiplexed", [True, False])
async def test_a_deadline_holds_while_there_is_no_connection(multiplexed: bool) -> None:
    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Client(f"127.0.0.1:{port}", multiplexed=multiplexed) as client:
        with pytest.raises(CallError) as failure:
            await client.call_tool("a", timeout=0.3)
        assert failure.value.status is grpc.StatusCode.DEADLINE_EXCEEDED
    server.close()


async def test_keeps_nothing_of_calls_that_were_given_up() -> None:
    seed = random.Random(7)

    async def connect(stream: Stream) -> None:
        await stream.hello(max_calls=20)
        while (call := await stream.read()) is not None:
            if call.HasField("call") and seed.random() < 0.7:
                await stream.answer(call, call_tool=said("x"))

    async with scripted(connect) as target, Client(target) as client:

        async def caller() -> None:
            for _ in range(25):
                task = asyncio.create_task(client.call_tool("a", timeout=seed.uniform(0.001, 0.05)))
                if seed.random() < 0.3:
                    await asyncio.sleep(seed.uniform(0, 0.01))
                    task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        await asyncio.gather(*(caller() for _ in range(40)))
        stream = await client._caller._mux.current()
        assert not stream._calls
        assert stream._slots._value == 20
        while stream._out:
            await asyncio.sleep(0.01)


async def test_keeps_nothing_of_calls_that_were_given_up_before_they_were_written() -> None:
    async def connect(stream: Stream) -> None:
        await stream.hello(max_calls=20)
        await asyncio.Event().wait()  # and reads no more

    async with scripted(connect) as target, Client(target) as client:
        stuff = {"x": "y" * 100_000}
        for _ in range(30):
            calls = [client.call_tool("a", stuff, timeout=0.02) for _ in range(20)]
            for outcome in await asyncio.gather(*calls, return_exceptions=True):
                assert isinstance(outcome, CallError)
                assert outcome.status is grpc.StatusCode.DEADLINE_EXCEEDED
        stream = await client._caller._mux.current()
        assert not stream._calls
        assert sum(not isinstance(item, bytes) for item in stream._out) == 0


@pytest.mark.parametrize("progress", [True, False])
@pytest.mark.parametrize("connected", [True, False])
async def test_time_that_the_hello_took_counts(
    monkeypatch: pytest.MonkeyPatch, connected: bool, progress: bool
) -> None:
    monkeypatch.setattr(mux_stream_module, "HELLO_TIMEOUT", 0.2)

    async def connect(stream: Stream) -> None:
        await asyncio.Event().wait()

    async def invoke(request: CallToolRequest, context: Any) -> InvokeToolResponse:
        return said("by an RPC")

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # and says no HTTP/2
        writer.close()

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        return

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    bad = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with scripted(connect, pong, invoke) as good, server, Client(good if connected else bad) as client:
        left: list[float] = []

        async def told(rpc: str, request: Any, own: Any, timeout: float) -> Any:
            left.append(timeout)
            raise CallError.plain(grpc.StatusCode.ABORTED, "that was it")

        monkeypatch.setattr(client._link, "unary", told)
        monkeypatch.setattr(client._link, "stream", told)
        with pytest.raises(CallError, match="that was it"):
            await client.call_tool("a", timeout=10, progress_callback=hear if progress else None)
        assert left
        assert max(left) <= 9.8
        # Who was not there may have frames when it comes.
        assert client._caller._mux._none == connected
