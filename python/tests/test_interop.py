# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The Python clients on the Go server: every RPC, in each form and era."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, get_args

import grpc
import mcp
import mcp.types as types
import pytest
from interop_forms import (
    ANSWERS,
    FORMS,
    LEGACY,
    MODERN,
    any_client,
    collecting,
    sdk_client,
    typed_client,
    until,
)
from interop_peer import PATIENCE, Peer, go_server
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError

from mcp_grpc._gen.mcp.v1.prompt_pb2 import ListPromptsRequest
from mcp_grpc.client import CallError, Client, TaskStarted, Transport
from mcp_grpc.client.caller import Wanted

BIG = 2**53 + 1

# In a legacy session the SDK refuses lists with tools whose output is no object.
NO_OBJECTS = "structured_array,structured_number"

versions = pytest.mark.parametrize("version", [MODERN, LEGACY])
forms = pytest.mark.parametrize("form", FORMS)
typed_forms = pytest.mark.parametrize("form", ["typed", "multiplexed"])


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Peer]]:
    with go_server("-without", NO_OBJECTS) as served:
        yield served


@pytest.fixture(scope="module")
def url(server: tuple[str, Peer]) -> str:
    return server[0]


@pytest.fixture(scope="module")
def arrays() -> Iterator[str]:
    with go_server("-page-size", "7") as served:
        yield served[0]


@versions
@forms
async def test_lists_reads_prompts_and_completes(url: str, version: str, form: str) -> None:
    async with any_client(url, version, form) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools["content_all"].annotations is not None
        assert tools["content_all"].annotations.destructive_hint is False
        assert tools["content_all"].meta
        assert len((await client.list_resources()).resources) == 12
        assert "test://template/{id}/data" in [
            t.uri_template for t in (await client.list_resource_templates()).resource_templates
        ]
        prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
        assert prompts["prompt_all"].arguments is not None
        assert prompts["prompt_all"].arguments[0].required is True
        read = await client.read_resource("test://template/42/data")
        assert isinstance(read.contents[0], types.TextResourceContents)
        assert '"id":"42"' in read.contents[0].text
        prompt = await client.get_prompt("grüß dich", {"name": "Ada"})  # a name that no header holds as it is
        assert isinstance(prompt.messages[0].content, types.TextContent)
        assert prompt.messages[0].content.text == "Say hi to Ada"
        ref = types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments")
        done = await client.complete(ref, {"name": "arg2", "value": "x"}, {"arg1": "x"})
        assert done.completion.values == ["x-one", "x-two"]


@versions
@typed_forms
async def test_pings_and_says_what_the_server_is(url: str, version: str, form: str) -> None:
    async with typed_client(url, version, form) as client:
        assert (await client.ping()).year > 2025
        if version == MODERN:
            found = await client.discover()
            assert found.supported_versions[0] == MODERN
            assert found.instructions == "Use this server!"
            return
        opened = await client.initialize()
        assert (opened.protocol_version, opened.server_info.name) == (LEGACY, "everything")
        with pytest.raises(CallError) as refusal:
            await client.discover()
        assert (refusal.value.code, refusal.value.status) == (-32601, grpc.StatusCode.UNIMPLEMENTED)


async def test_the_sdk_finds_out_the_era(url: str) -> None:
    async with mcp.Client(Transport(url)) as client:
        assert client.protocol_version == MODERN
        assert client.server_info is not None
        assert client.server_info.name == "everything"


@typed_forms
async def test_gives_lists_page_by_page(arrays: str, form: str) -> None:
    async with typed_client(arrays, MODERN, form) as client:
        names: list[str] = []
        cursor: str | None = None
        while True:
            page = await client.list_tools(cursor)
            assert len(page.tools) <= 7
            names += [tool.name for tool in page.tools]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert len(names) == len(set(names)) > 60
        with pytest.raises(CallError) as refusal:
            await client.list_tools("nonsense")
        assert refusal.value.code == -32602


@versions
@forms
async def test_keeps_numbers_and_binary_content(url: str, version: str, form: str) -> None:
    async with any_client(url, version, form) as client:
        echo = await client.call_tool(
            "structured_echo", {"n": BIG, "deep": [[-BIG, 2**80, 1e-7]], "text": "\x00\u2028"}
        )
        assert echo.structured_content == {"n": BIG, "deep": [[-BIG, 2**80, 1e-7]], "text": "\x00\u2028"}
        numbers = (await client.call_tool("structured_big_numbers")).structured_content
        assert numbers["max"] == 2**64 - 1
        image = (await client.call_tool("test_image_content")).content[0]
        assert isinstance(image, types.ImageContent)
        assert image.data.startswith("iVBORw0KGgo")
        binary = (await client.read_resource("test://static-binary")).contents[0]
        assert isinstance(binary, types.BlobResourceContents)
        assert binary.blob == image.data
        everything = await client.call_tool("content_all")
        assert [type(block).__name__ for block in everything.content] == [
            "TextContent",
            "ImageContent",
            "AudioContent",
            "ResourceLink",
            "ResourceLink",
            "EmbeddedResource",
            "EmbeddedResource",
        ]
        assert isinstance(everything.content[3], types.ResourceLink)
        assert everything.content[3].size == 1 << 40


