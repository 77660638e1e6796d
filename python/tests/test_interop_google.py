# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""What interoperates with Google's `model_context_protocol.Mcp`, whose stubs are mcp-grpc-transport-proto on PyPI.

Its service has another name and other messages, so that no call of one side means anything to the other. What can
be had is that this is said at once and clearly, and that one process can have both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import mcp
import pytest
from everything import Everything
from google.protobuf.struct_pb2 import Struct
from interop_peer import PATIENCE, go_server
from mcp.shared.exceptions import MCPError

from mcp_grpc._gen.mcp.v1.catalog_pb2 import Tool
from mcp_grpc.client import CallError, Client, Transport
from mcp_grpc.server import Server

messages: Any = pytest.importorskip("mcp_grpc_transport_proto.mcp_messages_pb2")
google: Any = pytest.importorskip("mcp_grpc_transport_proto.mcp_pb2_grpc")

RPCS = {
    "ListResources": "ListResourcesRequest",
    "ReadResource": "ReadResourceRequest",
    "ListResourceTemplates": "ListResourceTemplatesRequest",
    "ListPrompts": "ListPromptsRequest",
    "GetPrompt": "GetPromptRequest",
    "ListTools": "ListToolsRequest",
    "CallTool": "CallToolRequest",
    "Complete": "CompletionRequest",
}


@pytest.fixture(scope="module")
def go() -> Iterator[str]:
    with go_server() as (url, _):
        yield url.removeprefix("http://")


async def refusals(target: str) -> dict[str, grpc.StatusCode]:
    """Gives what each RPC of Google's service is answered with."""
    found = {}
    async with grpc.aio.insecure_channel(target) as channel:
        stub = google.McpStub(channel)
        for rpc, request in RPCS.items():
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await getattr(stub, rpc)(getattr(messages, request)(), timeout=PATIENCE)
            found[rpc] = failure.value.code()
    return found


async def test_servers_refuse_each_call_of_a_google_client(go: str) -> None:
    unimplemented = dict.fromkeys(RPCS, grpc.StatusCode.UNIMPLEMENTED)
    assert await refusals(go) == unimplemented
    async with Server(Everything().server, "127.0.0.1:0") as server:
        assert await refusals(f"127.0.0.1:{server.port}") == unimplemented


class Google(google.McpServicer):  # type: ignore[misc] # it has no types
    """A server with one tool."""

    async def ListTools(self, request: Any, context: Any) -> Any:  # noqa: N802
        return messages.ListToolsResponse(tools=[messages.Tool(name="greet")])


@asynccontextmanager
async def google_server() -> AsyncIterator[str]:
    server = grpc.aio.server()
    google.add_McpServicer_to_server(Google(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


@pytest.mark.parametrize("multiplexed", [True, False])
async def test_clients_say_that_a_google_server_is_another_one(multiplexed: bool) -> None:
    async with google_server() as target, Client(target, multiplexed=multiplexed, timeout=PATIENCE) as client:
        for call in (client.list_tools(), client.ping(), client.call_tool("greet", {"name": "Ada"})):
            with pytest.raises(CallError) as refusal:
                await call
            assert (refusal.value.status, refusal.value.code) == (grpc.StatusCode.UNIMPLEMENTED, -32601)
            assert refusal.value.derived  # no MCP server said so


async def test_the_sdk_says_so_too() -> None:
    async with google_server() as target:
        with pytest.raises(ExceptionGroup) as failure:
            async with mcp.Client(Transport(target)):
                pass
    assert failure.group_contains(MCPError, match="no answer came on the stream")


async def test_both_services_can_be_called_in_one_process() -> None:
    async with (
        google_server() as other,
        Server(Everything().server, "127.0.0.1:0") as server,
        Client(f"127.0.0.1:{server.port}", timeout=PATIENCE) as client,
        grpc.aio.insecure_channel(other) as channel,
    ):
        theirs = await google.McpStub(channel).ListTools(messages.ListToolsRequest(), timeout=PATIENCE)
        ours = await client.list_tools()
        assert theirs.tools[0].name == ours.tools[0].name == "greet"


def test_a_tool_has_the_same_first_fields() -> None:
    """Nothing is promised beyond them: title has number 5 here and 6 there."""
    schema = Struct()
    schema.update({"type": "object"})
    ours = Tool(name="greet", description="says hi", input_schema=schema)
    theirs = messages.Tool.FromString(ours.SerializeToString())
    assert (theirs.name, theirs.description, theirs.input_schema["type"]) == ("greet", "says hi", "object")
    numbers = {f.name: f.number for f in messages.Tool.DESCRIPTOR.fields}
    assert numbers["title"] != Tool.DESCRIPTOR.fields_by_name["title"].number
