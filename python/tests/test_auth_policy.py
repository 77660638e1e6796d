# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""What callers may do (SPEC.md §14.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from mcp import MCPError

from mcp_grpc.auth import (
    AccessDenied,
    Action,
    AuthorizerError,
    Denial,
    InsufficientScope,
    Policy,
    Principal,
    ResourceMetadata,
    Rule,
    authorize,
    challenge_of,
    is_denial,
    step_up,
    visible,
)
from mcp_grpc.auth.denial import explain
from mcp_grpc.auth.principal import set_current_principal
from mcp_grpc.auth.uri_template import URITemplate


def by_path(arguments: Mapping[str, Any] | None) -> list[str]:
    return ["secret"] if arguments and "secret" in str(arguments) else []


TOOLS = {
    "free": Rule(),
    "read": Rule(["read"]),
    "both": Rule(["read", "write"]),
    "path": Rule(scopes_for=by_path),
}
IMPLIES = {"admin": ["write"], "write": ["read", "write"], "loop": ["loop"]}
CONFIGS: dict[str, dict[str, Any]] = {
    "tools": {"tools": TOOLS},
    "base": {"baseline": ["mcp"], "tools": {"read": Rule(["read"])}},
    "tree": {"tools": TOOLS, "implies": IMPLIES},
    "files": {
        "resources": {
            "file:///a": Rule(),
            "file:///{+path}": Rule(["read"]),
            "file:///private/{name}": Rule(["secret"]),
        },
        "prompts": {"hello": Rule(["read"])},
        "methods": {"prompts/get": Rule(["prompts"]), "tasks/get": Rule(["tasks"])},
    },
    "all": {"default": Rule(["any"])},
}
DENIED = "-"


def tool(name: str, arguments: Mapping[str, Any] | None = None) -> Action:
    return Action("tools/call", name, arguments)


def read(uri: str, *, listing: bool = False) -> Action:
    return Action("resources/read", uri, listing=listing)


ROWS: list[tuple[str, str, str, Action, str]] = [
    ("a tool for everybody", "tools", "", tool("free"), ""),
    ("with the scope", "tools", "read", tool("read"), ""),
    ("without the scope", "tools", "write", tool("read"), "read"),
    ("a scope that begins alike", "tools", "readwrite", tool("read"), "read"),
    ("a star is no scope for all", "tools", "*", tool("read"), "read"),
    ("one of two scopes", "tools", "read", tool("both"), "read write"),
    ("a tool without rule", "tools", "read write", tool("other"), DENIED),
    ("the name in another case", "tools", "read", tool("Read"), DENIED),
    ("a name that looks alike", "tools", "read", tool("re\u0430d"), DENIED),
    ("a name with a space", "tools", "read", tool("read "), DENIED),
    ("a prompt by the name of a tool", "tools", "read", Action("prompts/get", "read"), DENIED),
    ("by arguments, allowed", "tools", "", tool("path", {"path": "open"}), ""),
    ("by arguments, not allowed", "tools", "read", tool("path", {"path": "secret"}), "secret"),
    ("by arguments, in a list", "tools", "", Action("tools/call", "path", listing=True), ""),
    ("a list", "tools", "", Action("tools/list"), ""),
    ("a method of users without rule", "tools", "", Action("com.example/x"), DENIED),
    ("a notification", "tools", "", Action("notifications/progress"), ""),
    ("without the baseline", "base", "read", tool("read"), "mcp read"),
    ("with the baseline alone", "base", "mcp", tool("read"), "mcp read"),
    ("with both", "base", "mcp read", tool("read"), ""),
    ("a scope that includes it", "tree", "write", tool("read"), ""),
    ("a scope that includes it by another", "tree", "admin", tool("both"), ""),
    ("not the other way round", "tree", "read", tool("both"), "read write"),
    ("a resource of its own", "files", "", read("file:///a"), ""),
    ("a resource of a template", "files", "", read("file:///b"), "read"),
    ("a resource of two templates", "files", "read", read("file:///private/b"), "read secret"),
    ("a template in a list", "files", "read", read("file:///{+path}", listing=True), ""),
    ("a resource without rule", "files", "read", read("http://b"), DENIED),
    ("a prompt and its method", "files", "read", Action("prompts/get", "hello"), "prompts read"),
    ("a method of users", "files", "tasks", Action("tasks/get"), ""),
    ("a method of users without scope", "files", "", Action("tasks/get"), "tasks"),
    ("the default", "all", "any", tool("x"), ""),
    ("the default without scope", "all", "", Action("com.example/x"), "any"),
]


