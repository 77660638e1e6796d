# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""What callers may do at a server of MCP, in every form and both eras, and how long (SPEC.md §14.2, §14.4)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import grpc
import mcp
import pytest
from auth_issuer import RESOURCE, Issuer, Key
from auth_server import PATIENCE, Ending, until
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from interop_forms import FORMS, LEGACY, MODERN, sdk_client, typed_client
from mcp import MCPError
from mcp.server import MCPServer
from pydantic import Field

from mcp_grpc._gen.mcp.v1 import envelope_pb2, mcp_pb2_grpc, resource_pb2, session_pb2, subscription_pb2, tool_pb2
from mcp_grpc.auth import (
    AccessDenied,
    Action,
    APIKeyFile,
    APIKeyRecord,
    APIKeys,
    Bearer,
    BearerToken,
    Guard,
    InsufficientScope,
    JWTVerifier,
    Policy,
    Principal,
    ResourceMetadata,
    Rule,
    channel,
    current_principal,
    new_api_key,
)
from mcp_grpc.auth import Issuer as Config
from mcp_grpc.client import CallError
from mcp_grpc.codec import failure_of
from mcp_grpc.server import Server

WHERE = "https://mcp.example.com/.well-known/oauth-protected-resource/base"


@dataclass
class Lab:
    """A server of MCP with a policy, and what its tools saw."""

    issuer: Issuer
    reached: list[str] = field(default_factory=list)
    running: int = 0
    began: int = 0
    url: str = ""
    keys: dict[str, str] = field(default_factory=dict)

    def token(self, scope: str, **claims: Any) -> BearerToken:
        return BearerToken(self.issuer.token(scope=scope, **claims))

    def key(self, name: str) -> tuple[tuple[str, str], ...]:
        return (("x-mcp-api-key", self.keys[name]),)


