# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The typed client on a server that knows the inherited subset alone (SPEC.md §15.3)."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import mcp.types as types
import pytest
from interop_forms import MODERN, collecting, typed_client
from interop_peer import PATIENCE, ROOT

from mcp_grpc.client import CallError, Client

typed_forms = pytest.mark.parametrize("form", ["typed", "multiplexed"])


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    go = shutil.which("go")
    if go is None:
        pytest.skip("the Go toolchain is not here")
    binary = Path(tmp_path_factory.mktemp("inherited")) / "server"
    subprocess.run([go, "build", "-C", "interop", "-o", binary, "./inheritedserver"], cwd=ROOT, check=True, timeout=600)
    with subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("listening on ").strip()
        process.terminate()


@typed_forms
async def test_calls_tools_with_structs(target: str, form: str) -> None:
    async with typed_client(target, MODERN, form) as client:
        echo = await client.call_tool("echo", {"a": 1, "b": ["x", None]})
        assert echo.structured_content == {"a": 1, "b": ["x", None]}
        progress, on_progress = collecting()
        done = await client.call_tool("steps", {}, progress_callback=on_progress)
        assert isinstance(done.content[0], types.TextContent)
        assert done.content[0].text == "done"
        assert [step[0] for step in progress] == [25, 50, 75, 100]
        assert (await client.call_tool("broken", {})).is_error is True
        with pytest.raises(CallError) as unknown:
            await client.call_tool("nope", {})
        assert unknown.value.code == -32602
        with pytest.raises(CallError, match="Struct"):
            await client.call_tool("echo", {"n": 2**53 + 1})  # it would arrive as another number


@typed_forms
async def test_reads_lists_and_watches(target: str, form: str) -> None:
    async with typed_client(target, MODERN, form) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["echo", "steps", "broken"]
        assert (await client.list_resources()).resources[0].uri == "notes://today"
        assert (await client.list_prompts()).prompts[0].name == "summary"
        read = await client.read_resource("notes://dot")
        assert isinstance(read.contents[0], types.BlobResourceContents)
        assert (read.contents[0].uri, read.contents[0].blob) == ("notes://dot", "/wA=")
        prompt = await client.request("prompts/get", {"name": "summary", "arguments": {"topic": "notes"}})
        assert "notes" in prompt["messages"][0]["content"]["text"]
        ref = types.PromptReference(type="ref/prompt", name="summary")
        done = await client.complete(ref, {"name": "topic", "value": "m"})
        assert done.completion.values == ["meetings", "messages"]
        assert (await client.ping()).year > 2025
        async with client.subscribe("notes://today") as updates:
            update = await asyncio.wait_for(anext(updates), PATIENCE)
            assert update.error is None
            assert update.contents is not None
            assert update.contents.contents[0].uri == "notes://today"


async def test_opens_and_ends_a_session(target: str) -> None:
    async with Client(target, version="2025-06-18", timeout=PATIENCE) as client:
        opened = await client.initialize()
        assert (opened.server_info.name, opened.protocol_version) == ("inherited", "2025-06-18")
        assert len((await client.list_tools()).tools) == 3
