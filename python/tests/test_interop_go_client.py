# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The Go clients on the Python server: every RPC, in each form and era. The Python clients on it, in short."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from interop_forms import FORMS, LEGACY, MODERN, any_client, collecting, until
from interop_peer import Peer, go_client, python_server
from mcp.shared.exceptions import MCPError

BIG = 2**53 + 1
versions = pytest.mark.parametrize("version", [MODERN, LEGACY])
forms = pytest.mark.parametrize("form", FORMS)
typed_forms = pytest.mark.parametrize("form", ["typed", "multiplexed"])


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Peer]]:
    with python_server() as served:
        yield served


@pytest.fixture(scope="module")
def url(server: tuple[str, Peer]) -> str:
    return server[0]


@pytest.fixture(scope="module")
def clients(url: str) -> Iterator[dict[tuple[str, str], Peer]]:
    """Opens each client when it is asked for, and keeps it for the module: a process each."""
    opened = _Clients(url)
    yield opened
    opened.close()


class _Clients(dict[tuple[str, str], Peer]):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._contexts: list[Any] = []

    def __missing__(self, key: tuple[str, str]) -> Peer:
        version, form = key
        context = go_client(self._url, "-version", version, "-form", form)
        self._contexts.append(context)
        peer = self[key] = context.__enter__()
        return peer

    def close(self) -> None:
        for context in self._contexts:
            context.__exit__(None, None, None)


@pytest.fixture
def client(clients: dict[tuple[str, str], Peer], version: str, form: str) -> Peer:
    peer = clients[version, form]
    peer.drop_seen()
    return peer


@versions
@forms
def test_lists_reads_prompts_and_completes(client: Peer) -> None:
    tools = {tool["name"]: tool for tool in client.call("tools/list")["tools"]}
    assert tools["greet"]["inputSchema"] == {"type": "object"}
    assert [r["uri"] for r in client.call("resources/list")["resources"]][:2] == [
        "test://static-text",
        "test://static-binary",
    ]
    templates = client.call("resources/templates/list")["resourceTemplates"]
    assert templates[0]["uriTemplate"] == "test://template/{id}/data"
    prompts = {prompt["name"]: prompt for prompt in client.call("prompts/list")["prompts"]}
    assert prompts["prompt_all"]["arguments"][0]["required"] is True
    assert "42" in client.call("resources/read", {"uri": "test://template/42/data"})["contents"][0]["text"]
    prompt = client.call("prompts/get", {"name": "grüß dich", "arguments": {"name": "Ada"}})
    assert prompt["messages"][0]["content"]["text"] == "Say hi to Ada"
    ref = {"type": "ref/prompt", "name": "prompt_all"}
    params = {"ref": ref, "argument": {"name": "a", "value": "x"}, "context": {"arguments": {"arg1": "x"}}}
    assert client.call("completion/complete", params)["completion"]["values"] == ["x-one", "x-two"]


@versions
@typed_forms
def test_pings_and_learns_what_the_server_is(client: Peer, version: str) -> None:
    assert client.call("ping") == {}
    if version == MODERN:
        found = client.call("server/discover")
        assert found["supportedVersions"][0] == MODERN
        assert found["instructions"] == "Use this server!"
    else:
        assert client.refusal("server/discover")["code"] == -32601


def test_gives_lists_page_by_page() -> None:
    with python_server("--page-size", "4") as (url, _):
        for form in ("typed", "multiplexed"):
            with go_client(url, "-form", form) as client:
                names = list(pages(client))
                assert len(names) == len(set(names)) > 20
                assert client.refusal("tools/list", {"cursor": "nonsense"})["code"] == -32602


def pages(client: Peer) -> Iterator[str]:
    params: dict[str, Any] = {}
    while True:
        page = client.call("tools/list", params)
        assert len(page["tools"]) <= 4
        yield from (tool["name"] for tool in page["tools"])
        if not page.get("nextCursor"):
            return
        params = {"cursor": page["nextCursor"]}