def mcp_server(lab: Lab) -> MCPServer[Any]:
    server: MCPServer[Any] = MCPServer("lab")

    async def who() -> str:
        caller = current_principal()
        text = "nobody" if caller is None else f"{caller.id} by {caller.method}"
        lab.reached.append(text)
        return text

    async def picky() -> str:
        raise InsufficientScope("picky", "read")

    async def never() -> str:
        raise AccessDenied

    async def forever() -> str:
        lab.running += 1
        lab.began += 1
        try:
            await asyncio.Event().wait()
        finally:
            lab.running -= 1
        return ""

    async def regional(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> str:
        return region

    server.add_tool(regional, name="hidden_region")
    for name, tool in {
        "read": who,
        "write": who,
        "hidden": who,
        "picky": picky,
        "never": never,
        "forever": forever,
    }.items():
        server.add_tool(tool, name=name)
    server.prompt("hello")(lambda: "hello")
    server.prompt("secret")(lambda: "secret")
    server.resource("file:///open", name="open")(lambda: "open")
    server.resource("file:///private/{name}", name="private")(lambda name: f"{name}")
    return server


async def no_mondays(principal: Principal, action: Action) -> None:
    if action.name == "hello" and principal.subject == "monday":
        raise AccessDenied


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with Issuer([Key.new("k1")]) as issuer:
        made = Lab(issuer)
        records = []
        for name in ("bob", "carol"):
            made.keys[name], record = new_api_key("test", name, key_id=name, scopes=["mcp", "read"])
            records.append(record)
        read = Rule(["read"])
        policy = Policy(
            baseline=["mcp"],
            tools={"read": read, "write": Rule(["read", "write"]), "picky": read, "never": read, "forever": read},
            prompts={"hello": read, "secret": Rule(["secret"])},
            resources={"file:///open": read, "file:///private/{name}": Rule(["secret"])},
            authorizer=no_mondays,
        )
        verifier = JWTVerifier([Config(issuer.url, algorithms=["EdDSA"])], resource=RESOURCE)
        guard = Guard(
            [Bearer(verifier), APIKeys(records)],
            metadata=ResourceMetadata(RESOURCE, authorization_servers=[issuer.url]),
            policy=policy,
        )
        async with Server(mcp_server(made), "127.0.0.1:0", auth=guard) as server:
            made.url = f"127.0.0.1:{server.port}"
            yield made


Open = Callable[..., contextlib.AbstractAsyncContextManager[Any]]
WAYS = [(form, version) for form in FORMS for version in (MODERN, LEGACY)]


@contextlib.asynccontextmanager
async def client(lab: Lab, form: str, version: str, **options: Any) -> AsyncIterator[Any]:
    if form == "envelope":
        async with sdk_client(lab.url, version, **options) as c:
            yield c
    else:
        async with typed_client(lab.url, version, form, **options) as c:
            yield c


async def refusal(call: Awaitable[Any]) -> tuple[int, Any]:
    """Code and data of a call that must not be made."""
    with pytest.raises(MCPError) as e:
        await call
    if isinstance(e.value, CallError):
        assert e.value.status is grpc.StatusCode.PERMISSION_DENIED, e.value
    return e.value.code, e.value.data


def needs(scope: str) -> tuple[int, Any]:
    return -32600, {"reason": "insufficient_scope", "scope": scope, "resource_metadata": WHERE}


DENIED = (-32600, {"reason": "access_denied"})


@pytest.mark.parametrize(("form", "version"), WAYS)
async def test_access(lab: Lab, form: str, version: str) -> None:
    async with client(lab, form, version, auth=lab.token("mcp read")) as c:
        result = await c.call_tool("read")
        assert result.content[0].text == f"{lab.issuer.url}|ann by jwt"
        lab.reached.clear()
        assert await refusal(c.call_tool("write")) == needs("mcp read write")
        assert await refusal(c.call_tool("picky")) == needs("picky read")
        for name in ("hidden", "nothing", "Read", "re\u0430d", "read ", "never"):
            assert await refusal(c.call_tool(name)) == DENIED, name
        assert await refusal(c.get_prompt("secret")) == needs("mcp secret")
        assert await refusal(c.get_prompt("nothing")) == DENIED
        assert await refusal(c.read_resource("file:///private/x")) == needs("mcp secret")
        assert await refusal(c.read_resource("file:///nothing")) == DENIED
        prompt = mcp.types.PromptReference(type="ref/prompt", name="secret")
        assert await refusal(c.complete(prompt, {"name": "a", "value": "b"})) == needs("mcp secret")
        assert (await c.get_prompt("hello")).messages
        assert (await c.read_resource("file:///open")).contents
    assert lab.reached == []


async def test_metadata_tells_nothing_of_tools_that_may_not_be_used(lab: Lab) -> None:
    async with typed_client(lab.url, MODERN, "typed", auth=lab.token("mcp read")) as c:
        wrong = [("mcp-param-region", "not what the argument says")]
        for name in ("hidden_region", "nothing"):
            assert await refusal(c.call_tool(name, {"region": "r"}, metadata=wrong)) == DENIED


@pytest.mark.parametrize(("form", "version"), WAYS)
async def test_lists_are_filtered(lab: Lab, form: str, version: str) -> None:
    async with client(lab, form, version, auth=lab.token("mcp read")) as c:
        tools = await c.list_tools()
        assert sorted(t.name for t in tools.tools) == ["forever", "never", "picky", "read"]
        assert [p.name for p in (await c.list_prompts()).prompts] == ["hello"]
        assert [str(r.uri) for r in (await c.list_resources()).resources] == ["file:///open"]
        assert (await c.list_resource_templates()).resource_templates == []
        if version == MODERN:
            assert tools.cache_scope == "private"
    async with client(lab, form, version, auth=lab.token("mcp read write secret")) as c:
        assert len((await c.list_tools()).tools) == 5
        assert len((await c.list_prompts()).prompts) == 2
        assert len((await c.list_resource_templates()).resource_templates) == 1


@pytest.mark.parametrize(("form", "version"), WAYS)
async def test_keys_cannot_get_scopes(lab: Lab, form: str, version: str) -> None:
    async with client(lab, form, version, metadata=lab.key("bob")) as c:
        assert (await c.call_tool("read")).content[0].text == "api-key|bob by api-key"
        assert await refusal(c.call_tool("write")) == DENIED
        assert await refusal(c.call_tool("picky")) == DENIED


@pytest.mark.parametrize(("form", "version"), WAYS)
async def test_the_authorizer_is_asked(lab: Lab, form: str, version: str) -> None:
    async with client(lab, form, version, auth=lab.token("mcp read", sub="monday")) as c:
        assert await refusal(c.get_prompt("hello")) == DENIED
        assert (await c.list_prompts()).prompts == []


@contextlib.asynccontextmanager
async def stub(lab: Lab) -> AsyncIterator[Any]:
    async with channel(lab.url) as c:
        yield mcp_pb2_grpc.MCPStub(c)  # type: ignore[no-untyped-call]


async def test_a_refused_rpc_has_the_challenge(lab: Lab) -> None:
    metadata = await lab.token("mcp read").metadata()
    async with stub(lab) as s:
        for name, scope in (("write", "mcp read write"), ("picky", "picky read")):
            with pytest.raises(grpc.aio.AioRpcError) as e:
                await s.InvokeTool(tool_pb2.CallToolRequest(name=name), metadata=metadata)
            challenge = f'Bearer error="insufficient_scope", scope="{scope}", resource_metadata="{WHERE}"'
            assert [v for k, v in e.value.initial_metadata() if k == "www-authenticate"] == [challenge]
            assert [v for k, v in e.value.trailing_metadata() if k == "www-authenticate"] == []
            failure, info = failure_of(e.value), error_details_pb2.ErrorInfo()
            assert failure.details[0].Unpack(info)  # type: ignore[attr-defined]
            assert (info.reason, info.domain) == ("INSUFFICIENT_SCOPE", "mcpconnect")
            assert dict(info.metadata) == {"scope": scope, "resource_metadata": WHERE}
        for name, headers in (("hidden", metadata), ("write", lab.key("bob"))):
            with pytest.raises(grpc.aio.AioRpcError) as e:
                await s.InvokeTool(tool_pb2.CallToolRequest(name=name), metadata=headers)
            assert e.value.code() is grpc.StatusCode.PERMISSION_DENIED
            assert "www-authenticate" not in dict(e.value.initial_metadata())


async def test_subscriptions_count_as_their_resources(lab: Lab) -> None:
    metadata = await lab.token("mcp read").metadata()
    wanted = subscription_pb2.SubscriptionFilter(resource_subscriptions=["file:///open", "file:///private/x"])
    async with stub(lab) as s:
        for stream in (
            s.Listen(subscription_pb2.ListenRequest(notifications=wanted), metadata=metadata),
            s.SubscribeResource(resource_pb2.SubscribeResourceRequest(uri="file:///private/x"), metadata=metadata),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as e:
                await stream.read()
            assert failure_of(e.value).data == needs("mcp secret")[1]


STREAMS: dict[str, Callable[[Any, Any], Any]] = {
    "Listen": lambda s, m: s.Listen(
        subscription_pb2.ListenRequest(notifications=subscription_pb2.SubscriptionFilter(tools_list_changed=True)),
        metadata=m,
    ),
    "CallTool": lambda s, m: s.CallTool(tool_pb2.CallToolRequest(name="forever"), metadata=m),
    "InvokeTool": lambda s, m: s.InvokeTool(tool_pb2.CallToolRequest(name="forever"), metadata=m),
    "Connect": lambda s, m: s.Connect(metadata=m),
}
CALL = envelope_pb2.Envelope(call=envelope_pb2.CallFrame(call_id=1, call_tool=tool_pb2.CallToolRequest(name="forever")))


@pytest.mark.parametrize("name", [*STREAMS, "Connect with a call"])
async def test_streams_end_with_their_credential(name: str) -> None:
    lab = Lab(Issuer([Key.new("k1")]))
    async with Server(mcp_server(lab), "127.0.0.1:0", auth=Ending(1)) as server:
        lab.url = f"127.0.0.1:{server.port}"
        async with stub(lab) as s:
            stream = STREAMS[name.split(" ")[0]](s, ())
            if name == "Connect with a call":
                await stream.write(envelope_pb2.Envelope(hello=envelope_pb2.Hello(frames=True)))
                await stream.write(CALL)
            with pytest.raises(grpc.aio.AioRpcError) as e:
                await asyncio.wait_for(drained(stream), PATIENCE)
            failure = failure_of(e.value)
            assert (failure.status, failure.code) == (grpc.StatusCode.UNAUTHENTICATED, -32600)
            await until(lambda: lab.running == 0)
    if name not in ("Listen", "Connect"):
        assert lab.began == 1


async def drained(stream: Any) -> None:
    if hasattr(stream, "read"):
        while await stream.read() is not grpc.aio.EOF:
            pass
    else:
        await stream


INITIALIZE = session_pb2.InitializeRequest(
    protocol_version=LEGACY, client_info={"name": "test", "version": "1"}, capabilities={}
)


async def test_a_session_is_its_callers(lab: Lab) -> None:
    """Others are told that it does not exist: other users, and other clients of the same user."""
    owner = await lab.token("mcp read").metadata()
    others = [
        await lab.token("mcp read", sub="eve").metadata(),
        await lab.token("mcp read", client_id="other").metadata(),
        lab.key("bob"),
    ]
    async with stub(lab) as s:
        opened = await s.Initialize(INITIALIZE, metadata=(*owner, ("mcp-protocol-version", LEGACY)))
        own = (("mcp-session-id", opened.session_id), ("mcp-protocol-version", LEGACY))
        for metadata in others:
            with pytest.raises(grpc.aio.AioRpcError) as e:
                await s.InvokeTool(tool_pb2.CallToolRequest(name="read"), metadata=(*metadata, *own))
            assert e.value.code() is grpc.StatusCode.NOT_FOUND
        assert await s.InvokeTool(tool_pb2.CallToolRequest(name="read"), metadata=(*owner, *own))
    assert lab.reached == [f"{lab.issuer.url}|ann by jwt"]


async def test_a_key_file_is_watched_while_the_server_runs(tmp_path: Path) -> None:
    """A key that is taken out of its file ends what it has let in."""
    path = tmp_path / "keys.json"
    stays, goes = (new_api_key("test", name, key_id=name) for name in ("stays", "goes"))

    def write(*records: APIKeyRecord) -> None:
        items = [{"id": r.id, "hash": r.hash, "subject": r.subject} for r in records]
        (tmp_path / "new").write_text(json.dumps({"keys": items}))
        (tmp_path / "new").replace(path)

    write(stays[1], goes[1])
    lab = Lab(Issuer([Key.new("k1")]))
    keys = APIKeyFile(path, interval=0.01)
    async with Server(mcp_server(lab), "127.0.0.1:0", auth=keys) as server:
        lab.url = f"127.0.0.1:{server.port}"
        async with stub(lab) as s:
            streams = [STREAMS["CallTool"](s, (("x-mcp-api-key", key),)) for key, _ in (stays, goes)]
            await until(lambda: lab.running == 2)
            write(stays[1])
            with pytest.raises(grpc.aio.AioRpcError) as e:
                await asyncio.wait_for(drained(streams[1]), PATIENCE)
            assert e.value.code() is grpc.StatusCode.UNAUTHENTICATED
            await until(lambda: lab.running == 1)
            assert not streams[0].done()
            streams[0].cancel()
    assert keys._task is None


async def test_reflection_and_health() -> None:
    """Reflection is behind the guard, and health is not."""
    key, record = new_api_key("test", "ann")
    lab = Lab(Issuer([Key.new("k1")]))
    guarded = Server(mcp_server(lab), "127.0.0.1:0", auth=APIKeys([record]), reflection=True, health=True)
    async with guarded as server, channel(f"127.0.0.1:{server.port}") as c:
        ask = reflection_pb2.ServerReflectionRequest(list_services="")
        reflect = reflection_pb2_grpc.ServerReflectionStub(c).ServerReflectionInfo
        with pytest.raises(grpc.aio.AioRpcError) as e:
            await reflect(iter([ask])).read()
        assert e.value.code() is grpc.StatusCode.UNAUTHENTICATED
        answer = await reflect(iter([ask]), metadata=(("x-mcp-api-key", key),)).read()
        assert "mcp.v1.MCP" in [s.name for s in answer.list_services_response.service]
        healthy = await health_pb2_grpc.HealthStub(c).Check(health_pb2.HealthCheckRequest(service="mcp.v1.MCP"))
        assert healthy.status == health_pb2.HealthCheckResponse.SERVING
