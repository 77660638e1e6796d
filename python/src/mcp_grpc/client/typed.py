# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The typed client: params and results are those of the SDK, and there is no JSON-RPC in between (SPEC.md §5)."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import grpc
import mcp.types as types
from mcp.client.session import LoggingFnT
from mcp.shared.dispatcher import ProgressFnT
from mcp.types.version import LATEST_MODERN_VERSION
from pydantic import BaseModel

from mcp_grpc._gen.mcp.v1.tool_pb2 import CallToolEvent, InvokeToolResponse
from mcp_grpc.auth.channel import ClientTLS
from mcp_grpc.auth.client_auth import ClientAuth
from mcp_grpc.client.asked import Callbacks
from mcp_grpc.client.caller import Caller, Wanted
from mcp_grpc.client.convert import malformed, model_of, resource_result, tool_result, value_of
from mcp_grpc.client.error import CallError, TaskStarted
from mcp_grpc.client.link import DEFAULT_MESSAGE_BYTES, Link
from mcp_grpc.client.listening import ResourceSubscription, Subscription, acknowledged
from mcp_grpc.client.mux_stream import OnEvent
from mcp_grpc.client.rounds import in_rounds
from mcp_grpc.client.session import Sessions
from mcp_grpc.client.session_stream import Answering
from mcp_grpc.codec import METHODS_BY_NAME, METHODS_BY_RPC

_FIRST_MODERN = "2026-07-28"
_INVOKE_TOOL = METHODS_BY_RPC["InvokeTool"]
_SUBSCRIBE = METHODS_BY_RPC["SubscribeResource"]
_LISTEN = METHODS_BY_RPC["Listen"]