def caller(scopes: str, method: str = "jwt") -> Principal:
    return Principal("ann", method, issuer="https://as.example", scopes=tuple(scopes.split()))


@pytest.mark.parametrize(("config", "scopes", "action", "want"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
async def test_policy(config: str, scopes: str, action: Action, want: str) -> None:
    policy = Policy(**CONFIGS[config])
    if not want:
        await policy.allow(caller(scopes), action)
    else:
        with pytest.raises(Denial) as e:
            await policy.allow(caller(scopes), action)
        assert is_denial(e.value.code, e.value.data)
        assert " ".join(sorted(e.value.data.get("scope", DENIED).split())) == want
        assert (e.value.data["reason"] == "access_denied") == (want == DENIED)
    with pytest.raises(Denial):  # nobody
        await policy.allow(None, action)


@pytest.mark.parametrize(
    ("answer", "want"),
    [
        (None, None),
        (AccessDenied(), Denial),
        (InsufficientScope("x"), Denial),
        (RuntimeError("SECRET"), AuthorizerError),
        (MCPError(-32603, "SECRET"), AuthorizerError),
    ],
)
async def test_authorizer(answer: Exception | None, want: type[Exception] | None) -> None:
    asked: list[Action] = []

    async def authorizer(principal: Principal, action: Action) -> None:
        assert principal.subject == "ann"
        asked.append(action)
        if answer is not None:
            raise answer

    policy = Policy(default=Rule(), authorizer=authorizer)
    if want is None:
        await policy.allow(caller(""), tool("x"))
    else:
        with pytest.raises(want) as e:
            await policy.allow(caller(""), tool("x"))
        assert "SECRET" not in str(e.value)
    assert asked == [tool("x")]
    with pytest.raises(Denial):
        await Policy(authorizer=authorizer).allow(caller(""), tool("x"))
    assert len(asked) == 1, "it was asked about what the rules refuse"


BAD = {"x": Rule(["a b"])}


@pytest.mark.parametrize(
    ("config", "want"),
    [
        ({"baseline": [""]}, "RFC 6749"),
        ({"baseline": "read"}, "list"),
        ({"tools": BAD}, "RFC 6749"),
        ({"prompts": BAD}, "RFC 6749"),
        ({"resources": BAD}, "RFC 6749"),
        ({"methods": BAD}, "RFC 6749"),
        ({"default": Rule(["a b"])}, "RFC 6749"),
        ({"implies": {"a": ["b c"]}}, "RFC 6749"),
        ({"resources": {"file:///{": Rule()}}, "template"),
        ({"resources": {"file:///{a b}": Rule()}}, "template"),
        ({"resources": {"file:///}": Rule()}}, "template"),
    ],
)
def test_mistakes(config: dict[str, Any], want: str) -> None:
    with pytest.raises(ValueError, match=want):
        Policy(**config)


@pytest.mark.parametrize(
    ("method", "params", "scopes"),
    [
        ("tools/call", {"name": "t"}, "tool"),
        ("prompts/get", {"name": "p"}, "prompt"),
        ("resources/read", {"uri": "r://1"}, "resource"),
        ("resources/subscribe", {"uri": "r://1"}, "resource"),
        ("resources/unsubscribe", {"uri": "r://1"}, "resource"),
        ("subscriptions/listen", {"notifications": {"resourceSubscriptions": ["r://1"]}}, "resource"),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "p"}}, "prompt"),
        ("completion/complete", {"ref": {"type": "ref/resource", "uri": "r://1"}}, "resource"),
        ("com.example/x", None, "method"),
    ],
)
async def test_requests(method: str, params: Any, scopes: str) -> None:
    policy = Policy(
        tools={"t": Rule(["tool"])},
        prompts={"p": Rule(["prompt"])},
        resources={"r://{id}": Rule(["resource"])},
        methods={"com.example/x": Rule(["method"])},
    )
    set_current_principal(caller("other"))
    with pytest.raises(InsufficientScope) as e:
        await authorize(policy, method, params)
    assert e.value.data["scope"] == scopes
    set_current_principal(caller(scopes))
    await authorize(policy, method, params)
    set_current_principal(None)
    with pytest.raises(AccessDenied):
        await authorize(policy, method, params)
    await authorize(None, method, params)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {}),
        ("tools/call", {"name": 1}),
        ("resources/read", {"uri": None}),
        ("subscriptions/listen", {"notifications": {"resourceSubscriptions": ["r://1", "s://1"]}}),
        ("completion/complete", {"ref": {"type": "ref/prompt"}}),
    ],
)
async def test_requests_about_nothing_known(method: str, params: Any) -> None:
    set_current_principal(caller("tool resource"))
    with pytest.raises(AccessDenied):
        await authorize(Policy(tools={"t": Rule()}, resources={"r://{id}": Rule()}), method, params)


