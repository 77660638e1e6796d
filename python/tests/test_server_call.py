# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Cancellation, deadlines, frames, limits and draining: SPEC.md §4.6, §10 and §12."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import mcp.types as types
import pytest
from everything import Context, Result, text
from serving import META, SECONDS, Served, Subject, Talk, failing, serving

from mcp_grpc._gen.mcp.v1.envelope_pb2 import CallFrame, CancelFrame, Envelope, Hello, ReplyFrame
from mcp_grpc._gen.mcp.v1.session_pb2 import PingRequest
from mcp_grpc._gen.mcp.v1.subscription_pb2 import ListenRequest
from mcp_grpc._gen.mcp.v1.tool_pb2 import CallToolRequest, ListToolsRequest
from mcp_grpc.codec import envelope_from_value, envelope_to_value, failure_of_frame, from_value
from mcp_grpc.server import ServerLimits
from mcp_grpc.server import exchange as exchange_module
from mcp_grpc.server.outbox import Outbox

HOLD = CallToolRequest(name="hold")


def frame(call_id: int, name: str = "greet", arguments: bytes = b'{"name":"Ann"}', **options: Any) -> Envelope:
    tool = CallToolRequest(name=name, arguments_json=arguments)
    return Envelope(call=CallFrame(call_id=call_id, call_tool=tool, **options))


async def test_ending_an_rpc_reaches_the_tool() -> None:
    async with serving() as served:
        subject = served.subject
        call = served.stub.InvokeTool(HOLD)
        await subject.until(lambda: subject.held == 1)
        call.cancel()
        await subject.until(lambda: subject.cancelled == 1)

        stream = served.stub.CallTool(HOLD)
        await subject.until(lambda: subject.held == 2)
        stream.cancel()
        await subject.until(lambda: subject.cancelled == 2)

        sent = served.stub.Send(envelope_from_value(request("tools/call", {"name": "hold"})))
        await subject.until(lambda: subject.held == 3)
        sent.cancel()
        await subject.until(lambda: subject.cancelled == 3)

        talk = Talk(served)
        await talk.hello()
        await talk.ask("tools/call", {"name": "hold"})
        await talk.write(frame(1, "hold"))
        await subject.until(lambda: subject.held == 5)
        talk.call.cancel()
        await subject.until(lambda: subject.cancelled == 5)


def request(method: str, params: Any, key: str | int = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": key, "method": method, "params": params}


@pytest.mark.parametrize("tool", ["hold", "stubborn"])
async def test_nothing_is_sent_for_a_cancelled_call(tool: str) -> None:
    async with serving() as served:
        subject = served.subject
        talk = Talk(served)
        await talk.hello()
        await talk.ask("tools/call", {"name": tool}, "a")
        await talk.write(frame(1, tool))
        await subject.until(lambda: subject.held == 2)
        await talk.tell("notifications/cancelled", {"requestId": "nobody"})
        await talk.tell("notifications/cancelled", {"requestId": "a"})
        await talk.write(Envelope(cancel=CancelFrame(call_id=99)))
        await talk.write(Envelope(cancel=CancelFrame(call_id=1)))
        if tool == "hold":
            await subject.until(lambda: subject.cancelled == 2)
        await talk.ask("ping", key="still there")
        assert (await talk.value())["id"] == "still there"
        subject.released.set()
        assert await talk.end() == []


async def test_nothing_is_left_of_a_call_that_was_cancelled_before_it_began() -> None:
    async with serving() as served:
        talk = Talk(served)
        await talk.hello(batch=True)
        hello = envelope_from_value(request("tools/call", {"name": "greet", "arguments": {"name": "Ann"}}, "a"))
        gone = envelope_from_value(
            {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "a"}}
        )
        # The cancellation is read together with what it cancels.
        await talk.write(Envelope(batch=[frame(1), Envelope(cancel=CancelFrame(call_id=1)), hello, gone]))
        await talk.write(frame(1))
        assert (await talk.read()).reply.HasField("call_tool"), "the id is free again"
        await talk.write(hello)
        assert "result" in await talk.value(), "the id is free again"
        assert await talk.end() == []


