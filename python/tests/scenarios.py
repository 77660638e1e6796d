# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Everything, and what the scenarios of mcpconnect/testdata/scenarios.txt need beside it.

Run as a program it serves, and says what happens as everything.py does. The tests of web/client run it.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from typing import Any

import mcp.types as types
from everything import WATCHED, Context, Everything, Result, Tool, accepted, exactly, form, say, text
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourcesListChanged

UNUSUAL = "everything://text/grüß dich"
TASK_TIMES = {"createdAt": "2026-07-28T12:00:00Z", "lastUpdatedAt": "2026-07-28T12:00:00Z", "ttlMs": None}
ARGUMENTS = ("arg1", "arg2")


class TaskParams(types.RequestParams):
    """Names a task."""

    task_id: str


class Scenarios(Everything):
    """The server and its state."""

    def __init__(self, page_size: int = 1000) -> None:
        super().__init__(page_size)
        self._texts[UNUSUAL] = "grüß dich"
        self._uris = ["test://static-text", "test://static-binary", WATCHED, UNUSUAL]
        self._uris += [f"test://template/{n}/data" for n in range(10)]
        for name, call in _TOOLS.items():
            self.add_tool(name, call)
        self.add_tool("add_resource", self._add_resource)
        arguments = [types.PromptArgument(name=name, required=True) for name in ARGUMENTS]
        self._prompts["test_prompt_with_arguments"] = types.Prompt(
            name="test_prompt_with_arguments", arguments=arguments
        )
        self.server.add_request_handler("com.example/fail", types.RequestParams, fail)
        self.server.add_request_handler("tasks/get", TaskParams, get_task)
        for method in ("tasks/update", "tasks/cancel"):
            self.server.add_request_handler(method, TaskParams, acknowledge)

    async def _list_resources(
        self, ctx: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        page, cursor = self._page(self._uris, params)
        return types.ListResourcesResult(
            resources=[types.Resource(uri=uri, name=uri) for uri in page], next_cursor=cursor
        )

    async def _list_prompts(self, ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
        page, cursor = self._page(list(self._prompts.values()), params)
        return types.ListPromptsResult(prompts=page, next_cursor=cursor)

    async def _complete(self, ctx: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
        words = [w for w in ("paris", "park", "party", "rome") if w.startswith(params.argument.value)]
        return types.CompleteResult(completion=types.Completion(values=words, total=len(words), has_more=False))

    async def _add_prompt(self, ctx: Context, params: types.CallToolRequestParams) -> Result:
        result = await super()._add_prompt(ctx, params)
        await ctx.session.send_prompt_list_changed()
        return result

    async def _add_resource(self, ctx: Context, params: types.CallToolRequestParams) -> Result:
        uri = f"everything://dynamic/{(params.arguments or {})['name']}"
        self._texts[uri] = f"I am {uri}"
        self._uris.append(uri)
        await self._bus.publish(ResourcesListChanged())
        await ctx.session.send_resource_list_changed()
        return text(f"add_resource {uri}")


async def fail(ctx: Context, params: types.RequestParams) -> dict[str, Any]:
    raise MCPError(4001, "failed on request", (ctx.params or {}).get("value"))


async def structured_object(ctx: Context, params: types.CallToolRequestParams) -> Result:
    return exactly({"name": "everything", "count": 3, "ratio": 0.5, "nested": {"x": 1, "y": -1}})


async def log_thrice(ctx: Context, params: types.CallToolRequestParams) -> Result:
    for words in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.session.send_log_message("info", words, related_request_id=ctx.request_id)
    return text("Tool with logging executed successfully")


async def flood_progress(ctx: Context, params: types.CallToolRequestParams) -> Result:
    count = (params.arguments or {})["count"]
    for step in range(1, count + 1):
        await ctx.session.report_progress(step)
    return text(f"{count} notifications")


async def nothing(ctx: Context, params: types.CallToolRequestParams) -> Result:
    """A bug that this tool exists to show."""
    return None  # type: ignore[return-value]


async def broken(ctx: Context, params: types.CallToolRequestParams) -> Result:
    raise ZeroDivisionError("secret: the password is swordfish")


async def ask_everything(ctx: Context, params: types.CallToolRequestParams) -> Result:
    answers = params.input_responses or {}
    name = (accepted(answers, "user_name") or {}).get("name")
    greeting = getattr(getattr(answers.get("greeting"), "content", None), "text", None)
    found = answers.get("client_roots")
    if name and greeting and isinstance(found, types.ListRootsResult):
        return text(f"{greeting} {name} — {len(found.roots)} root(s) visible")
    message = types.SamplingMessage(role="user", content=types.TextContent(type="text", text="Generate a greeting"))
    asked: types.InputRequests = {
        "user_name": form("name"),
        "greeting": types.CreateMessageRequest(
            params=types.CreateMessageRequestParams(messages=[message], max_tokens=50)
        ),
        "client_roots": types.ListRootsRequest(params=types.RequestParams()),
    }
    return types.InputRequiredResult(input_requests=asked, request_state="multiple_inputs")


async def ask_url(ctx: Context, params: types.CallToolRequestParams) -> Result:
    answer = (params.input_responses or {}).get("sign_in")
    if isinstance(answer, types.ElicitResult):
        return text(f"URL elicitation: {answer.action}")
    url = types.ElicitRequestURLParams(message="sign in", url="https://example.com/sign-in")
    return types.InputRequiredResult(input_requests={"sign_in": types.ElicitRequest(params=url)})


async def ask_patience(ctx: Context, params: types.CallToolRequestParams) -> Result:
    if params.request_state == "busy":
        return text("no longer busy")
    return types.InputRequiredResult(input_requests={}, request_state="busy")


async def start_task(ctx: Context, params: types.CallToolRequestParams) -> Result:
    """Answers with a task, of which the SDK has no type."""
    return {"resultType": "task", "taskId": "task-1", "status": "working", **TASK_TIMES}  # type: ignore[return-value]


async def get_task(ctx: Context, params: TaskParams) -> dict[str, Any]:
    asked = form("name").model_dump(by_alias=True, mode="json", exclude_none=True)
    task = {"taskId": params.task_id, "status": "input_required", "inputRequests": {"user_name": asked}}
    return {"resultType": "complete", **task, **TASK_TIMES}


async def acknowledge(ctx: Context, params: TaskParams) -> dict[str, Any]:
    return {"resultType": "complete"}


_TOOLS: dict[str, Tool] = {
    "structured_object": structured_object,
    "test_tool_with_logging": log_thrice,
    "flood_progress": flood_progress,
    "error_nil_result": nothing,
    "panic": broken,
    "test_input_required_result_multiple_inputs": ask_everything,
    "roundtrip_url": ask_url,
    "roundtrip_busy": ask_patience,
    "start_task": start_task,
}


async def main(argv: list[str]) -> None:
    """Serves until the process is told to end."""
    from mcp_grpc.server import Server

    parser = argparse.ArgumentParser()
    parser.add_argument("--page-size", type=int, default=1000)
    parser.add_argument("--grace", type=float, default=1.0)
    args = parser.parse_args(argv)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    server = Server(Scenarios(args.page_size).server, "127.0.0.1:0")
    await server.start()
    say(event="serving", url=f"http://127.0.0.1:{server.port}")
    await ended.wait()
    await server.stop(args.grace)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
