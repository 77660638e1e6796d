# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Legacy sessions: SPEC.md §6.3 to §6.7, and what a server asks in them."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import mcp.types as types
import pytest
from everything import Context, Result, text
from serving import INITIALIZE, LEGACY, META, SECONDS, Served, Subject, Talk, failing, serving

from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope
from mcp_grpc._gen.mcp.v1.session_pb2 import InitializeRequest, PingRequest, ShutdownRequest
from mcp_grpc._gen.mcp.v1.subscription_pb2 import ListenRequest
from mcp_grpc._gen.mcp.v1.tool_pb2 import CallToolRequest, ListToolsRequest
from mcp_grpc.codec import envelope_to_value, from_value
from mcp_grpc.server import ServerLimits

HELLO = {"message": "who?"}
ELICIT = {"name": "test_elicitation", "arguments": HELLO}
ANSWER = {"action": "accept", "content": {"username": "Ann"}}
ANSWERED = 'Elicitation result: action=accept, content={"username":"Ann"}'


def said(answer: dict[str, Any]) -> str:
    text: str = answer["result"]["content"][0]["text"]
    return text


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
async def test_a_session_is_opened_by_rpc_send_and_connect(version: str) -> None:
    async with serving() as served:
        params = {**INITIALIZE, "protocolVersion": version}
        call = served.stub.Initialize(from_value(params, InitializeRequest))
        response = await call
        assert response.protocol_version == version
        assert dict(await call.initial_metadata())["mcp-session-id"] == response.session_id
        assert len(response.session_id) >= 22
        assert response.session_id.isascii()

        send = served.stub.Send(envelope("initialize", params))
        assert envelope_to_value(await send.read())["result"]["protocolVersion"] == version
        session = (("mcp-session-id", dict(await send.initial_metadata())["mcp-session-id"]),)
        assert await served.send({"jsonrpc": "2.0", "method": "notifications/initialized"}, session) == []
        assert "result" in await served.request("tools/list", {}, session)

        talk = Talk(served)
        await talk.ask("initialize", params, "i")
        assert (await talk.value())["result"]["serverInfo"]["name"] == "everything"
        on_stream = (("mcp-session-id", dict(await talk.call.initial_metadata())["mcp-session-id"]),)
        await talk.tell("notifications/initialized")
        await talk.ask("tools/list")
        assert "result" in await talk.value()
        await served.stub.ListTools(ListToolsRequest(), metadata=on_stream)
        await talk.end()
        failure = await failing(served.stub.ListTools(ListToolsRequest(), metadata=on_stream))
        assert (failure.status, failure.code) == (grpc.StatusCode.NOT_FOUND, -32600)


def envelope(method: str, params: Any, key: int = 1) -> Envelope:
    from mcp_grpc.codec import envelope_from_value

    return envelope_from_value({"jsonrpc": "2.0", "id": key, "method": method, "params": params})


async def test_an_unknown_version_is_answered_by_the_newest_legacy_one() -> None:
    async with serving() as served:
        response = await served.stub.Initialize(
            from_value({**INITIALIZE, "protocolVersion": "1999-01-01"}, InitializeRequest)
        )
        assert response.protocol_version == LEGACY


async def test_a_second_initialize_is_refused_and_the_session_goes_on() -> None:
    async with serving() as served:
        session = await served.open()
        request = from_value(INITIALIZE, InitializeRequest)
        failure = await failing(served.stub.Initialize(request, metadata=session))
        assert (failure.status, failure.code) == (grpc.StatusCode.INVALID_ARGUMENT, -32600)
        assert (await served.request("initialize", INITIALIZE, session))["error"]["code"] == -32600
        talk = Talk(served)
        await talk.initialize()
        await talk.ask("initialize", INITIALIZE)
        assert (await talk.value())["error"]["code"] == -32600
        await talk.ask("ping")
        assert (await talk.value())["result"] == {}
        await talk.end()
        await served.stub.ListTools(ListToolsRequest(), metadata=session)


async def test_shutdown_ends_its_session_and_no_other() -> None:
    async with serving() as served:
        session, other = await served.open(), await served.open()
        assert not (await served.stub.Shutdown(ShutdownRequest())).accepted
        unknown = (("mcp-session-id", "nobody"),)
        assert not (await served.stub.Shutdown(ShutdownRequest(), metadata=unknown)).accepted

        stream = Talk(served, session)
        await stream.call.initial_metadata()
        held = asyncio.ensure_future(served.request("tools/call", {"name": "hold"}, session))
        await served.subject.until(lambda: served.subject.held == 1)
        ending = asyncio.ensure_future(shutdown(served, session))
        served.subject.released.set()
        assert said(await held) == "released"
        assert await ending
        assert await stream.end() == []
        assert await stream.call.code() == grpc.StatusCode.OK
        assert not await shutdown(served, session)
        await served.stub.ListTools(ListToolsRequest(), metadata=other)


