# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The Python twin of Go's internal/everything: what interop needs of it, under the same names.

Run as a program it serves, and says what happens by a JSON object a line, as tests/peer does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import mcp.types as types
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError
from mcp.shared.subscriptions import PromptsListChanged, ResourceUpdated, ToolsListChanged

from mcp_grpc.auth import (
    APIKeys,
    Authenticator,
    Bearer,
    Certificates,
    Grant,
    StaticTokens,
    UnixPeers,
    record_api_key,
    server_credentials,
)

# Half of what MCP 2025-11-25 has is deprecated in the SDK, and stands here all the same.
warnings.simplefilter("ignore", MCPDeprecationWarning)

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
WATCHED = "test://watched-resource"
Context = ServerRequestContext[Any, Any]
Result = types.CallToolResult | types.InputRequiredResult
Tool = Callable[[Context, types.CallToolRequestParams], Awaitable[Result]]
ANY_OBJECT = {"type": "object"}


def say(**line: Any) -> None:
    """Tells whoever has started the program."""
    print(json.dumps(line), flush=True)  # noqa: T201


def text(words: str) -> types.CallToolResult:
    """A result that consists of one text."""
    return types.CallToolResult(content=[types.TextContent(type="text", text=words)])


def exactly(value: Any) -> types.CallToolResult:
    """A result with structured output."""
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=json.dumps(value))], structured_content=value
    )