async def test_a_send_is_cancelled_by_another() -> None:
    async with serving() as served:
        session = await served.open()
        held = asyncio.ensure_future(served.send(request("tools/call", {"name": "hold"}, "x"), session))
        await served.subject.until(lambda: served.subject.held == 1)
        cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "x"}}
        assert await served.send(cancel, session) == []
        assert await held == []
        await served.subject.until(lambda: served.subject.cancelled == 1)


async def test_deadlines_reach_the_tool() -> None:
    async with serving(limits=ServerLimits(unary_seconds=0.3)) as served:
        subject = served.subject
        failure = await failing(served.stub.InvokeTool(HOLD))
        assert (failure.status, failure.code) == (grpc.StatusCode.DEADLINE_EXCEEDED, -32603)
        assert failure.error is not None
        await subject.until(lambda: subject.cancelled == 1)
        failure = await failing(served.stub.InvokeTool(HOLD, timeout=0.1))
        assert failure.status == grpc.StatusCode.DEADLINE_EXCEEDED
        await subject.until(lambda: subject.cancelled == 2)
        talk = Talk(served)
        await talk.hello()
        await talk.write(frame(1, "hold", timeout_ms=50))
        error = failure_of_frame((await talk.read()).reply.error)
        assert (error.status, error.code) == (grpc.StatusCode.DEADLINE_EXCEEDED, -32603)
        await talk.write(frame(2, "hold"))
        error = failure_of_frame((await talk.read()).reply.error)
        assert error.status == grpc.StatusCode.DEADLINE_EXCEEDED
        await talk.end()


async def test_a_time_out_of_user_code_is_not_a_deadline() -> None:
    async def late(ctx: Context, params: types.CallToolRequestParams) -> Result:
        raise TimeoutError("the database at secret-host did not answer")

    subject = Subject()
    subject.add_tool("late", late)
    async with serving(subject) as served:
        failure = await failing(served.stub.InvokeTool(CallToolRequest(name="late")))
        assert (failure.status, failure.message) == (grpc.StatusCode.INTERNAL, "internal error")
        talk = Talk(served)
        await talk.hello()
        await talk.write(frame(1, "late"))
        error = failure_of_frame((await talk.read()).reply.error)
        assert (error.status, error.message) == (grpc.StatusCode.INTERNAL, "internal error")
        await talk.end()


async def test_what_a_tool_makes_of_its_deadline_is_the_deadline() -> None:
    async def excuse(ctx: Context, params: types.CallToolRequestParams) -> Result:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ValueError("what a handler makes of it") from None
        return text("never")

    subject = Subject()
    subject.add_tool("excuse", excuse)
    async with serving(subject, limits=ServerLimits(unary_seconds=0.1)) as served:
        failure = await failing(served.stub.InvokeTool(CallToolRequest(name="excuse")))
        assert (failure.status, failure.code) == (grpc.StatusCode.DEADLINE_EXCEEDED, -32603)
        talk = Talk(served)
        await talk.hello()
        await talk.write(frame(1, "excuse", timeout_ms=50))
        assert failure_of_frame((await talk.read()).reply.error).status == grpc.StatusCode.DEADLINE_EXCEEDED
        await talk.end()


async def test_a_message_that_does_not_come_is_not_waited_for() -> None:
    async with serving(limits=ServerLimits(body_seconds=0.2)) as served:
        call: Any = served.channel.stream_stream("/mcp.v1.MCP/ListTools")()
        failure = await failing(call.read())
        assert (failure.status, failure.code) == (grpc.StatusCode.DEADLINE_EXCEEDED, -32603)
        empty: Any = served.channel.stream_stream("/mcp.v1.MCP/ListTools")()
        await empty.done_writing()
        assert (await failing(empty.read())).status == grpc.StatusCode.INVALID_ARGUMENT