@pytest.mark.parametrize("who", ["client", "server"])
async def test_shutdown_ends_its_session_though_a_call_does_not_end(who: str) -> None:
    async with serving(limits=ServerLimits(unary_seconds=0.5 if who == "server" else 600)) as served:
        session = await served.open()
        held = asyncio.ensure_future(served.request("tools/call", {"name": "hold"}, session))
        await served.subject.until(lambda: served.subject.held == 1)
        ending = served.stub.Shutdown(ShutdownRequest(), metadata=session, timeout=0.2 if who == "client" else SECONDS)
        assert (await failing(ending)).status == grpc.StatusCode.DEADLINE_EXCEEDED
        assert (await failing(held)).status == grpc.StatusCode.NOT_FOUND
        await served.subject.until(lambda: served.subject.cancelled == 1)
        assert not await shutdown(served, session)


async def shutdown(served: Served, session: tuple[tuple[str, str], ...]) -> bool:
    accepted: bool = (await served.stub.Shutdown(ShutdownRequest(), metadata=session)).accepted
    return accepted


async def test_an_idle_session_ends_and_a_used_one_does_not() -> None:
    async with serving(limits=ServerLimits(session_idle=0.2)) as served:
        session = await served.open()
        stream = Talk(served, session)
        await stream.call.initial_metadata()
        gone = await served.open()
        async with asyncio.timeout(SECONDS):
            while gone[0][1] in served.server._service.sessions._sessions:
                await asyncio.sleep(0.01)
        failure = await failing(served.request("ping", {}, gone))
        assert (failure.status, failure.code) == (grpc.StatusCode.NOT_FOUND, -32600)
        assert await served.request("ping", {}, session) == {"jsonrpc": "2.0", "id": 1, "result": {}}
        await stream.end()


async def test_a_ping_keeps_a_session_alive_in_every_form() -> None:
    async with serving() as served:
        session = await served.open()
        known = served.server._service.sessions._sessions[session[0][1]]

        def ends() -> float:
            assert known._idle is not None
            return known._idle.when()

        before = ends()
        await served.request("ping", {}, session)
        by_send = ends()
        assert by_send > before
        await served.stub.Ping(PingRequest(), metadata=session)
        assert ends() > by_send


async def test_a_meta_that_is_null_is_none() -> None:
    async with serving() as served:
        session = await served.open()
        assert "result" in await served.request("tools/list", {"_meta": None}, session)
        assert "result" in await served.request("tools/list", {"_meta": None})
        assert "result" in await served.request("initialize", {**INITIALIZE, "_meta": None})
        request = ListToolsRequest(extra_json=b'{"_meta":null}')
        await served.stub.ListTools(request, metadata=session)
        await served.stub.ListTools(request)


async def test_a_meta_in_extra_json_is_the_meta() -> None:
    async with serving() as served:
        meta = b'{"_meta":{"io.modelcontextprotocol/protocolVersion":"1999-01-01"}}'
        failure = await failing(served.stub.ListTools(ListToolsRequest(extra_json=meta)))
        assert (failure.status, failure.code) == (grpc.StatusCode.FAILED_PRECONDITION, -32022)
        failure = await failing(served.stub.ListTools(ListToolsRequest(extra_json=b'{"_meta":5}')))
        assert (failure.status, failure.code) == (grpc.StatusCode.INVALID_ARGUMENT, -32602)


async def test_a_question_that_is_too_large_fails_at_once() -> None:
    async def ask(ctx: Context, params: types.CallToolRequestParams) -> Result:
        await ctx.session.elicit_form("who? " * 5000, {"type": "object", "properties": {}})
        return text("asked")

    subject = Subject()
    subject.add_tool("ask", ask)
    async with serving(subject, limits=ServerLimits(message_bytes=20_000)) as served:
        talk = Talk(served)
        await talk.initialize()
        await talk.ask("tools/call", {"name": "ask"})
        error = (await talk.value())["error"]
        assert error["code"] == -32600
        assert "larger" in error["message"]
        await talk.end()


async def test_there_are_only_so_many_sessions() -> None:
    async with serving(limits=ServerLimits(sessions=1)) as served:
        session = await served.open()
        failure = await failing(served.stub.Initialize(from_value(INITIALIZE, InitializeRequest)))
        assert (failure.status, failure.code) == (grpc.StatusCode.RESOURCE_EXHAUSTED, -32600)
        assert (await served.request("initialize", INITIALIZE))["error"]["code"] == -32600
        await shutdown(served, session)
        await served.open()