class Everything:
    """The server and its state."""

    def __init__(self, page_size: int = 1000) -> None:
        self._page_size = page_size
        self._texts = {WATCHED: "watched"}
        self._bus = InMemorySubscriptionBus()
        self._sessions: list[Any] = []  # of legacy clients that have subscribed
        self._tools: dict[str, tuple[types.Tool, Tool]] = {}
        self._prompts: dict[str, types.Prompt] = {}
        for name, call in _TOOLS.items():
            self.add_tool(name, call)
        self.add_tool("add_tool", self._add_tool)
        self.add_tool("add_prompt", self._add_prompt)
        self.add_tool("update_resource", self._update_resource)
        for name in ("test_simple_prompt", "grüß dich", "prompt_all", "test_input_required_result_prompt"):
            self._prompts[name] = types.Prompt(name=name, description=f"The prompt {name}")
        self._prompts["prompt_all"].arguments = [types.PromptArgument(name="needed", required=True)]
        self._listen = ListenHandler(self._bus)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MCPDeprecationWarning)  # of logging
            self.server: Server[Any] = self._new_server()
        self.server.add_request_handler("com.example/echo", types.RequestParams, self._echo)

    def _new_server(self) -> Server[Any]:
        return Server(
            "everything",
            version="1.0.0",
            instructions="Use this server!",
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
            on_subscribe_resource=self._subscribe,
            on_unsubscribe_resource=self._unsubscribe,
            on_subscriptions_listen=self._listen,
            on_list_prompts=self._list_prompts,
            on_get_prompt=self._get_prompt,
            on_completion=self._complete,
            on_set_logging_level=self._set_level,
        )

    def add_tool(self, name: str, call: Tool) -> None:
        """Adds a tool that takes any object."""
        schema = _SCHEMAS.get(name, ANY_OBJECT)
        self._tools[name] = (types.Tool(name=name, description=f"The tool {name}", input_schema=schema), call)

    async def _list_tools(self, ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        page, cursor = self._page([tool for tool, _ in self._tools.values()], params)
        return types.ListToolsResult(tools=page, next_cursor=cursor)

    def _page(self, items: list[Any], params: types.PaginatedRequestParams | None) -> tuple[list[Any], str | None]:
        cursor = params.cursor if params is not None else None
        if cursor is not None and not cursor.isdigit():
            raise MCPError(types.INVALID_PARAMS, "unknown cursor")
        start = int(cursor or 0)
        end = start + self._page_size
        return items[start:end], str(end) if end < len(items) else None

    async def _call_tool(self, ctx: Context, params: types.CallToolRequestParams) -> Result:
        if params.name not in self._tools:
            raise MCPError(types.INVALID_PARAMS, f'unknown tool "{params.name}"')
        return await self._tools[params.name][1](ctx, params)

    async def _list_resources(
        self, ctx: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        uris = ["test://static-text", "test://static-binary", WATCHED]
        return types.ListResourcesResult(resources=[types.Resource(uri=uri, name=uri[7:]) for uri in uris])

    async def _list_templates(
        self, ctx: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        template = types.ResourceTemplate(uri_template="test://template/{id}/data", name="template")
        return types.ListResourceTemplatesResult(resource_templates=[template])

    async def _read_resource(
        self, ctx: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult | types.InputRequiredResult:
        uri = params.uri
        if uri == "test://static-binary":
            blob = types.BlobResourceContents(uri=uri, mime_type="image/png", blob=PNG)
            return types.ReadResourceResult(contents=[blob])
        if uri == "everything://question":
            if (content := accepted(params.input_responses, "user_name")) is None:
                return types.InputRequiredResult(input_requests={"user_name": form("name")})
            return self._text_resource(uri, f"This is about {content['name']}")
        if uri == "test://static-text":
            return self._text_resource(uri, "This is the content of the static text resource.")
        if uri in self._texts:
            return self._text_resource(uri, self._texts[uri])
        if uri.startswith("test://template/"):
            return self._text_resource(uri, json.dumps({"id": uri.split("/")[3]}))
        raise MCPError(types.INVALID_PARAMS, "resource not found", {"uri": uri})

    @staticmethod
    def _text_resource(uri: str, words: str) -> types.ReadResourceResult:
        return types.ReadResourceResult(
            contents=[types.TextResourceContents(uri=uri, mime_type="text/plain", text=words)]
        )

    async def _subscribe(self, ctx: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
        self._sessions.append(ctx.session)
        return types.EmptyResult()

    async def _unsubscribe(self, ctx: Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        return types.EmptyResult()

    async def _set_level(self, ctx: Context, params: types.SetLevelRequestParams) -> types.EmptyResult:
        return types.EmptyResult()

    async def _list_prompts(self, ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
        return types.ListPromptsResult(prompts=list(self._prompts.values()))

    async def _get_prompt(
        self, ctx: Context, params: types.GetPromptRequestParams
    ) -> types.GetPromptResult | types.InputRequiredResult:
        if params.name not in self._prompts:
            raise MCPError(types.INVALID_PARAMS, f'unknown prompt "{params.name}"')
        said = f"Say hi to {(params.arguments or {}).get('name', '')}"
        if params.name == "test_input_required_result_prompt":
            if (content := accepted(params.input_responses, "user_context")) is None:
                return types.InputRequiredResult(input_requests={"user_context": form("context")})
            said = f"Context: {content['context']}"
        message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=said))
        return types.GetPromptResult(description="A prompt", messages=[message])

    async def _complete(self, ctx: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
        given = (params.context.arguments or {}).get("arg1", "?") if params.context else "?"
        words = [w for w in (f"{given}-one", f"{given}-two") if w.startswith(params.argument.value)]
        return types.CompleteResult(completion=types.Completion(values=words, total=len(words), has_more=False))

    async def _echo(self, ctx: Context, params: types.RequestParams) -> dict[str, Any]:
        return {"value": (ctx.params or {}).get("value")}

    async def _add_tool(self, ctx: Context, params: types.CallToolRequestParams) -> Result:
        name = f"dynamic_{(params.arguments or {})['name']}"
        self.add_tool(name, simple(f"I am {name}"))
        await self._bus.publish(ToolsListChanged())
        await ctx.session.send_tool_list_changed()
        return text(f"add_tool {name}")

    async def _add_prompt(self, ctx: Context, params: types.CallToolRequestParams) -> Result:
        name = f"dynamic_{(params.arguments or {})['name']}"
        self._prompts[name] = types.Prompt(name=name)
        await self._bus.publish(PromptsListChanged())
        return text(f"add_prompt {name}")

    async def _update_resource(self, ctx: Context, params: types.CallToolRequestParams) -> Result:
        self._texts[WATCHED] = (params.arguments or {})["text"]
        await self._bus.publish(ResourceUpdated(uri=WATCHED))
        for session in self._sessions:
            await session.send_resource_updated(WATCHED)
        return text(f"updated {WATCHED}")


def simple(words: str) -> Tool:
    """A tool that always says the same."""

    async def call(ctx: Context, params: types.CallToolRequestParams) -> Result:
        return text(words)

    return call


def form(field: str, kind: str = "string", message: str = "What?") -> types.ElicitRequest:
    """A question for one field."""
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return types.ElicitRequest(params=types.ElicitRequestFormParams(message=message, requested_schema=schema))


def accepted(responses: types.InputResponses | None, key: str) -> dict[str, Any] | None:
    """The content of a form that the user has accepted."""
    answer = (responses or {}).get(key)
    if not isinstance(answer, types.ElicitResult) or answer.action != "accept":
        return None
    return dict(answer.content or {})


async def greet(ctx: Context, params: types.CallToolRequestParams) -> Result:
    return text(f"Hi {(params.arguments or {}).get('name')}")


async def echo(ctx: Context, params: types.CallToolRequestParams) -> Result:
    return exactly(params.arguments) if params.arguments is not None else text("no arguments")


async def array(ctx: Context, params: types.CallToolRequestParams) -> Result:
    return exactly(["one", "two", "three"])


async def big_numbers(ctx: Context, params: types.CallToolRequestParams) -> Result:
    return exactly({"above": 2**53 + 1, "below": -(2**53) - 1, "max": 2**64 - 1, "decimal": 0.1, "small": 1e-7})


async def image(ctx: Context, params: types.CallToolRequestParams) -> Result:
    return types.CallToolResult(content=[types.ImageContent(type="image", data=PNG, mime_type="image/png")])


async def inspect(ctx: Context, params: types.CallToolRequestParams) -> Result:
    client = ctx.session.client_params
    return exactly(
        {
            "protocolVersion": ctx.protocol_version,
            "clientInfo": client.client_info.model_dump(by_alias=True, exclude_none=True) if client else None,
            "meta": dict(ctx.meta or {}),
        }
    )


async def report_progress(ctx: Context, params: types.CallToolRequestParams) -> Result:
    for step in (0, 50, 100):
        await ctx.session.report_progress(step, 100, f"Completed step {step} of 100")
    return text(str((ctx.meta or {}).get("progress_token", (ctx.meta or {}).get("progressToken"))))


async def log_levels(ctx: Context, params: types.CallToolRequestParams) -> Result:
    levels = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
    for level in levels:
        await ctx.session.send_log_message(
            level,  # type: ignore[arg-type]
            {"level": level},
            "everything",
            related_request_id=ctx.request_id,
        )
    return text(f"{len(levels)} levels")


async def block(ctx: Context, params: types.CallToolRequestParams) -> Result:
    say(event="blocked")
    try:
        await asyncio.Event().wait()
    finally:
        say(event="unblocked")
    raise AssertionError("it waits for ever")


async def error_jsonrpc(ctx: Context, params: types.CallToolRequestParams) -> Result:
    a = params.arguments or {}
    raise MCPError(a.get("code", 4001), a.get("message", ""), a.get("data"))


async def error_plain(ctx: Context, params: types.CallToolRequestParams) -> Result:
    raise RuntimeError("secret: the password is swordfish")


async def error_result(ctx: Context, params: types.CallToolRequestParams) -> Result:
    result = text("it did not work")
    result.is_error = True
    return result


async def elicit(ctx: Context, params: types.CallToolRequestParams) -> Result:
    schema = {"type": "object", "properties": {"username": {"type": "string"}}, "required": ["username"]}
    answer = await ctx.session.elicit_form((params.arguments or {})["message"], schema, ctx.request_id)
    content = json.dumps(answer.content, separators=(",", ":"))
    return text(f"Elicitation result: action={answer.action}, content={content}")


async def sample(ctx: Context, params: types.CallToolRequestParams) -> Result:
    message = types.SamplingMessage(role="user", content=types.TextContent(type="text", text="p"))
    answer = await ctx.session.create_message([message], max_tokens=10, related_request_id=ctx.request_id)
    return text(f"LLM response: {getattr(answer.content, 'text', '')}")


async def roots(ctx: Context, params: types.CallToolRequestParams) -> Result:
    found = await ctx.session.list_roots()
    return text(",".join(f"{root.name}:{root.uri}" for root in found.roots))


async def ask_name(ctx: Context, params: types.CallToolRequestParams) -> Result:
    if (content := accepted(params.input_responses, "user_name")) is None:
        return types.InputRequiredResult(input_requests={"user_name": form("name")})
    return text(f"Hello, {content['name']}!")


async def ask_sampling(ctx: Context, params: types.CallToolRequestParams) -> Result:
    answer = (params.input_responses or {}).get("capital_question")
    if answer is None:
        message = types.SamplingMessage(role="user", content=types.TextContent(type="text", text="Capital?"))
        asked = types.CreateMessageRequest(params=types.CreateMessageRequestParams(messages=[message], max_tokens=9))
        return types.InputRequiredResult(input_requests={"capital_question": asked})
    content = getattr(answer, "content", None)
    block = content[0] if isinstance(content, list) else content
    return text(f"Sampling response: {getattr(block, 'text', '')}")


async def ask_roots(ctx: Context, params: types.CallToolRequestParams) -> Result:
    answer = (params.input_responses or {}).get("client_roots")
    if not isinstance(answer, types.ListRootsResult):
        # The Go SDK cannot read a question without params.
        asked = types.ListRootsRequest(params=types.RequestParams())
        return types.InputRequiredResult(input_requests={"client_roots": asked})
    return text(f"Client exposed {len(answer.roots)} root(s): {', '.join(str(r.uri) for r in answer.roots)}")


async def ask_with_state(ctx: Context, params: types.CallToolRequestParams) -> Result:
    if accepted(params.input_responses, "confirm") is None:
        asked: types.InputRequests = {"confirm": form("ok", "boolean")}
        return types.InputRequiredResult(input_requests=asked, request_state="request_state")
    if params.request_state != "request_state":
        raise MCPError(types.INVALID_PARAMS, "invalid requestState")
    return text("state-ok: requestState received and confirmation accepted")


_TOOLS: dict[str, Tool] = {
    "greet": greet,
    "structured_echo": echo,
    "structured_array": array,
    "structured_big_numbers": big_numbers,
    "test_image_content": image,
    "inspect_request": inspect,
    "test_tool_with_progress": report_progress,
    "log_levels": log_levels,
    "block": block,
    "error_jsonrpc": error_jsonrpc,
    "error_plain": error_plain,
    "test_error_handling": error_result,
    "test_elicitation": elicit,
    "test_sampling": sample,
    "roots": roots,
    "test_input_required_result_elicitation": ask_name,
    "test_input_required_result_sampling": ask_sampling,
    "test_input_required_result_list_roots": ask_roots,
    "test_input_required_result_request_state": ask_with_state,
}

_SCHEMAS: dict[str, dict[str, Any]] = {
    "test_x_mcp_header": {
        "type": "object",
        "properties": {"region": {"type": "string", "x-mcp-header": "Region"}},
    },
}


def _authenticator(kind: str, secret: str) -> Authenticator | None:
    """Whom the server lets in, as the Go peer has it."""
    match kind:
        case "bearer":
            return Bearer(StaticTokens({secret: Grant("developer")}))
        case "apikey":
            return APIKeys([record_api_key(secret, "key holder")])
        case "mtls":
            return Certificates({"spiffe://example.org/client": Grant("client")}, trust_domain="example.org")
        case "unix":
            return UnixPeers()
    return None


async def main(argv: list[str]) -> None:
    """Serves until the process is told to end."""
    from mcp_grpc.server import Server as GrpcServer

    parser = argparse.ArgumentParser()
    parser.add_argument("--addr", default="127.0.0.1:0")
    parser.add_argument("--page-size", type=int, default=1000)
    parser.add_argument("--grace", type=float, default=1.0)
    parser.add_argument("--auth", default="none", choices=["none", "bearer", "apikey", "mtls", "unix"])
    for name in ("secret", "cert", "key", "ca"):
        parser.add_argument(f"--{name}", default="")
    args = parser.parse_args(argv)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    credentials = server_credentials(args.cert, args.key, client_ca=args.ca) if args.cert else None
    everything = Everything(args.page_size).server
    server = GrpcServer(everything, args.addr, auth=_authenticator(args.auth, args.secret), credentials=credentials)
    await server.start()
    scheme = "https" if credentials is not None else "http"
    url = args.addr if args.addr.startswith("unix:") else f"{scheme}://127.0.0.1:{server.port}"
    say(event="serving", url=url)
    await ended.wait()
    await server.stop(args.grace)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