@forms
async def test_gives_arrays_and_numbers_as_structured_content(arrays: str, form: str) -> None:
    async with any_client(arrays, MODERN, form) as client:
        result = await client.call_tool("structured_array")
        assert result.structured_content == ["one", "two", "three"]
        assert (await client.call_tool("structured_number")).structured_content == 42


@typed_forms
async def test_all_forms_give_the_same_values(url: str, form: str) -> None:
    """What `request` gives is what `Send` gives, member for member: nothing is lost."""
    requests: list[tuple[str, dict[str, object]]] = [
        ("server/discover", {}),
        ("tools/list", {}),
        ("resources/list", {}),
        ("resources/templates/list", {}),
        ("prompts/list", {}),
        ("tools/call", {"name": "content_all"}),
        ("tools/call", {"name": "structured_big_numbers"}),
        ("resources/read", {"uri": "test://static-binary"}),
        ("prompts/get", {"name": "prompt_all", "arguments": {"needed": "x"}}),
        (
            "completion/complete",
            {"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "name", "value": "a"}},
        ),
        ("tools/call", {"name": "test_input_required_result_multiple_inputs"}),
    ]
    async with typed_client(url, MODERN, form, callbacks=ANSWERS) as client:
        for method, params in requests:
            assert await client.request(method, params) == await client._caller.send(method, params, Wanted()), method


@versions
@typed_forms
async def test_sends_meta_and_unknown_members(url: str, version: str, form: str) -> None:
    async with typed_client(url, version, form, metadata=[("traceparent", "00-1-2-3")]) as client:
        seen = await client.call_tool("inspect_request", {}, meta={"com.example/n": {"a": [BIG - 2], "null": None}})
        # No larger number: the Go SDK reads `_meta` into doubles.
        assert seen.structured_content["meta"]["com.example/n"] == {"a": [BIG - 2], "null": None}
        assert seen.structured_content["protocolVersion"] == version
        assert seen.structured_content["clientInfo"]["name"] == "mcpconnect-grpc"
        value = {"n": BIG, "a": [None, [], {}]}
        assert (await client.request("com.example/echo", {"value": value}))["value"] == value
        extended = await client.request("tools/list", {"com.example/vendor": 1})
        assert len(extended["tools"]) > 60


@versions
@typed_forms
async def test_sends_metadata_of_one_call(url: str, version: str, form: str) -> None:
    asked = {"headers": ["x-mine"]}
    async with typed_client(url, version, form) as client:
        seen = await client.call_tool("inspect_request", asked, metadata=[("x-mine", "1")])
        assert seen.structured_content["headers"] == {"x-mine": ["1"]}
        params = {"name": "inspect_request", "arguments": asked}
        raw = await client.request("tools/call", params, metadata=[("x-mine", "2")])
        assert raw["structuredContent"]["headers"] == {"x-mine": ["2"]}
        assert "headers" not in (await client.call_tool("inspect_request", asked)).structured_content


async def test_sends_meta_in_envelopes(url: str) -> None:
    async with sdk_client(url, MODERN) as client:
        meta: Any = {"com.example/n": {"a": [1]}}
        seen = await client.call_tool("inspect_request", {}, meta=meta)
        assert seen.structured_content["meta"]["com.example/n"] == {"a": [1]}


@versions
@forms
async def test_raises_errors_with_their_data(url: str, version: str, form: str) -> None:
    data = [{"n": BIG}, None]
    async with any_client(url, version, form) as client:
        with pytest.raises(MCPError) as own:
            await client.call_tool("error_jsonrpc", {"code": 4001, "message": "mine", "data": data})
        assert (own.value.code, own.value.message, own.value.data) == (4001, "mine", data)
        with pytest.raises(MCPError) as unknown:
            await client.call_tool("nope")
        assert unknown.value.code == -32602
        with pytest.raises(MCPError) as broken:
            await client.call_tool("error_plain")
        assert (broken.value.code, broken.value.message) == (-32603, "internal error")
        if form != "envelope":
            statuses = [getattr(e.value, "status", None) for e in (own, unknown, broken)]
            assert statuses == [grpc.StatusCode.UNKNOWN, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INTERNAL]
        failed = await client.call_tool("test_error_handling")
        assert failed.is_error is True


@versions
@forms
async def test_hears_progress_and_logs(url: str, version: str, form: str) -> None:
    logs, on_log = collecting()
    progress, on_progress = collecting()
    async with any_client(url, version, form, on_log=on_log) as client:
        await client.call_tool("test_tool_with_progress", progress_callback=on_progress)
        steps = [(n, 100.0, f"Completed step {n:.0f} of 100") for n in (0.0, 50.0, 100.0)]
        await until(lambda: len(progress) == 3)
        assert progress == steps if form != "envelope" else sorted(progress) == steps
        if version == LEGACY and form == "envelope":
            with pytest.warns(MCPDeprecationWarning):
                await client.set_logging_level("debug")
        elif version == LEGACY:
            await client.request("logging/setLevel", {"level": "debug"})
        await client.call_tool("log_levels", {})
        await until(lambda: len(logs) == 8)
        assert {log.level for log in logs} == set(get_args(types.LoggingLevel))
        assert {log.logger for log in logs} == {"everything"}


@versions
@forms
async def test_cancels_a_call(server: tuple[str, Peer], version: str, form: str) -> None:
    url, peer = server
    async with any_client(url, version, form) as client:
        call = asyncio.create_task(client.call_tool("block"))
        await peer.heard(event="blocked")
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await peer.heard(event="unblocked")
        assert (await client.call_tool("greet", {"name": "Ada"})).content  # the others go on


@versions
@forms
async def test_ends_a_call_at_its_deadline(server: tuple[str, Peer], version: str, form: str) -> None:
    url, peer = server
    async with any_client(url, version, form) as client:
        limit = {"read_timeout_seconds" if form == "envelope" else "timeout": 0.3}
        with pytest.raises(MCPError) as late:
            await client.call_tool("block", {}, **limit)
        if form != "envelope":
            assert getattr(late.value, "status", None) is grpc.StatusCode.DEADLINE_EXCEEDED
        await peer.heard(event="blocked")
        await peer.heard(event="unblocked")


@forms
async def test_answers_questions_in_rounds(url: str, form: str) -> None:
    async with any_client(url, MODERN, form, answering=True) as client:
        for tool, want in [
            ("test_input_required_result_elicitation", "Hello, Ada's name!"),
            ("test_input_required_result_sampling", "Sampling response: completion"),
            ("test_input_required_result_list_roots", "Client exposed 1 root(s): file:///home"),
            ("test_input_required_result_multiple_inputs", "completion Ada's name — 1 root(s) visible"),
            ("test_input_required_result_multi_round", "Multi-round complete: Ada's name likes Ada's color"),
            ("test_input_required_result_request_state", "state-ok: requestState received and confirmation accepted"),
            ("roundtrip_url", "URL elicitation: accept"),
            ("roundtrip_busy", "no longer busy"),
        ]:
            assert text_of(await client.call_tool(tool)) == want
        read = await client.read_resource("everything://question")
        assert getattr(read.contents[0], "text", None) == "This is about Ada's name"
        prompt = await client.get_prompt("test_input_required_result_prompt")
        assert getattr(prompt.messages[0].content, "text", None) == "Context: Ada's context"


@forms
async def test_answers_requests_of_a_legacy_server(url: str, form: str) -> None:
    async with any_client(url, LEGACY, form, answering=True) as client:
        for tool, arguments, want in [
            (
                "test_elicitation",
                {"message": "m"},
                'Elicitation result: action=accept, content={"username":"Ada\'s username"}',
            ),
            ("test_sampling", {"prompt": "p"}, "LLM response: completion"),
            ("roots", {}, "home:file:///home"),
            ("ping", {}, ""),
        ]:
            result = await client.call_tool(str(tool), arguments)
            assert not result.is_error, result
            assert text_of(result) == want


@typed_forms
async def test_listens(url: str, form: str) -> None:
    async with (
        typed_client(url, MODERN, form) as client,
        client.listen(tools_list_changed=True, resource_subscriptions=["test://watched-resource"]) as changes,
    ):
        assert changes.honored.tools_list_changed is True
        await client.call_tool("add_tool", {"name": form})
        changed = await asyncio.wait_for(anext(changes), PATIENCE)
        assert isinstance(changed, types.ToolListChangedNotification)
        assert changed.params is not None
        assert changed.params.meta is not None
        assert "io.modelcontextprotocol/subscriptionId" in changed.params.meta
        await client.call_tool("update_resource", {"text": form})
        updated = await asyncio.wait_for(anext(changes), PATIENCE)
        assert isinstance(updated, types.ResourceUpdatedNotification)
        assert updated.params.uri == "test://watched-resource"


async def test_the_sdk_listens(url: str) -> None:
    async with (
        sdk_client(url, MODERN) as client,
        client.listen(prompts_list_changed=True, resource_subscriptions=["test://watched-resource"]) as changes,
    ):
        await client.call_tool("add_prompt", {"name": "sdk"})
        assert type(await asyncio.wait_for(anext(changes), PATIENCE)).__name__ == "PromptsListChanged"
        await client.call_tool("update_resource", {"text": "sdk"})
        assert type(await asyncio.wait_for(anext(changes), PATIENCE)).__name__ == "ResourceUpdated"


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_the_sdk_hears_of_changes_in_a_legacy_session(url: str) -> None:
    heard, on_message = collecting()
    async with sdk_client(url, LEGACY, on_message=on_message) as client:
        await client.subscribe_resource("test://watched-resource")
        await client.call_tool("update_resource", {"text": "legacy"})
        await until(lambda: any(isinstance(m, types.ResourceUpdatedNotification) for m in heard))
        await client.call_tool("add_tool", {"name": "legacy"})
        await until(lambda: any(isinstance(m, types.ToolListChangedNotification) for m in heard))


@typed_forms
async def test_hears_of_changes_on_the_stream_of_a_legacy_session(url: str, form: str) -> None:
    heard: list[dict[str, object]] = []
    async with typed_client(url, LEGACY, form, on_message=heard.append) as client:
        await client.call_tool("add_tool", {"name": f"legacy_{form}"})
        await until(lambda: any(m["method"] == "notifications/tools/list_changed" for m in heard))


@versions
@typed_forms
async def test_watches_a_resource(url: str, version: str, form: str) -> None:
    async with typed_client(url, version, form) as client, client.subscribe("test://watched-resource") as updates:
        await client.call_tool("update_resource", {"text": f"{version} {form}"})
        update = await asyncio.wait_for(anext(updates), PATIENCE)
        assert (update.uri, update.error) == ("test://watched-resource", None)
        assert update.contents is not None
        assert getattr(update.contents.contents[0], "text", None) == f"{version} {form}"


@typed_forms
async def test_follows_tasks(url: str, form: str) -> None:
    tasks = types.ClientCapabilities(extensions={"io.modelcontextprotocol/tasks": {}})
    async with typed_client(url, MODERN, form, capabilities=tasks) as client:
        with pytest.raises(TaskStarted) as started:
            await client.call_tool("start_task", {"mode": "working"})
        task_id = started.value.task["taskId"]
        assert (await client.get_task(task_id))["status"] == "working"
        await client.cancel_task(task_id)
        assert (await client.get_task(task_id))["status"] == "cancelled"
        with pytest.raises(TaskStarted) as asking:
            await client.call_tool("start_task", {"mode": "input"})
        task = await client.get_task(asking.value.task["taskId"])
        key = next(iter(task["inputRequests"]))
        answer = types.ElicitResult(action="accept", content={"name": "Ada"})
        await client.update_task(task["taskId"], {key: answer})
        assert (await client.get_task(task["taskId"]))["status"] == "completed"
        with pytest.raises(CallError) as unknown:
            await client.get_task("nope")
        assert unknown.value.code == -32602


@versions
@forms
async def test_carries_four_megabytes_and_refuses_more(url: str, version: str, form: str) -> None:
    largest = "x" * (4 * 1024 * 1024 - 2048)
    async with any_client(url, version, form) as client:
        assert text_of(await client.call_tool("greet", {"name": largest})) == "Hi " + largest
        with pytest.raises(MCPError) as refusal:
            await client.call_tool("greet", {"name": largest + "x" * 4096})
        assert refusal.value.code == -32600
        assert "more than" in refusal.value.message
        assert text_of(await client.call_tool("greet", {"name": "Ada"})) == "Hi Ada"


@typed_forms
async def test_the_server_refuses_what_is_too_large(url: str, form: str) -> None:
    async with typed_client(url, MODERN, form, max_message_bytes=16 << 20) as client:
        await client.ping()
        with pytest.raises(CallError) as refusal:
            await client.call_tool("greet", {"name": "x" * (5 << 20)})
        if form == "typed":
            assert refusal.value.status is grpc.StatusCode.RESOURCE_EXHAUSTED
        else:
            # The stream has ended with it.
            assert refusal.value.status is grpc.StatusCode.UNAVAILABLE
            assert "unknown whether" in refusal.value.message
        assert text_of(await client.call_tool("greet", {"name": "Ada"})) == "Hi Ada"


@typed_forms
async def test_an_answer_that_is_too_large_fails_its_call(url: str, form: str) -> None:
    async with typed_client(url, MODERN, form) as client:
        with pytest.raises(CallError) as refusal:
            await client.call_tool("structured_echo", {"x": "y" * 2_200_000})  # which comes back twice
        assert refusal.value.status is grpc.StatusCode.RESOURCE_EXHAUSTED  # also on a stream, which goes on
        assert text_of(await client.call_tool("greet", {"name": "Ada"})) == "Hi Ada"


@typed_forms
async def test_ends_its_session(url: str, form: str) -> None:
    async with typed_client(url, LEGACY, form) as client:
        await client.list_prompts()
        assert client._caller._sessions is not None
        session = await client._caller._sessions.get()
    async with Client(url, metadata=[("mcp-session-id", session.id)], multiplexed=False) as other:
        request = ListPromptsRequest()  # without version: it is in the session, or nowhere
        with pytest.raises(CallError) as ended:
            await other._caller._link.unary("ListPrompts", request, (), PATIENCE)
        assert (ended.value.status, ended.value.code) == (grpc.StatusCode.NOT_FOUND, -32600)


@forms
async def test_makes_many_calls_at_a_time(url: str, form: str) -> None:
    async with any_client(url, MODERN, form) as client:
        results = await asyncio.gather(*(client.call_tool("greet", {"name": str(n)}) for n in range(300)))
        assert [text_of(result) for result in results] == [f"Hi {n}" for n in range(300)]


async def test_waits_for_room_on_a_stream_with_few_calls() -> None:
    with go_server("-calls", "4") as (url, peer):
        async with typed_client(url, MODERN, "multiplexed") as client:
            blocked = [asyncio.create_task(client.call_tool("block")) for _ in range(3)]
            for _ in blocked:
                await peer.heard(event="blocked")
            results = await asyncio.gather(*(client.call_tool("greet", {"name": str(n)}) for n in range(40)))
            assert len(results) == 40
            for call in blocked:
                call.cancel()
            await asyncio.gather(*blocked, return_exceptions=True)


@typed_forms
async def test_fails_what_is_in_flight_when_the_server_dies_and_connects_again(form: str) -> None:
    with go_server() as (url, peer):
        async with typed_client(url, MODERN, form) as client:
            call = asyncio.create_task(client.call_tool("block"))
            await peer.heard(event="blocked")
            peer.kill()
            with pytest.raises(CallError) as lost:
                await call
            assert lost.value.status is grpc.StatusCode.UNAVAILABLE
            with go_server("-addr", url.removeprefix("http://")):
                assert text_of(await retry(client, "greet", {"name": "Ada"})) == "Hi Ada"


async def test_the_sdk_learns_what_was_lost_and_connects_again() -> None:
    with go_server() as (url, peer):
        async with sdk_client(url, MODERN) as client:
            call = asyncio.create_task(client.call_tool("block"))
            await peer.heard(event="blocked")
            peer.kill()
            with pytest.raises(MCPError, match="no answer came on the stream"):
                await call
            with go_server("-addr", url.removeprefix("http://")):
                assert text_of(await retry(client, "greet", {"name": "Ada"})) == "Hi Ada"


async def test_the_sdk_learns_that_a_legacy_session_was_lost() -> None:
    with go_server("-without", NO_OBJECTS) as (url, peer):
        async with sdk_client(url, LEGACY) as client:
            call = asyncio.create_task(client.call_tool("block"))
            await peer.heard(event="blocked")
            peer.kill()
            with pytest.raises(MCPError, match="the session was lost with its stream"):
                await call


@typed_forms
async def test_opens_another_session_when_the_server_has_lost_it(form: str) -> None:
    with go_server() as (url, peer):
        async with typed_client(url, LEGACY, form, callbacks=ANSWERS) as client:
            assert text_of(await client.call_tool("roots")) == "home:file:///home"
            peer.end()
            with go_server("-addr", url.removeprefix("http://")):
                assert text_of(await retry(client, "roots", {})) == "home:file:///home"


async def retry(client: object, tool: str, arguments: dict[str, object]) -> types.CallToolResult:
    """Calls until the channel has connected again."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await client.call_tool(tool, arguments)  # type: ignore[attr-defined, no-any-return]
            except MCPError:
                await asyncio.sleep(0.05)


def text_of(result: types.CallToolResult) -> str:
    return result.content[0].text if result.content and isinstance(result.content[0], types.TextContent) else ""