async def test_frames_are_answered_as_they_finish_and_stream_what_tools_say() -> None:
    async with serving() as served:
        talk = Talk(served)
        assert await talk.hello() == Hello(frames=True, batch=True, max_calls=1024)
        await talk.write(frame(1, "hold"))
        await served.subject.until(lambda: served.subject.held == 1)
        await talk.write(frame(2))
        reply = (await talk.read()).reply
        assert (reply.call_id, reply.call_tool.result.content[0].text.text) == (2, "Hi Ann")
        served.subject.released.set()
        assert (await talk.read()).reply.call_id == 1

        call = frame(3, "test_tool_with_progress", b"{}", stream=True)
        call.call.call_tool.meta.progress_token.int_value = 5
        await talk.write(call)
        kinds = [(await talk.read()).reply.event.WhichOneof("kind") for _ in range(4)]
        assert kinds == ["progress", "progress", "progress", "result"]
        await talk.write(frame(4, "error_jsonrpc", b'{"code":7,"message":"m","data":[9007199254740993]}', stream=True))
        error = failure_of_frame((await talk.read()).reply.error)
        assert (error.code, error.status, error.data) == (7, grpc.StatusCode.UNKNOWN, [2**53 + 1])
        await talk.write(Envelope(call=CallFrame(call_id=5, ping=PingRequest())))
        assert (await talk.read()).reply.ping.server_time.seconds > 0
        await talk.end()


async def test_batches_go_both_ways() -> None:
    async with serving() as served:
        talk = Talk(served)
        await talk.hello(batch=True)
        batch = Envelope(call=frame(1).call)
        batch.batch.append(frame(2))
        batch.batch.append(envelope_from_value(request("ping", {}, "p")))
        nested = batch.batch.add()
        nested.batch.append(frame(3))
        await talk.write(batch)
        answers = [inner for message in await talk.end() for inner in ([*message.batch] or [message])]
        assert {answer.reply.call_id for answer in answers if answer.HasField("reply")} == {1, 2}
        assert [answer.response.id for answer in answers if answer.response.HasField("id")] == ["p"]
        [refused] = [answer for answer in answers if answer.HasField("response") and not answer.response.HasField("id")]
        assert refused.response.error.code == -32600


async def test_frames_have_their_rules() -> None:
    async with serving() as served:
        talk = Talk(served)
        await talk.write(frame(1))
        assert failure_of_frame((await talk.read()).reply.error).code == -32600
        await talk.write(Envelope(hello=Hello(frames=True)))
        assert (await talk.value())["error"]["code"] == -32600, "a hello that is not the first message"
        await talk.end()

        talk = Talk(served)
        await talk.hello(frames=False)
        await talk.write(frame(1))
        error = failure_of_frame((await talk.read()).reply.error)
        assert (error.status, error.code) == (grpc.StatusCode.INVALID_ARGUMENT, -32600)
        await talk.end()

        talk = Talk(served)
        await talk.hello()
        await talk.write(Envelope(call=CallFrame(call_id=1)))
        error = failure_of_frame((await talk.read()).reply.error)
        assert (error.status, error.code) == (grpc.StatusCode.UNIMPLEMENTED, -32601)
        await talk.write(frame(2, "hold"))
        await talk.write(frame(2))
        error = failure_of_frame((await talk.read()).reply.error)
        assert (error.status, error.code) == (grpc.StatusCode.INVALID_ARGUMENT, -32600)
        await talk.write(Envelope(reply=ReplyFrame(call_id=1)))
        assert (await talk.value())["error"]["code"] == -32600
        served.subject.released.set()
        assert (await talk.read()).reply.call_tool.result.content[0].text.text == "released"
        await talk.end()


async def test_calls_in_flight_are_bounded() -> None:
    async with serving(limits=ServerLimits(calls_per_stream=2)) as served:
        talk = Talk(served)
        assert (await talk.hello()).max_calls == 2
        await talk.write(frame(1, "hold"))
        await talk.ask("tools/call", {"name": "hold"}, "a")
        await served.subject.until(lambda: served.subject.held == 2)
        await talk.write(frame(3))
        error = failure_of_frame((await talk.read()).reply.error)
        assert (error.status, error.code) == (grpc.StatusCode.RESOURCE_EXHAUSTED, -32600)
        await talk.ask("ping", key="b")
        assert (await talk.value())["error"]["code"] == -32600
        served.subject.released.set()
        assert len(await talk.end()) == 2