async def test_lists_show_what_may_be_used() -> None:
    policy = Policy(tools={"a": Rule(["read"]), "b": Rule(["write"])}, resources={"r://{id}": Rule()})
    set_current_principal(caller("read"))
    result = {"tools": [{"name": "a"}, {"name": "b"}, {"name": "c"}], "cacheScope": "public", "nextCursor": "x"}
    shown = await visible(policy, "tools/list", result)
    assert shown == {"tools": [{"name": "a"}], "cacheScope": "private", "nextCursor": "x"}
    assert len(result["tools"]) == 3, "a cached result was changed"
    templates = {"resourceTemplates": [{"uriTemplate": "r://{id}"}, {"uriTemplate": "s://{id}"}]}
    shown = await visible(policy, "resources/templates/list", templates)
    assert shown["resourceTemplates"] == [{"uriTemplate": "r://{id}"}]
    assert (await visible(policy, "resources/read", {"contents": []}))["cacheScope"] == "private"
    assert await visible(policy, "tools/call", {"content": []}) == {"content": []}
    assert await visible(None, "tools/list", result) == result

    async def fails(_: Principal, action: Action) -> None:
        raise RuntimeError

    with pytest.raises(AuthorizerError):
        await visible(Policy(default=Rule(), authorizer=fails), "tools/list", result)


METADATA = ResourceMetadata("https://mcp.example.com")


@pytest.mark.parametrize(
    ("metadata", "principal", "error", "data"),
    [
        (
            METADATA,
            caller(""),
            InsufficientScope("a", "b"),
            {"reason": "insufficient_scope", "scope": "a b", "resource_metadata": METADATA.url},
        ),
        (None, caller(""), InsufficientScope("a"), {"reason": "insufficient_scope", "scope": "a"}),
        (METADATA, caller("", "api-key"), InsufficientScope("a"), {"reason": "access_denied"}),
        (METADATA, None, InsufficientScope("a"), {**InsufficientScope("a").data, "resource_metadata": METADATA.url}),
        (METADATA, caller(""), AccessDenied(), {"reason": "access_denied"}),
        (METADATA, caller(""), MCPError(-32600, "x", {"reason": "x"}), {"reason": "x"}),
        (METADATA, caller(""), MCPError(-32600, "x", 1), 1),
    ],
)
def test_explain(metadata: Any, principal: Any, error: MCPError, data: Any) -> None:
    got = explain(error, metadata, principal)
    assert (got.code, got.data) == (-32600, data)


def test_step_up() -> None:
    error = explain(InsufficientScope("a", "offline_access", "b", "a"), METADATA, caller(""))
    headers, (info,) = step_up(error.code, error.data)
    assert headers == (
        ("www-authenticate", f'Bearer error="insufficient_scope", scope="a b", resource_metadata="{METADATA.url}"'),
    )
    assert (info.reason, info.domain) == ("INSUFFICIENT_SCOPE", "mcpconnect")
    assert challenge_of(error.code, error.data) is not None
    for code, data in ((-32600, AccessDenied().data), (-32602, error.data), (-32600, None), (-32600, {"reason": 1})):
        assert step_up(code, data) == ((), ())


@pytest.mark.parametrize(
    ("template", "yes", "no"),
    [
        ("file:///a", ["file:///a"], ["file:///b", "file:///a/", "FILE:///a"]),
        ("r://{id}", ["r://1", "r://a%20b", "r://"], ["r://a/b", "r://a?b", "r://a b", "r://ä", "x"]),
        ("r://{+path}", ["r://a/b?c#d", "r://"], ["r://a b"]),
        ("r://x{/a,b}", ["r://x/1/2", "r://x"], ["r://x?1"]),
        ("r://x{?q,r*}", ["r://x?q=1&r=2", "r://x"], ["r://x/1"]),
        ("r://x{#f}", ["r://x#a/b", "r://x"], ["r://xa"]),
        ("r.{a:3}", ["r.abc"], ["rXabc"]),
    ],
)
def test_uri_templates(template: str, yes: list[str], no: list[str]) -> None:
    found = URITemplate(template)
    assert [u for u in yes if not found.matches(u)] == []
    assert [u for u in no if found.matches(u)] == []
