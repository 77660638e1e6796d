# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""All of the wire with each kind of credentials: every RPC, in each form and era, from each side to the other."""

from __future__ import annotations

import asyncio
import functools
import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import grpc
import mcp.types as types
import pytest
from auth_certs import CA
from interop_forms import FORMS, LEGACY, MODERN, any_client, collecting
from interop_peer import PATIENCE, Peer, go_client, go_server, peer_binary, python_server
from mcp.shared.exceptions import MCPError

from mcp_grpc.auth import APIKey, BearerToken, ClientTLS, new_api_key
from mcp_grpc.client import CallError, Client

BIG = 2**53 + 1
TOKEN = "dev-token"
KEY, _ = new_api_key("dev", "key holder")
WATCHED = "test://watched-resource"

pytestmark = [
    pytest.mark.parametrize("version", [MODERN, LEGACY]),
    pytest.mark.parametrize("form", FORMS),
    pytest.mark.parametrize("auth", ["none", "bearer", "apikey", "mtls", "unix"]),
    pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning"),
]

Serve = Callable[[str], tuple[str, Peer]]


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder, ca = tmp_path_factory.mktemp("certs"), CA("ours")
    server, client = ca.server(), ca.issue(uris=["spiffe://example.org/client"])
    texts = {
        "ca": ca.pem,
        "server": server.pem,
        "server-key": server.key,
        "client": client.pem,
        "client-key": client.key,
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text)
    return {name: str(folder / name) for name in texts}


def options(auth: str, pems: dict[str, str], folder: Path) -> list[str]:
    """Options of a server of either side."""
    match auth:
        case "bearer":
            return ["--auth", auth, "--secret", TOKEN]
        case "apikey":
            return ["--auth", auth, "--secret", KEY]
        case "mtls":
            return ["--auth", auth, "--cert", pems["server"], "--key", pems["server-key"], "--ca", pems["ca"]]
        case "unix":
            return ["--auth", auth, "--addr", f"unix:{folder}/s"]
    return []