async def test_messages_are_bounded() -> None:
    async with serving() as served:
        room = b'"' + b"x" * (4 << 20) + b'"'
        failure = await failing(served.stub.InvokeTool(CallToolRequest(name="greet", arguments_json=room)))
        assert failure.status == grpc.StatusCode.RESOURCE_EXHAUSTED
        almost = {"name": "structured_echo", "arguments": {"x": "y" * ((2 << 20) - 50)}}
        failure = await failing(served.stub.InvokeTool(from_value(almost, CallToolRequest)))
        assert failure.status == grpc.StatusCode.RESOURCE_EXHAUSTED, "the answer says it twice"
        fits = {"name": "structured_echo", "arguments": {"x": "y" * ((2 << 20) - 2000)}}
        options = [("grpc.max_receive_message_length", -1)]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{served.server.port}", options) as channel:
            big = Served(served.subject, served.server, channel)
            assert (await big.stub.InvokeTool(from_value(fits, CallToolRequest))).HasField("result")
        deep = CallToolRequest(name="greet", arguments_json=b'{"a":' + b"[" * 32 + b"]" * 32 + b"}")
        failure = await failing(served.stub.InvokeTool(deep))
        assert (failure.status, failure.code) == (grpc.StatusCode.RESOURCE_EXHAUSTED, -32600)
        many = CallToolRequest(name="greet", arguments_json=b'{"a":[' + b"[]," * 10_000 + b"1]}")
        failure = await failing(served.stub.InvokeTool(many))
        assert (failure.status, failure.code) == (grpc.StatusCode.RESOURCE_EXHAUSTED, -32600)


async def test_an_answer_that_is_too_large_ends_its_call_and_not_the_stream() -> None:
    async with serving(limits=ServerLimits(message_bytes=100_000)) as served:
        arguments = {"x": "y" * 60_000}
        talk = Talk(served)
        await talk.hello(batch=True)
        await talk.ask("tools/call", {"name": "structured_echo", "arguments": arguments}, 7)
        answer = await talk.value()
        assert (answer["id"], answer["error"]["code"]) == (7, -32600)
        for streams in (False, True):
            call = CallFrame(call_id=1, stream=streams)
            call.call_tool.CopyFrom(from_value({"name": "structured_echo", "arguments": arguments}, CallToolRequest))
            await talk.write(Envelope(call=call))
            error = failure_of_frame((await talk.read()).reply.error)
            assert (error.status, error.code) == (grpc.StatusCode.RESOURCE_EXHAUSTED, -32600)
        await talk.write(frame(2))
        assert (await talk.read()).reply.HasField("call_tool")
        await talk.end()


async def test_progress_that_is_too_large_is_left_out_and_the_stream_goes_on() -> None:
    async with serving(limits=ServerLimits(message_bytes=10_000)) as served:
        talk = Talk(served)
        await talk.hello()
        arguments = {"count": 1, "size": 20_000}
        call = CallFrame(call_id=1, stream=True)
        params = {"name": "flood", "arguments": arguments, "_meta": {**META, "progressToken": 1}}
        call.call_tool.CopyFrom(from_value(params, CallToolRequest))
        await talk.write(Envelope(call=call))
        assert (await talk.read()).reply.event.result.content[0].text.text == "flooded"
        await talk.write(frame(2))
        assert (await talk.read()).reply.HasField("call_tool")
        await talk.end()