@versions
@forms
def test_keeps_numbers_and_binary_content(client: Peer) -> None:
    arguments = {"deep": [[-2, 0.25, "\u0000\u2028"]], "none": None}
    echo = client.call("tools/call", {"name": "structured_echo", "arguments": arguments})
    assert echo["structuredContent"] == arguments
    numbers = client.call("tools/call", {"name": "structured_big_numbers"})
    assert f'"above": {BIG}' in numbers["content"][0]["text"]
    image = client.call("tools/call", {"name": "test_image_content"})["content"][0]
    assert image["type"] == "image"
    assert image["data"].startswith("iVBORw0KGgo")
    assert client.call("resources/read", {"uri": "test://static-binary"})["contents"][0]["blob"] == image["data"]


@forms
def test_gives_arrays_as_structured_content(clients: dict[tuple[str, str], Peer], form: str) -> None:
    result = clients[MODERN, form].call("tools/call", {"name": "structured_array"})
    assert result["structuredContent"] == ["one", "two", "three"]


@versions
@forms
def test_sees_version_client_and_meta(client: Peer, version: str) -> None:
    seen = client.call("tools/call", {"name": "inspect_request", "_meta": {"com.example/n": {"a": [1, None]}}})
    assert seen["structuredContent"]["meta"]["com.example/n"] == {"a": [1, None]}
    assert seen["structuredContent"]["protocolVersion"] == version
    assert seen["structuredContent"]["clientInfo"]["name"] == "go-peer"


@versions
@forms
def test_refuses_with_codes_and_data(client: Peer, form: str) -> None:
    data = [{"n": BIG}, None]
    arguments = {"code": 4001, "message": "mine", "data": data}
    own = client.refusal("tools/call", {"name": "error_jsonrpc", "arguments": arguments})
    assert (own["code"], own["message"], own["data"]) == (4001, "mine", data)
    unknown = client.refusal("tools/call", {"name": "nope"})
    broken = client.refusal("tools/call", {"name": "error_plain"})
    assert (broken["code"], broken["message"]) == (-32603, "internal error")
    missing = client.refusal("resources/read", {"uri": "test://nope"})
    assert (missing["code"], missing["data"]) == (-32602, {"uri": "test://nope"})
    if form != "envelope":
        assert [e["status"] for e in (own, unknown, broken)] == ["unknown", "not_found", "internal"]
    assert client.call("tools/call", {"name": "test_error_handling"})["isError"] is True


@typed_forms
def test_has_no_tasks(clients: dict[tuple[str, str], Peer], form: str) -> None:
    refused = clients[MODERN, form].refusal("tasks/get", {"task_id": "1"})
    assert (refused["code"], refused["status"]) == (-32601, "unimplemented")


@versions
@pytest.mark.parametrize("form", ["typed", "envelope"])
def test_tells_progress_and_logs(client: Peer, version: str, form: str) -> None:
    token = {} if form == "typed" else {"_meta": {"progressToken": "mine"}}
    client.call("tools/call", {"name": "test_tool_with_progress", **token})
    steps = [client.wait(event="progress")["params"] for _ in range(3)]
    assert [step["progress"] for step in steps] == [0, 50, 100]
    assert [step["message"] for step in steps] == [f"Completed step {n} of 100" for n in (0, 50, 100)]
    if version == LEGACY:
        if form == "typed":
            return  # Go's typed client has no call for the level of a session
        client.call("logging/setLevel", {"level": "debug"})
    level = {"_meta": {"io.modelcontextprotocol/logLevel": "debug"}} if version == MODERN else {}
    client.call("tools/call", {"name": "log_levels", **level})
    logs = [client.wait(event="log")["params"] for _ in range(8)]
    assert logs[0]["level"] == "debug"
    assert {log["logger"] for log in logs} == {"everything"}


@versions
@forms
def test_cancels_a_call(server: tuple[str, Peer], client: Peer) -> None:
    peer = server[1]
    call = client.begin("tools/call", {"name": "block"})
    peer.wait(event="blocked")
    client.cancel(call)
    assert client.outcome(call)["error"]["status"] == "canceled"
    peer.wait(event="unblocked")
    assert client.call("tools/call", {"name": "greet", "arguments": {"name": "Ada"}})["content"]