@pytest.fixture(scope="module")
def go(pems: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Gives a Go server by its kind of credentials."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("go")
        # In a legacy session the SDK refuses lists with tools whose output is no object.
        without = ["--without", "structured_array,structured_number"]
        yield functools.cache(lambda auth: stack.enter_context(go_server(*without, *options(auth, pems, folder))))


@pytest.fixture(scope="module")
def python(pems: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Gives a Python server by its kind of credentials."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("python")
        yield functools.cache(lambda auth: stack.enter_context(python_server(*options(auth, pems, folder))))


async def test_python_client_on_go_server(go: Serve, pems: dict[str, str], auth: str, form: str, version: str) -> None:
    url, peer = await asyncio.to_thread(go, auth)
    peer.drop_seen()
    shown = {"bearer": BearerToken(TOKEN), "apikey": APIKey(KEY)}.get(auth)
    tls = ClientTLS(pems["ca"], pems["client"], pems["client-key"]) if auth == "mtls" else None
    if shown is not None:
        # The SDK raises what happens within its client in a group.
        with pytest.raises((MCPError, ExceptionGroup)) as refusal:
            async with any_client(url, version, form) as nobody:
                await nobody.list_tools()
        assert "credentials are missing" in "".join(traceback.format_exception(refusal.value))
    async with AsyncExitStack() as stack:
        open_client = functools.partial(any_client, url, version, form, auth=shown, tls=tls)
        client = await stack.enter_async_context(open_client(answering=True))
        await visit(client, peer)
        await ask(client, version, form)
        if isinstance(client, Client):
            await visit_typed(client, version)


async def visit(client: Any, peer: Peer) -> None:
    """Makes the requests that all clients have in common."""
    assert "greet" in [tool.name for tool in (await client.list_tools()).tools]
    assert (await client.list_resources()).resources
    assert (await client.list_resource_templates()).resource_templates
    assert "prompt_all" in [prompt.name for prompt in (await client.list_prompts()).prompts]
    assert "42" in (await client.read_resource("test://template/42/data")).contents[0].text
    assert (await client.get_prompt("grüß dich", {"name": "Ada"})).messages[0].content.text == "Say hi to Ada"
    ref = types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments")
    done = await client.complete(ref, {"name": "arg2", "value": "x"}, {"arg1": "x"})
    assert done.completion.values == ["x-one", "x-two"]
    heard, hear = collecting()
    await client.call_tool("test_tool_with_progress", progress_callback=hear)
    assert [step[0] for step in heard] == [0, 50, 100]
    sent = {"n": BIG, "deep": [[-BIG, 1e-7, None]], "text": "\x00\u2028"}
    assert (await client.call_tool("structured_echo", sent)).structured_content == sent
    assert (await client.call_tool("test_image_content")).content[0].mime_type == "image/png"
    data = [{"n": BIG}, None, "x" * 100_000]  # more than the metadata that gRPC takes by default
    with pytest.raises(MCPError) as own:
        await client.call_tool("error_jsonrpc", {"code": 4001, "message": "mine", "data": data})
    assert (own.value.code, own.value.message, own.value.data) == (4001, "mine", data)

    call = asyncio.create_task(client.call_tool("block"))
    await peer.heard(event="blocked")
    call.cancel()
    await peer.heard(event="unblocked")
    await asyncio.gather(call, return_exceptions=True)


async def ask(client: Any, version: str, form: str) -> None:
    """Has the server ask the client something."""
    if version == MODERN:
        asked = await client.call_tool("test_input_required_result_elicitation")
        assert asked.content[0].text == "Hello, Ada's name!"
    else:
        asked = await client.call_tool("test_elicitation", {"message": "m"})
        assert "action=accept" in asked.content[0].text, form


async def visit_typed(client: Client, version: str) -> None:
    """Makes those that only the typed client has."""
    assert (await client.ping()).year > 2025
    if version == MODERN:
        assert (await client.discover()).supported_versions[0] == MODERN
        with pytest.raises(CallError) as unknown:
            await client.get_task("nobody")
        assert unknown.value.code in (-32602, -32601)
        async with client.listen(resource_subscriptions=[WATCHED]) as changes:
            await client.call_tool("update_resource", {"text": "listened"})
            changed = await asyncio.wait_for(anext(changes), PATIENCE)
            assert isinstance(changed, types.ResourceUpdatedNotification)
    else:
        assert (await client.initialize()).protocol_version == LEGACY
        await client.request("logging/setLevel", {"level": "debug"})  # by Send
    async with client.subscribe(WATCHED) as updates:
        await client.call_tool("update_resource", {"text": "watched"})
        update = await asyncio.wait_for(anext(updates), PATIENCE)
        assert update.contents is not None
        assert getattr(update.contents.contents[0], "text", None) == "watched"
    with pytest.raises(CallError) as late:
        await client.call_tool("block", timeout=0.2)
    assert late.value.status is grpc.StatusCode.DEADLINE_EXCEEDED


def test_go_client_on_python_server(python: Serve, pems: dict[str, str], auth: str, form: str, version: str) -> None:
    url, peer = python(auth)
    peer.drop_seen()
    spoken = ["-version", version, "-form", form]
    shown = {
        "bearer": ["-header", f"authorization: Bearer {TOKEN}"],
        "apikey": ["-header", f"x-mcp-api-key: {KEY}"],
        "mtls": ["-cert", pems["client"], "-key", pems["client-key"]],
    }.get(auth, [])
    tls = ["-ca", pems["ca"]] if auth == "mtls" else []
    if auth in ("bearer", "apikey"):
        with Peer([peer_binary(), "call", *spoken, url]) as nobody:
            if form != "envelope":
                nobody.begin("tools/list")
            said = nobody.wait(id="connect" if form == "envelope" else "1")
            assert "credentials are missing" in said["error"]["message"]
    with go_client(url, *spoken, *tls, *shown) as client:
        visit_by_go(client, peer)
        if form != "envelope":
            visit_typed_by_go(client, version)
        if version == MODERN:
            asked = client.call("tools/call", {"name": "test_input_required_result_elicitation"})
            assert asked["content"][0]["text"] == "Hello, Ada's name!"
        elif form == "envelope":
            asked = client.call("tools/call", {"name": "test_elicitation", "arguments": {"message": "m"}})
            assert "action=accept" in asked["content"][0]["text"]


def visit_by_go(client: Peer, peer: Peer) -> None:
    assert "greet" in [tool["name"] for tool in client.call("tools/list")["tools"]]
    assert client.call("resources/list")["resources"]
    assert client.call("resources/templates/list")["resourceTemplates"]
    assert "prompt_all" in [prompt["name"] for prompt in client.call("prompts/list")["prompts"]]
    assert "42" in client.call("resources/read", {"uri": "test://template/42/data"})["contents"][0]["text"]
    prompt = client.call("prompts/get", {"name": "grüß dich", "arguments": {"name": "Ada"}})
    assert prompt["messages"][0]["content"]["text"] == "Say hi to Ada"
    ref = {"type": "ref/prompt", "name": "prompt_all"}
    params = {"ref": ref, "argument": {"name": "a", "value": "x"}, "context": {"arguments": {"arg1": "x"}}}
    assert client.call("completion/complete", params)["completion"]["values"] == ["x-one", "x-two"]
    sent = {"n": BIG, "deep": [[-BIG, 1e-7, None]], "text": "\x00\u2028"}
    echo = client.call("tools/call", {"name": "structured_echo", "arguments": sent})
    assert echo["structuredContent"]["text"] == sent["text"]
    assert json.loads(echo["content"][0]["text"]) == sent  # of structured content the Go SDK makes float64
    assert client.call("tools/call", {"name": "test_image_content"})["content"][0]["mimeType"] == "image/png"
    own = {"code": 4001, "message": "mine", "data": [{"n": BIG}, None, "x" * 100_000]}
    refused = client.refusal("tools/call", {"name": "error_jsonrpc", "arguments": own})
    assert own.items() <= refused.items()
    call = client.begin("tools/call", {"name": "block"})
    peer.wait(event="blocked")
    client.cancel(call)
    assert client.outcome(call)["error"]["status"] == "canceled"
    peer.wait(event="unblocked")
    late = client.refusal("tools/call", {"name": "block"}, timeout_ms=200)
    assert late["status"] == "deadline_exceeded"


def visit_typed_by_go(client: Peer, version: str) -> None:
    assert client.call("ping") == {}
    if version == MODERN:
        assert client.call("server/discover")["supportedVersions"][0] == MODERN
        listening = client.begin("subscriptions/listen", {"notifications": {"resourceSubscriptions": [WATCHED]}})
        assert client.wait(id=listening)["event"]["Acknowledged"]
        client.call("tools/call", {"name": "update_resource", "arguments": {"text": "listened"}})
        assert client.wait(id=listening)["event"]["ResourceUpdated"]["uri"] == WATCHED
        client.cancel(listening)
        client.outcome(listening)
    watching = client.begin("watch", {"uri": WATCHED})
    assert client.wait(id=watching)["event"] == "standing"
    client.call("tools/call", {"name": "update_resource", "arguments": {"text": "watched"}})
    assert client.wait(id=watching)["event"]["Contents"]["contents"][0]["text"] == "watched"
    client.cancel(watching)
    client.outcome(watching)