async def test_answers_that_nobody_reads_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 0

    class Watched(Outbox[Envelope]):
        def force(self, item: Envelope) -> None:
            nonlocal most
            super().force(item)
            most = max(most, len(self._items))

    monkeypatch.setattr(exchange_module, "Outbox", Watched)
    limits = ServerLimits(calls_per_stream=4, waiting_messages=4, write_seconds=SECONDS)
    async with serving(limits=limits) as served:
        talk = Talk(served)
        await talk.hello(batch=True)

        async def ask() -> None:
            for key in range(400):
                await talk.ask("x" * 50_000, {"_meta": META}, key)
            # What is malformed is answered, too, and a message holds much of it.
            await talk.write(Envelope(batch=[Envelope(event_id="e")] * 5000))

        asking = asyncio.ensure_future(ask())
        while most < 4 and not asking.done():
            await asyncio.sleep(0.01)
        for _ in range(20):
            await served.request("ping")
        assert not asking.done(), "the server reads what it cannot answer"
        answers = 0
        while answers < 5400:
            answers += max(1, len((await talk.read()).batch))
        await asking
        assert most <= 20, "answers are queued without bound"
        assert await talk.end() == []


async def test_a_message_that_holds_many_does_not_stop_others() -> None:
    async with serving() as served:
        talk = Talk(served)
        await talk.hello(batch=True)
        many = 100_000
        await talk.write(Envelope(batch=[Envelope(event_id="e")] * many))
        pings, answers = 0, 0

        async def ping() -> None:
            nonlocal pings
            while True:
                await served.request("ping")
                pings += 1

        pinging = asyncio.ensure_future(ping())
        while answers < many:
            answers += max(1, len((await talk.read()).batch))
        pinging.cancel()
        await asyncio.gather(pinging, return_exceptions=True)
        assert pings > 10
        await talk.end()


async def test_compressed_messages_are_read_within_the_same_limit() -> None:
    async with serving() as served:
        request = from_value({"name": "structured_echo", "arguments": {"x": "y" * 100_000}}, CallToolRequest)
        answer = await served.stub.InvokeTool(request, compression=grpc.Compression.Gzip)
        assert answer.result.structured_content.fields["x"].string_value == "y" * 100_000
        bomb = CallToolRequest(name="greet", arguments_json=b" " * (5 << 20) + b"{}")
        failure = await failing(served.stub.InvokeTool(bomb, compression=grpc.Compression.Gzip))
        assert failure.status == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_tool_that_floods_waits_for_a_slow_client() -> None:
    subject = Subject()
    async with serving(subject, limits=ServerLimits(write_seconds=SECONDS)) as served:
        params = {"name": "flood", "arguments": {"count": 400, "size": 50_000}, "_meta": {**META, "progressToken": 1}}
        call = served.stub.CallTool(from_value(params, CallToolRequest))
        assert (await call.read()).HasField("progress")
        # 20 MB would be queued by now, if nobody waited.
        await served.request("ping")
        count = 1
        while (event := await call.read()) is not grpc.aio.EOF:
            count += 1
            last = event
        assert count == 401
        assert last.result.content[0].text.text == "flooded"


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    async with serving(limits=ServerLimits(write_seconds=0.3)) as served:
        params = {"name": "flood", "arguments": {"count": 400, "size": 50_000}, "_meta": {**META, "progressToken": 1}}
        call = served.stub.CallTool(from_value(params, CallToolRequest))
        assert (await call.read()).HasField("progress")
        async with asyncio.timeout(SECONDS):
            while served.server._rpcs.running:
                await asyncio.sleep(0.05)
        failure = await failing(read_all(call))
        assert failure.status == grpc.StatusCode.RESOURCE_EXHAUSTED