async def test_versions_and_sessions_decide_the_era() -> None:
    async with serving() as served:
        session = await served.open()

        async def tools(meta: dict[str, Any], *metadata: tuple[str, str]) -> Any:
            request = from_value({"_meta": meta}, ListToolsRequest)
            return await failing(served.stub.ListTools(request, metadata=metadata))

        legacy = {"io.modelcontextprotocol/protocolVersion": LEGACY}
        failure = await tools(legacy)
        assert (failure.status, failure.code) == (grpc.StatusCode.FAILED_PRECONDITION, -32600)
        failure = await tools({}, ("mcp-protocol-version", LEGACY))
        assert failure.code == -32600
        failure = await tools({"io.modelcontextprotocol/protocolVersion": "2025-06-18"}, *session)
        assert (failure.status, failure.code) == (grpc.StatusCode.INVALID_ARGUMENT, -32020)
        failure = await tools({"io.modelcontextprotocol/protocolVersion": "2030-01-01"})
        assert (failure.status, failure.code) == (grpc.StatusCode.FAILED_PRECONDITION, -32022)
        assert failure.data["requested"] == "2030-01-01"
        assert "2026-07-28" in failure.data["supported"]
        failure = await tools(META, ("mcp-protocol-version", LEGACY))
        assert failure.code == -32020
        failure = await tools({"io.modelcontextprotocol/protocolVersion": "2026-07-28"})
        assert (failure.status, failure.code) == (grpc.StatusCode.INVALID_ARGUMENT, -32602)
        failure = await tools({**META, "io.modelcontextprotocol/logLevel": 5})
        assert failure.code == -32602
        failure = await tools({}, ("mcp-session-id", "nobody"))
        assert (failure.status, failure.code) == (grpc.StatusCode.NOT_FOUND, -32600)
        failure = await tools({}, *session, *session)
        assert failure.code == -32020
        # A modern request ignores the session, whatever it is.
        await served.stub.ListTools(from_value({"_meta": META}, ListToolsRequest), metadata=(("mcp-session-id", "x"),))
        failure = await failing(served.stub.Initialize(from_value({**INITIALIZE, "_meta": META}, InitializeRequest)))
        assert (failure.status, failure.code) == (grpc.StatusCode.UNIMPLEMENTED, -32601)
        listen = served.stub.Listen(ListenRequest(), metadata=session)
        assert (await failing(listen.read())).code == -32601
        for method in ("logging/setLevel", "resources/subscribe", "ping"):
            answer = await served.request(method, {"level": "info", "uri": "u", "_meta": META})
            assert answer["error"]["code"] == -32601
        assert (await served.request("subscriptions/listen", {"notifications": {}}, session))["error"]["code"] == -32601


async def test_a_session_has_one_stream() -> None:
    async with serving() as served:
        session = await served.open()
        first = Talk(served, session)
        await first.call.initial_metadata()
        failure = await Talk(served, session).failure()
        assert (failure.status, failure.code) == (grpc.StatusCode.ALREADY_EXISTS, -32600)
        failure = await failing(served.send(Envelope(), session))
        assert failure.status == grpc.StatusCode.ALREADY_EXISTS
        await first.end()
        stream = served.stub.Send(Envelope(), metadata=session)
        await stream.initial_metadata()
        await served.request("tools/call", {"name": "notify", "arguments": {"count": 1}}, session)
        assert envelope_to_value(await stream.read())["method"] == "notifications/tools/list_changed"
        stream.cancel()
        failure = await failing(served.send(Envelope()))
        assert (failure.status, failure.code) == (grpc.StatusCode.INVALID_ARGUMENT, -32600)


async def test_a_server_asks_on_the_stream_of_the_call() -> None:
    async with serving() as served:
        talk = Talk(served)
        await talk.initialize()
        await talk.ask("tools/call", ELICIT)
        question = await talk.value()
        assert question["method"] == "elicitation/create"
        assert question["params"]["message"] == "who?"
        await talk.write({"jsonrpc": "2.0", "id": question["id"], "result": ANSWER})
        assert said(await talk.value()) == ANSWERED
        await talk.ask("tools/call", {"name": "roots"})
        question = await talk.value()
        assert question["method"] == "roots/list"
        await talk.write({"jsonrpc": "2.0", "id": question["id"], "error": {"code": 7, "message": "no"}})
        assert (await talk.value())["error"] == {"code": 7, "message": "no"}
        await talk.end()


async def test_a_server_asks_by_send_and_is_answered_by_another() -> None:
    async with serving() as served:
        session = await served.open()
        call = served.stub.Send(envelope("tools/call", ELICIT), metadata=session)
        question = envelope_to_value(await call.read())
        answer = {"jsonrpc": "2.0", "id": question["id"], "result": ANSWER}
        assert await served.send(answer, session) == []
        assert said(envelope_to_value(await call.read())) == ANSWERED
        failure = await failing(served.send(answer, session))
        assert (failure.status, failure.code) == (grpc.StatusCode.INVALID_ARGUMENT, -32600)