@versions
@forms
def test_ends_a_call_at_its_deadline(server: tuple[str, Peer], client: Peer) -> None:
    peer = server[1]
    late = client.refusal("tools/call", {"name": "block"}, timeout_ms=300)
    assert late["status"] == "deadline_exceeded"
    peer.wait(event="blocked")
    peer.wait(event="unblocked")


@forms
def test_asks_in_rounds(clients: dict[tuple[str, str], Peer], form: str) -> None:
    client = clients[MODERN, form]
    for tool, want in [
        ("test_input_required_result_elicitation", "Hello, Ada's name!"),
        ("test_input_required_result_sampling", "Sampling response: completion"),
        ("test_input_required_result_list_roots", "Client exposed 1 root(s): file:///home"),
        ("test_input_required_result_request_state", "state-ok: requestState received and confirmation accepted"),
    ]:
        assert client.call("tools/call", {"name": tool})["content"][0]["text"] == want
    read = client.call("resources/read", {"uri": "everything://question"})
    assert read["contents"][0]["text"] == "This is about Ada's name"
    prompt = client.call("prompts/get", {"name": "test_input_required_result_prompt"})
    assert prompt["messages"][0]["content"]["text"] == "Context: Ada's context"


def test_asks_by_requests_in_a_legacy_session(clients: dict[tuple[str, str], Peer]) -> None:
    client = clients[LEGACY, "envelope"]
    for tool, arguments, want in [
        (
            "test_elicitation",
            {"message": "m"},
            'Elicitation result: action=accept, content={"username":"Ada\'s username"}',
        ),
        ("test_sampling", {}, "LLM response: completion"),
        ("roots", {}, "home:file:///home"),
        ("test_input_required_result_elicitation", {}, "Hello, Ada's name!"),
    ]:
        assert client.call("tools/call", {"name": tool, "arguments": arguments})["content"][0]["text"] == want


@typed_forms
def test_cannot_ask_a_legacy_client_without_a_stream(clients: dict[tuple[str, str], Peer], form: str) -> None:
    client = clients[LEGACY, form]
    result = client.begin("tools/call", {"name": "test_elicitation", "arguments": {"message": "m"}})
    outcome = client.outcome(result)
    assert outcome["error"]["code"] == -32600, outcome


@typed_forms
def test_tells_of_changes(clients: dict[tuple[str, str], Peer], form: str) -> None:
    client = clients[MODERN, form]
    wanted = {"toolsListChanged": True, "resourceSubscriptions": ["test://watched-resource"]}
    listening = client.begin("subscriptions/listen", {"notifications": wanted})
    first = client.wait(id=listening)["event"]
    assert first["Acknowledged"]["notifications"] == wanted
    client.call("tools/call", {"name": "add_tool", "arguments": {"name": form}})
    assert client.wait(id=listening)["event"]["ToolsChanged"]
    client.call("tools/call", {"name": "update_resource", "arguments": {"text": form}})
    assert client.wait(id=listening)["event"]["ResourceUpdated"]["uri"] == "test://watched-resource"
    client.cancel(listening)
    client.outcome(listening)


@versions
@typed_forms
def test_shows_what_a_watched_resource_holds(client: Peer, version: str, form: str) -> None:
    watching = client.begin("watch", {"uri": "test://watched-resource"})
    assert client.wait(id=watching)["event"] == "standing"
    client.call("tools/call", {"name": "update_resource", "arguments": {"text": f"{version} {form}"}})
    update = client.wait(id=watching)["event"]
    assert update["URI"] == "test://watched-resource"
    assert update["Contents"]["contents"][0]["text"] == f"{version} {form}"
    client.cancel(watching)
    client.outcome(watching)