async def read_all(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


async def test_notifications_outside_of_calls_are_bounded_and_merged() -> None:
    async with serving(limits=ServerLimits(waiting_notifications=1)) as served:
        session = await served.open()
        talk = Talk(served, session)
        await talk.call.initial_metadata()
        # Each says the same: those that wait are one.
        assert "result" in await served.request("tools/call", {"name": "notify", "arguments": {"count": 50}}, session)
        assert (await talk.value())["method"] == "notifications/tools/list_changed"
        await talk.ask("ping")
        while "method" in (answer := await talk.value()):
            assert answer["method"] == "notifications/tools/list_changed"
        await talk.end()


async def test_draining_answers_what_is_in_flight() -> None:
    async with serving() as served:
        subject = served.subject
        session = await served.open()
        framed, legacy = Talk(served), Talk(served)
        await framed.hello()
        await legacy.initialize()
        await framed.write(frame(1, "hold"))
        await legacy.ask("tools/call", {"name": "hold"}, 5)
        held = asyncio.ensure_future(served.request("tools/call", {"name": "hold"}))
        listen = served.stub.Listen(from_value({"notifications": {"toolsListChanged": True}}, ListenRequest))
        await listen.read()
        stream = served.stub.Send(Envelope(), metadata=session)
        await stream.initial_metadata()
        await subject.until(lambda: subject.held == 3)

        stopping = asyncio.ensure_future(served.server.stop(SECONDS))
        assert (await listen.read()).completed.result_type == "complete"
        assert await listen.code() == grpc.StatusCode.OK
        failure = await failing(stream.read())
        assert (failure.status, failure.code) == (grpc.StatusCode.UNAVAILABLE, -32603)
        failure = await failing(served.stub.ListTools(ListToolsRequest()))
        assert failure.status == grpc.StatusCode.UNAVAILABLE
        subject.released.set()
        assert (await framed.read()).reply.call_id == 1
        assert (await legacy.value())["id"] == 5
        assert "result" in await held
        for talk in (framed, legacy):
            failure = await talk.failure()
            assert (failure.status, failure.code) == (grpc.StatusCode.UNAVAILABLE, -32603)
            assert failure.data == {"drained": True}
        await stopping


async def test_who_leaves_a_drained_stream_takes_another_connection() -> None:
    async with serving() as served:
        subject = served.subject
        talk = Talk(served)
        await talk.hello()
        unary = asyncio.ensure_future(hold(served))
        await subject.until(lambda: subject.held == 1)
        stopping = asyncio.ensure_future(served.server.stop(SECONDS))
        assert (await talk.failure()).data == {"drained": True}
        failure = await failing(served.stub.ListTools(ListToolsRequest()))
        assert "shutting down" not in failure.message, "it came on the connection that ends"
        subject.released.set()
        await unary
        await stopping


async def test_what_outlasts_the_grace_is_cut_off() -> None:
    async with serving() as served:
        subject = served.subject
        talk = Talk(served)
        await talk.hello()
        await talk.write(frame(1, "hold"))
        unary = asyncio.ensure_future(hold(served))
        await subject.until(lambda: subject.held == 2)
        await served.server.stop(0.1)
        failure = await failing(unary)
        assert (failure.status, failure.code) == (grpc.StatusCode.UNAVAILABLE, -32603)
        failure = await talk.failure()
        assert failure.status == grpc.StatusCode.UNAVAILABLE
        assert failure.data != {"drained": True}, "a call was cut off"
        assert subject.cancelled == 2


async def test_a_tool_that_heeds_nothing_does_not_keep_the_server() -> None:
    async with serving() as served:
        subject = served.subject
        talk = Talk(served)
        await talk.hello()
        await talk.write(frame(1, "stubborn"))
        await subject.until(lambda: subject.held == 1)
        async with asyncio.timeout(SECONDS):
            await served.server.stop(0.1)
        failure = await talk.failure()
        assert failure.status == grpc.StatusCode.UNAVAILABLE
        assert failure.data != {"drained": True}


async def hold(served: Served) -> Any:
    return await served.stub.InvokeTool(HOLD)


async def test_no_message_of_a_stream_hurts_another() -> None:
    async with serving() as served:
        talk = Talk(served)
        await talk.hello()
        for number in range(200):
            await talk.write(frame(number))
        replies = [(await talk.read()).reply for _ in range(200)]
        assert {reply.call_id for reply in replies} == set(range(200))
        assert all(reply.HasField("call_tool") for reply in replies)
        await talk.ask("tools/call", {"name": "greet", "arguments": {"name": "Ann"}}, "z")
        assert envelope_to_value(await talk.read())["id"] == "z"
        await talk.end()