async def test_a_typed_call_is_asked_on_the_sessions_stream() -> None:
    async with serving() as served:
        session = await served.open()
        request = from_value(ELICIT, CallToolRequest)
        failure = await failing(served.stub.InvokeTool(request, metadata=session))
        assert (failure.status, failure.code) == (grpc.StatusCode.FAILED_PRECONDITION, -32600)
        stream = Talk(served, session)
        await stream.call.initial_metadata()
        call = asyncio.ensure_future(invoke(served, request, session))
        question = await stream.value()
        await stream.write({"jsonrpc": "2.0", "id": question["id"], "result": ANSWER})
        assert (await call).result.content[0].text.text == ANSWERED

        call = asyncio.ensure_future(invoke(served, request, session))
        await stream.value()
        await stream.call.done_writing()  # nobody answers any more
        assert (await failing(call)).code == -32600


async def invoke(served: Served, request: CallToolRequest, session: Any) -> Any:
    return await served.stub.InvokeTool(request, metadata=session, timeout=SECONDS)


async def test_a_handler_that_needs_input_asks_a_legacy_client() -> None:
    async with serving() as served:
        talk = Talk(served)
        await talk.initialize()
        await talk.ask("tools/call", {"name": "test_input_required_result_elicitation"})
        question = await talk.value()
        assert question["method"] == "elicitation/create"
        answer = {"action": "accept", "content": {"name": "Ann"}}
        await talk.write({"jsonrpc": "2.0", "id": question["id"], "result": answer})
        assert said(await talk.value()) == "Hello, Ann!"
        await talk.ask("tools/call", {"name": "test_input_required_result_request_state"})
        question = await talk.value()
        answer = {"action": "accept", "content": {"ok": True}}
        await talk.write({"jsonrpc": "2.0", "id": question["id"], "result": answer})
        assert said(await talk.value()).startswith("state-ok")
        await talk.ask("resources/read", {"uri": "everything://question"})
        question = await talk.value()
        await talk.write({"jsonrpc": "2.0", "id": question["id"], "error": {"code": 7, "message": "no"}})
        assert (await talk.value())["error"] == {"code": 7, "message": "no"}
        await talk.end()

        bare = Talk(served)
        await bare.ask("initialize", {**INITIALIZE, "capabilities": {}}, "i")
        await bare.value()
        await bare.tell("notifications/initialized")
        await bare.ask("tools/call", {"name": "test_input_required_result_elicitation"})
        error = (await bare.value())["error"]
        assert (error["code"], error["data"]) == (-32021, {"requiredCapabilities": {"elicitation": {}}})
        await bare.end()


async def test_a_client_without_a_stream_cannot_be_asked() -> None:
    async with serving() as served:
        session = await served.open()
        for tool in ("test_elicitation", "test_input_required_result_elicitation"):
            request = from_value({"name": tool, "arguments": HELLO}, CallToolRequest)
            failure = await failing(served.stub.InvokeTool(request, metadata=session))
            assert (failure.status, failure.code) == (grpc.StatusCode.FAILED_PRECONDITION, -32600), tool


async def test_a_question_is_cancelled_with_its_call() -> None:
    async with serving() as served:
        talk = Talk(served)
        await talk.initialize()
        await talk.ask("tools/call", ELICIT, "call")
        question = await talk.value()
        await talk.tell("notifications/cancelled", {"requestId": "call"})
        cancelled = await talk.value()
        assert cancelled["method"] == "notifications/cancelled"
        assert cancelled["params"] == {"requestId": question["id"]}
        assert await talk.end() == []


async def test_the_log_level_is_the_sessions() -> None:
    async with serving() as served:
        talk = Talk(served)
        await talk.initialize()
        await talk.ask("logging/setLevel", {"level": "critical"})
        assert (await talk.value())["result"] == {}
        await talk.ask("tools/call", {"name": "log_levels"})
        levels = [(await talk.value())["params"]["level"] for _ in range(3)]
        assert levels == ["critical", "alert", "emergency"]
        assert said(await talk.value()) == "8 levels"
        await talk.end()


async def test_the_subset_of_a_client_gets_structs_and_another_gets_text() -> None:
    async with serving() as served:
        talk = Talk(served)
        old = Envelope(method="tools/list")
        old.request.id = "a"
        old.request.params.SetInParent()
        await talk.write(old)
        assert (await talk.read()).response.WhichOneof("outcome") == "result"
        new = Envelope(method="tools/list")
        new.request.int_id = 1
        await talk.write(new)
        assert (await talk.read()).response.WhichOneof("outcome") == "result_json"
        await talk.end()