class Client:
    """Calls the typed RPCs of one server.

    Without sessions, calls share one multiplexed stream where the server offers it (SPEC.md §4.6), and are RPCs of
    their own where it does not. A client of a legacy version opens a session with its first call.

    ```python
    async with Client("127.0.0.1:8080") as client:
        result = await client.call_tool("add", {"a": 2, "b": 40})
    ```

    All methods may be called concurrently, on the event loop that the client was made on. Cancelling the task that
    waits for a call cancels the call on the server (SPEC.md §10). What a failed call raises is `CallError`. A call that
    was in flight when the connection broke fails with UNAVAILABLE, and the next one connects again; one that a
    server has left undone as it drained is made again (SPEC.md §10.4).
    """

    def __init__(
        self,
        target: str,
        *,
        version: str = LATEST_MODERN_VERSION,
        client_info: types.Implementation | None = None,
        callbacks: Callbacks | None = None,
        capabilities: types.ClientCapabilities | None = None,
        log_level: types.LoggingLevel | None = None,
        logging_callback: LoggingFnT | None = None,
        on_message: Callable[[dict[str, Any]], None] | None = None,
        auth: ClientAuth | None = None,
        tls: ClientTLS | None = None,
        metadata: Sequence[tuple[str, str]] = (),
        timeout: float | None = None,
        multiplexed: bool = True,
        max_message_bytes: int = DEFAULT_MESSAGE_BYTES,
        options: Sequence[tuple[str, Any]] = (),
    ) -> None:
        """Connects with the first call.

        Args:
            target: "host:port", "unix:PATH", "http://host:port" or "https://host:port".
            version: the version of MCP; one before 2026-07-28 opens a session (SPEC.md §6).
            client_info: who calls. Default: the name of this package.
            callbacks: who answers what the server asks. Default: nobody, and no capabilities are declared.
            capabilities: what to declare instead of what the callbacks can do.
            log_level: which log messages of calls are wanted; used with `logging_callback`. Default: "info".
            logging_callback: hears the log messages of calls.
            on_message: legacy: hears the notifications of the session's stream, as JSON-RPC values. It must not block.
            auth: credentials of every RPC.
            tls: TLS, also with a client certificate; of "https" targets by default.
            metadata: more metadata of every RPC.
            timeout: seconds for each request that does not say otherwise. Default: no end.
            multiplexed: whether calls share a stream where the server offers it.
            max_message_bytes: the size of a message, in both directions.
            options: options of the gRPC channel.
        """
        self._version = version
        self._timeout = timeout
        self._callbacks = callbacks or Callbacks()
        self._logging = logging_callback
        self._log_level: types.LoggingLevel = log_level or "info"
        self._link = Link(
            target, auth=auth, tls=tls, metadata=metadata, max_message_bytes=max_message_bytes, options=options
        )
        info = client_info or types.Implementation(name="mcpconnect-grpc", version="0")
        client = {
            "clientInfo": _dump(info),
            "clientCapabilities": _dump(capabilities or self._callbacks.capabilities()),
        }
        self._sessions: Sessions | None = None
        self._answering: Answering | None = None
        meta: dict[str, Any] = {}
        if version >= _FIRST_MODERN:  # versions are compared as text (SPEC.md §6.1)
            meta = {f"io.modelcontextprotocol/{key}": value for key, value in client.items()}
            meta["io.modelcontextprotocol/protocolVersion"] = version
        else:
            self._sessions = Sessions(
                self._link,
                {
                    "protocolVersion": version,
                    "capabilities": client["clientCapabilities"],
                    "clientInfo": client["clientInfo"],
                },
            )
            self._answering = Answering(self._callbacks, on_message)
        self._caller = Caller(
            self._link, version, meta, self._sessions, self._answering, framed=multiplexed, timeout=timeout
        )
        self._tokens = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends a legacy session, and closes all connections. Calls in flight fail with CANCELLED."""
        if self._answering is not None:
            await self._answering.close()
        await self._caller.close()
        if self._sessions is not None:
            await self._sessions.close()
        await self._link.close()

    # What the server is.

    async def initialize(self) -> types.InitializeResult:
        """Gives what the server has said in the session of a legacy client, which is opened if need be.

        Raises:
            CallError: also with -32601 for a modern client, which has no session.
        """
        if self._sessions is None:
            raise CallError.plain(grpc.StatusCode.UNIMPLEMENTED, f"version {self._version} has no sessions")
        return (await self._sessions.get(self._timeout)).result

    async def discover(self, *, timeout: float | None = None) -> types.DiscoverResult:
        """Tells what the server is and can do; a legacy one fails with -32601."""
        return model_of(await self.request("server/discover", timeout=timeout), types.DiscoverResult)

    async def ping(self, *, timeout: float | None = None) -> datetime.datetime:
        """Asks the server for a sign of life, in both eras, and gives its clock, in UTC."""
        answer = await self._unary("ping", {}, Wanted(timeout=timeout))
        at: datetime.datetime = answer.server_time.ToDatetime(datetime.UTC)
        return at

    # Lists.

    async def list_tools(
        self, cursor: str | None = None, *, meta: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> types.ListToolsResult:
        """Gives one page of tools."""
        return model_of(await self._page("tools/list", cursor, meta, timeout), types.ListToolsResult)

    async def list_resources(
        self, cursor: str | None = None, *, meta: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> types.ListResourcesResult:
        """Gives one page of resources."""
        return model_of(await self._page("resources/list", cursor, meta, timeout), types.ListResourcesResult)

    async def list_resource_templates(
        self, cursor: str | None = None, *, meta: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> types.ListResourceTemplatesResult:
        """Gives one page of resource templates."""
        page = await self._page("resources/templates/list", cursor, meta, timeout)
        return model_of(page, types.ListResourceTemplatesResult)

    async def list_prompts(
        self, cursor: str | None = None, *, meta: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> types.ListPromptsResult:
        """Gives one page of prompts."""
        return model_of(await self._page("prompts/list", cursor, meta, timeout), types.ListPromptsResult)

    async def _page(
        self, method: str, cursor: str | None, meta: Mapping[str, Any] | None, timeout: float | None
    ) -> dict[str, Any]:
        params: dict[str, Any] = {} if cursor is None else {"cursor": cursor}
        return await self.request(method, params, meta=meta, timeout=timeout)

    # Calls.

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        progress_callback: ProgressFnT | None = None,
        meta: Mapping[str, Any] | None = None,
        input_responses: Mapping[str, types.InputResponse] | None = None,
        request_state: str | None = None,
        timeout: float | None = None,
        metadata: Sequence[tuple[str, str]] = (),
    ) -> types.CallToolResult:
        """Calls a tool. One that fails by itself gives a result with `is_error`.

        Structured output is not compared with the tool's schema, as it is by the SDK's client.

        If the server needs input, the callbacks are asked, and the tool is called again, up to `MAX_ROUNDS` times.

        Args:
            name: the tool.
            arguments: what JSON can say. Integers of any size arrive as they are.
            progress_callback: hears progress; what it raises ends the call.
            meta: more of `_meta`.
            input_responses: answers to what an `InputNeeded` has asked.
            request_state: the state of that `InputNeeded`.
            timeout: seconds for each request.
            metadata: metadata of this call, which then is an RPC of its own.

        Raises:
            CallError: the call has failed.
            InputNeeded: the server needs what there is no callback for.
            TaskStarted: the server has made a task of the call.
        """
        params = _call_params({"name": name}, arguments, input_responses, request_state)
        wanted = Wanted(meta=meta, timeout=timeout, metadata=tuple(metadata))
        hear = self._hearing(progress_callback)
        first: InvokeToolResponse | None = None
        if hear is None and wanted == Wanted(timeout=timeout) and params.keys() <= {"name", "arguments"}:
            first = await self._caller.plain_tool(name, arguments, timeout)

        async def once(params: dict[str, Any]) -> Any:
            nonlocal first
            known, first = first, None
            if known is not None:
                return known
            if hear is None:
                return await self._caller.unary(_INVOKE_TOOL, params, wanted)
            return await self._caller.stream_tool(params, self._asking(wanted, progress_callback), hear)

        outcome = await in_rounds(self._callbacks, params, once)
        if outcome.WhichOneof("outcome") == "task":
            raise TaskStarted(value_of(outcome.task))
        return tool_result(outcome.result)

    async def read_resource(
        self,
        uri: str,
        *,
        meta: Mapping[str, Any] | None = None,
        input_responses: Mapping[str, types.InputResponse] | None = None,
        request_state: str | None = None,
        timeout: float | None = None,
    ) -> types.ReadResourceResult:
        """Reads a resource; questions of the server are answered as in `call_tool`."""
        params = _call_params({"uri": uri}, None, input_responses, request_state)
        wanted = Wanted(meta=meta, timeout=timeout)
        outcome = await in_rounds(self._callbacks, params, lambda p: self._unary("resources/read", p, wanted))
        return resource_result(value_of(outcome), uri)

    async def get_prompt(
        self,
        name: str,
        arguments: Mapping[str, str] | None = None,
        *,
        meta: Mapping[str, Any] | None = None,
        input_responses: Mapping[str, types.InputResponse] | None = None,
        request_state: str | None = None,
        timeout: float | None = None,
    ) -> types.GetPromptResult:
        """Gives the messages of a prompt; questions of the server are answered as in `call_tool`."""
        params = _call_params({"name": name}, arguments, input_responses, request_state)
        wanted = Wanted(meta=meta, timeout=timeout)
        outcome = await in_rounds(self._callbacks, params, lambda p: self._unary("prompts/get", p, wanted))
        return model_of(value_of(outcome), types.GetPromptResult)

    async def complete(
        self,
        ref: types.PromptReference | types.ResourceTemplateReference,
        argument: Mapping[str, str],
        context_arguments: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
    ) -> types.CompleteResult:
        """Completes an argument, which has a `name` and a `value`, of a prompt or a resource template."""
        params: dict[str, Any] = {"ref": _dump(ref), "argument": dict(argument)}
        if context_arguments is not None:
            params["context"] = {"arguments": dict(context_arguments)}
        return model_of(await self.request("completion/complete", params, timeout=timeout), types.CompleteResult)

    # Tasks. The SDK has no types for them; a task is its JSON value.

    async def get_task(self, task_id: str, *, timeout: float | None = None) -> dict[str, Any]:
        """Tells how a task stands (SPEC.md §9.5)."""
        return await self.request("tasks/get", {"taskId": task_id}, timeout=timeout)

    async def update_task(
        self, task_id: str, input_responses: Mapping[str, types.InputResponse], *, timeout: float | None = None
    ) -> None:
        """Answers what a task has asked."""
        params = _call_params({"taskId": task_id}, None, input_responses, None)
        await self.request("tasks/update", params, timeout=timeout)

    async def cancel_task(self, task_id: str, *, timeout: float | None = None) -> None:
        """Asks a task to stop."""
        await self.request("tasks/cancel", {"taskId": task_id}, timeout=timeout)

    # Any method.

    async def request(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        meta: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        metadata: Sequence[tuple[str, str]] = (),
    ) -> dict[str, Any]:
        """Makes a request of any method, and gives its result as a JSON value: nothing is lost, unknown members too.

        A method without a typed RPC travels by `Send` (SPEC.md §4.4); notifications about it are dropped.
        """
        wanted = Wanted(meta=meta, timeout=timeout, metadata=tuple(metadata))
        known = METHODS_BY_NAME.get(method)
        if known is None or known.frame is None:
            value = await self._caller.send(method, params or {}, wanted)
        elif method == "ping":
            value = {}
            await self._caller.unary(known, params or {}, wanted)
        else:
            value = value_of(await self._caller.unary(known, params or {}, wanted))
        if not isinstance(value, dict):
            raise malformed("the result is no object")
        return value

    # Subscriptions.

    @asynccontextmanager
    async def listen(
        self,
        *,
        tools_list_changed: bool = False,
        prompts_list_changed: bool = False,
        resources_list_changed: bool = False,
        resource_subscriptions: Sequence[str] = (),
        task_ids: Sequence[str] = (),
    ) -> AsyncIterator[Subscription]:
        """Subscribes to changes (SPEC.md §9.3); modern. Entering waits until the subscription stands.

        ```python
        async with client.listen(tools_list_changed=True) as changes:
            async for change in changes:
                ...
        ```
        """
        wanted = {
            "toolsListChanged": tools_list_changed,
            "promptsListChanged": prompts_list_changed,
            "resourcesListChanged": resources_list_changed,
            "resourceSubscriptions": list(resource_subscriptions),
            "taskIds": list(task_ids),
        }
        params = {"notifications": {key: value for key, value in wanted.items() if value}}
        call, _ = await self._caller.subscribe(_LISTEN, params)
        try:
            yield await acknowledged(call)
        finally:
            call.cancel()

    @asynccontextmanager
    async def subscribe(self, uri: str) -> AsyncIterator[ResourceSubscription]:
        """Watches one resource, in both eras (SPEC.md §9.4). Entering waits until the subscription stands.

        A refusal is raised by entering or by the first iteration.
        """
        params = {"notifications": {"resourceSubscriptions": [uri]}}
        call, session = await self._caller.subscribe(_SUBSCRIBE, params)
        try:
            await call.standing()
            yield ResourceSubscription(call, lambda error: self._caller.lost(session, error))
        finally:
            call.cancel()

    # How it is done.

    async def _unary(self, method: str, params: Mapping[str, Any], wanted: Wanted) -> Any:
        return await self._caller.unary(METHODS_BY_NAME[method], params, wanted)

    def _hearing(self, progress: ProgressFnT | None) -> OnEvent | None:
        """Gives who hears what a call tells beside its outcome; None for nobody."""
        if progress is None and self._logging is None:
            return None

        async def hear(event: CallToolEvent) -> None:
            if event.WhichOneof("kind") == "progress" and progress is not None:
                p = event.progress
                done = p.progress if p.HasField("progress") else float(p.percentage)
                total = p.total if p.HasField("total") else None
                await progress(done, total, p.message if p.HasField("message") else None)
            elif event.WhichOneof("kind") == "log" and self._logging is not None:
                await self._logging(model_of(value_of(event.log), types.LoggingMessageNotificationParams))

        return hear

    def _asking(self, wanted: Wanted, progress: ProgressFnT | None) -> Wanted:
        """Adds to `_meta` what asks for progress and log messages."""
        meta = dict(wanted.meta or {})
        if progress is not None and "progressToken" not in meta:
            self._tokens += 1
            meta["progressToken"] = self._tokens
        if self._logging is not None and self._sessions is None:
            meta.setdefault("io.modelcontextprotocol/logLevel", self._log_level)
        return replace(wanted, meta=meta)


def _call_params(
    params: dict[str, Any],
    arguments: Mapping[str, Any] | None,
    input_responses: Mapping[str, types.InputResponse] | None,
    request_state: str | None,
) -> dict[str, Any]:
    if arguments is not None:
        params["arguments"] = arguments
    if input_responses is not None:
        params["inputResponses"] = {key: _dump(answer) for key, answer in input_responses.items()}
    if request_state is not None:
        params["requestState"] = request_state
    return params


def _dump(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)