def test_tells_a_legacy_session_of_changes(clients: dict[tuple[str, str], Peer]) -> None:
    client = clients[LEGACY, "envelope"]
    client.drop_seen()
    client.call("resources/subscribe", {"uri": "test://watched-resource"})
    client.call("tools/call", {"name": "update_resource", "arguments": {"text": "legacy"}})
    assert client.wait(event="resource_updated")["params"]["uri"] == "test://watched-resource"
    client.call("tools/call", {"name": "add_tool", "arguments": {"name": "legacy"}})
    client.wait(event="tools_changed")


@versions
@forms
def test_carries_four_megabytes_and_refuses_more(url: str, version: str, form: str) -> None:
    largest = "x" * (4 * 1024 * 1024 - 2048)
    with go_client(url, "-version", version, "-form", form) as client:
        small = {"name": "greet", "arguments": {"name": "Ada"}}
        result = client.call("tools/call", {"name": "greet", "arguments": {"name": largest}})
        assert result["content"][0]["text"] == "Hi " + largest
        refused = client.refusal("tools/call", {"name": "greet", "arguments": {"name": largest + "x" * 4096}})
        assert refused["status"] in ("resource_exhausted", "unavailable"), refused
        if version == MODERN or form == "typed":
            assert client.call("tools/call", small)["content"][0]["text"] == "Hi Ada"


@versions
@forms
def test_refuses_an_answer_that_is_too_large(client: Peer, form: str) -> None:
    arguments = {"x": "y" * 2_200_000}  # which comes back twice
    refused = client.refusal("tools/call", {"name": "structured_echo", "arguments": arguments})
    assert refused["code"] == -32600, refused
    if form != "envelope":
        assert refused["status"] == "resource_exhausted", refused
    # The stream has not ended with it, nor the session.
    assert client.call("tools/call", {"name": "greet", "arguments": {"name": "Ada"}})["content"]


@forms
def test_answers_many_calls_at_a_time(clients: dict[tuple[str, str], Peer], form: str) -> None:
    client = clients[MODERN, form]
    calls = [client.begin("tools/call", {"name": "greet", "arguments": {"name": str(n)}}) for n in range(300)]
    texts = [client.outcome(call)["result"]["content"][0]["text"] for call in calls]
    assert texts == [f"Hi {n}" for n in range(300)]


def test_ends_what_is_in_flight_as_it_goes() -> None:
    """A server that drains gives calls their time, and tells those that need more that it goes (SPEC.md §10.4)."""
    with python_server("--grace", "1") as (url, peer), contextlib.ExitStack() as stack:
        clients = [stack.enter_context(go_client(url, "-form", form)) for form in FORMS]
        calls = [client.begin("tools/call", {"name": "block"}) for client in clients]
        for _ in calls:
            peer.wait(event="blocked")
        peer.end()
        for client, call in zip(clients, calls, strict=True):
            error = client.outcome(call)["error"]
            assert error["status"] == "unavailable", error


@versions
@forms
async def test_the_python_clients_get_the_same(server: tuple[str, Peer], version: str, form: str) -> None:
    url, peer = server
    async with any_client(url, version, form, answering=True) as client:
        assert len((await client.list_tools()).tools) > 15
        echo = await client.call_tool("structured_echo", {"n": BIG, "x": [None, "\u2028"]})
        assert echo.structured_content == {"n": BIG, "x": [None, "\u2028"]}
        assert (await client.read_resource("test://static-binary")).contents[0].blob.startswith("iVBORw0KGgo")
        steps, on_progress = collecting()
        await client.call_tool("test_tool_with_progress", {}, progress_callback=on_progress)
        await until(lambda: len(steps) == 3)
        asking = "test_elicitation" if version == LEGACY else "test_input_required_result_elicitation"
        asked = await client.call_tool(asking, {"message": "m"})
        assert "Ada's" in asked.content[0].text
        with pytest.raises(MCPError) as own:
            await client.call_tool("error_jsonrpc", {"code": 4001, "message": "mine", "data": [{"n": BIG}]})
        assert (own.value.code, own.value.data) == (4001, [{"n": BIG}])
        call = asyncio.create_task(client.call_tool("block"))
        await peer.heard(event="blocked")
        call.cancel()
        await peer.heard(event="unblocked")
        await asyncio.gather(call, return_exceptions=True)
