# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The typed client: params and results are those of the SDK, and there is no JSON-RPC in between (SPEC.md §5)."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
import mcp.types as types
from google.protobuf.message import Message
from mcp.client.session import LoggingFnT
from mcp.shared.dispatcher import ProgressFnT
from mcp.types.version import LATEST_MODERN_VERSION, MODERN_PROTOCOL_VERSIONS
from pydantic import BaseModel

from mcp_grpc._gen.mcp.v1.common_pb2 import JSON_ENCODING_BYTES, RequestMeta
from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope
from mcp_grpc._gen.mcp.v1.tool_pb2 import CallToolEvent, CallToolRequest, InvokeToolResponse
from mcp_grpc.auth.channel import ClientTLS
from mcp_grpc.auth.client_auth import ClientAuth
from mcp_grpc.client.asked import Callbacks
from mcp_grpc.client.convert import malformed, model_of, tool_result, value_of
from mcp_grpc.client.error import CallError, InputNeeded, TaskStarted
from mcp_grpc.client.frames import answer_of, frame_body
from mcp_grpc.client.link import DEFAULT_MESSAGE_BYTES, Link, Metadata
from mcp_grpc.client.listening import ResourceSubscription, Subscription, acknowledged
from mcp_grpc.client.mux import Mux
from mcp_grpc.client.mux_stream import NoFramesError, OnEvent
from mcp_grpc.client.session import Session, Sessions
from mcp_grpc.client.session_stream import Answering
from mcp_grpc.client.wire import CALL_TOOL, REQUEST_META, field
from mcp_grpc.codec import (
    METHODS_BY_NAME,
    METHODS_BY_RPC,
    CodecError,
    Method,
    RpcFailure,
    dumps,
    envelope_from_value,
    envelope_to_value,
    from_value,
    request_metadata,
    status_of,
)

M = TypeVar("M", bound=BaseModel)

MAX_ROUNDS = 10
"""How often a server may ask within one call, as in the SDK's own client."""

# The first pause, in seconds, before a server that is only busy is asked again; as in the SDK's own client.
_BUSY_PAUSE = 0.05

_CALL_TOOL = METHODS_BY_RPC["CallTool"]
_INVOKE_TOOL = METHODS_BY_RPC["InvokeTool"]
_SUBSCRIBE = METHODS_BY_RPC["SubscribeResource"]


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
        self._meta: dict[str, Any] = {}
        if version in MODERN_PROTOCOL_VERSIONS or version > LATEST_MODERN_VERSION:
            self._meta = {f"io.modelcontextprotocol/{key}": value for key, value in client.items()}
            self._meta["io.modelcontextprotocol/protocolVersion"] = version
        else:
            self._sessions = Sessions(
                self._link,
                {
                    "protocolVersion": version,
                    "capabilities": client["clientCapabilities"],
                    "clientInfo": client["clientInfo"],
                },
            )
        self._answering = Answering(self._callbacks, on_message) if self._sessions else None
        self._framed = multiplexed
        self._mux = Mux(self._link, self._stream_metadata, self._answering.take if self._answering else None)
        self._plain_meta = field(REQUEST_META, self._request_meta(None).SerializeToString())
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
        await self._mux.close()
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
        answer = await self._unary("ping", {}, None, timeout)
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
        plain = progress_callback is None and meta is None and input_responses is None and request_state is None
        if plain and self._framed and self._logging is None and not metadata:
            reply = await self._call_plainly(name, arguments, self._timeout if timeout is None else timeout)
            if reply is not None and reply.WhichOneof("outcome") == "result":
                return tool_result(reply.result)
            params = {"name": name} if arguments is None else {"name": name, "arguments": arguments}
        else:
            reply = None
            params = _call_params({"name": name}, arguments, input_responses, request_state)
        hear = None
        if progress_callback is not None or self._logging is not None:
            meta, hear = self._wanted(meta, progress_callback)

        async def once(params: dict[str, Any]) -> InvokeToolResponse:
            nonlocal reply
            first, reply = reply, None
            if first is not None:
                return first
            return await self._call_tool(params, meta, hear, timeout, tuple(metadata))

        outcome = await self._rounds(params, once)
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
        outcome = await self._rounds(params, lambda p: self._unary("resources/read", p, meta, timeout))
        return model_of(value_of(outcome), types.ReadResourceResult)

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
        outcome = await self._rounds(params, lambda p: self._unary("prompts/get", p, meta, timeout))
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
    ) -> dict[str, Any]:
        """Makes a request of any method, and gives its result as a JSON value: nothing is lost, unknown members too.

        A method without a typed RPC travels by `Send` (SPEC.md §4.4); notifications about it are dropped.
        """
        known = METHODS_BY_NAME.get(method)
        if known is not None and known.frame is not None:
            answer = await self._unary(method, dict(params or {}), meta, timeout)
            value = value_of(answer) if method != "ping" else {}
        else:
            value = await self._send(method, params, meta, timeout)
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
        request, _, headers = await self._prepare(METHODS_BY_RPC["Listen"], params, None)
        call = await self._link.stream("Listen", request, headers, None)
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
        request, session, headers = await self._prepare(_SUBSCRIBE, params, None)
        call = await self._link.stream("SubscribeResource", request, headers, None)
        try:
            await call.standing()
            yield ResourceSubscription(call, lambda error: self._lost(session, error))
        finally:
            call.cancel()

    # How it is done.

    async def _rounds(self, params: dict[str, Any], once: Callable[[dict[str, Any]], Awaitable[Any]]) -> Any:
        """Answers questions by the callbacks, and gives the outcome that is none (SPEC.md §8)."""
        pause = _BUSY_PAUSE
        for _ in range(MAX_ROUNDS):
            outcome = await once(params)
            if not outcome.HasField("input_required"):
                return outcome
            asked = value_of(outcome.input_required)
            questions = asked.get("inputRequests") or {}
            if not self._callbacks.knows(questions):
                raise InputNeeded(model_of(asked, types.InputRequiredResult))
            params = {k: v for k, v in params.items() if k not in ("inputResponses", "requestState")}
            if questions:
                params["inputResponses"] = await self._callbacks.answers(questions)
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, 5 * _BUSY_PAUSE)
            if "requestState" in asked:
                params["requestState"] = asked["requestState"]
        raise CallError.plain(grpc.StatusCode.FAILED_PRECONDITION, f"the server asked more than {MAX_ROUNDS} times")

    async def _call_plainly(
        self, name: str, arguments: Mapping[str, Any] | None, timeout: float | None
    ) -> InvokeToolResponse | None:
        """Calls a tool with nothing but arguments: most calls. None if it cannot be done on the stream."""
        request = CallToolRequest(name=name)
        if arguments is not None:
            request.arguments_json = _text(arguments)
        body = field(CALL_TOOL, request.SerializeToString() + self._plain_meta)
        try:
            reply = await self._mux.call(body, timeout)
        except NoFramesError:
            return None
        except CallError as e:
            if not await self._reopened(e):
                raise
            reply = await self._mux.call(body, timeout)
        if reply.WhichOneof("reply") != "call_tool":
            raise malformed("the reply is of another kind")
        return reply.call_tool

    async def _reopened(self, error: CallError) -> bool:
        """Whether the server has lost the session that the error is about, so that a call is made once more."""
        if self._sessions is None:
            return False
        session = await self._sessions.get(self._timeout)
        if not self._sessions.drop(session, error):
            return False
        await self._mux.close()
        return True

    async def _call_tool(
        self,
        params: dict[str, Any],
        meta: Mapping[str, Any] | None,
        hear: OnEvent | None,
        timeout: float | None,
        metadata: Metadata,
    ) -> InvokeToolResponse:
        if hear is None:
            answer: InvokeToolResponse = await self._unary("tools/call", params, meta, timeout, metadata)
            return answer
        return await self._stream_tool(params, meta, hear, timeout, metadata)

    async def _stream_tool(
        self,
        params: dict[str, Any],
        meta: Mapping[str, Any] | None,
        hear: OnEvent,
        timeout: float | None,
        metadata: Metadata,
    ) -> InvokeToolResponse:
        """Calls a tool and hears what it tells: by a frame with `stream`, or by the RPC `CallTool`."""
        timeout = self._timeout if timeout is None else timeout
        request, _, headers = await self._prepare(_CALL_TOOL, params, meta)
        if self._framed and not metadata:
            try:
                reply = await self._mux.call(frame_body(_INVOKE_TOOL, request, stream=True), timeout, hear)
            except NoFramesError:
                pass
            else:
                if reply.WhichOneof("reply") == "call_tool":
                    return reply.call_tool
                return _outcome(reply.event)
        call = await self._link.stream("CallTool", request, headers + metadata, timeout)
        try:
            while (event := await call.read()) is not None:
                if event.WhichOneof("kind") in ("progress", "log"):
                    await hear(event)
                elif event.WhichOneof("kind") is not None:
                    return _outcome(event)
        finally:
            call.cancel()
        raise CallError.plain(grpc.StatusCode.UNAVAILABLE, "the server ended the call without an outcome")

    def _wanted(self, meta: Mapping[str, Any] | None, progress: ProgressFnT | None) -> tuple[dict[str, Any], OnEvent]:
        """Gives the `_meta` that asks for progress and log messages, and who hears them."""
        wanted = dict(meta or {})
        if progress is not None and "progressToken" not in wanted:
            self._tokens += 1
            wanted["progressToken"] = self._tokens
        if self._logging is not None and self._sessions is None:
            wanted.setdefault("io.modelcontextprotocol/logLevel", self._log_level)

        async def hear(event: CallToolEvent) -> None:
            if event.WhichOneof("kind") == "progress" and progress is not None:
                p = event.progress
                share = p.progress if p.HasField("progress") else float(p.percentage)
                await progress(
                    share, p.total if p.HasField("total") else None, p.message if p.HasField("message") else None
                )
            elif event.WhichOneof("kind") == "log" and self._logging is not None:
                await self._logging(model_of(value_of(event.log), types.LoggingMessageNotificationParams))

        return wanted, hear

    async def _unary(
        self,
        method: str,
        params: dict[str, Any],
        meta: Mapping[str, Any] | None,
        timeout: float | None,
        metadata: Metadata = (),
    ) -> Any:
        """Makes a call by its frame or its RPC, once more if the server has lost the session."""
        known = METHODS_BY_NAME[method]
        timeout = self._timeout if timeout is None else timeout
        for last in (False, True):
            request, session, headers = await self._prepare(known, params, meta)
            try:
                if self._framed and not metadata:
                    try:
                        return answer_of(known, await self._mux.call(frame_body(known, request), timeout))
                    except NoFramesError:
                        pass  # and is an RPC of its own
                return await self._link.unary(known.rpc, request, headers + metadata, timeout)
            except CallError as e:
                if last or not self._lost(session, e):
                    raise
                await self._mux.close()
        raise AssertionError("the second try has ended the loop")

    def _lost(self, session: Session | None, error: CallError) -> bool:
        return self._sessions is not None and self._sessions.drop(session, error)

    async def _prepare(
        self, method: Method, params: dict[str, Any], meta: Mapping[str, Any] | None
    ) -> tuple[Message, Session | None, Metadata]:
        """Gives the message of a request, and the metadata that mirrors it (SPEC.md §7.1)."""
        try:
            request: Any = from_value(params, method.request, JSON_ENCODING_BYTES)
            request.meta.CopyFrom(self._request_meta(meta))
        except CodecError as e:
            raise CallError.plain(grpc.StatusCode.INVALID_ARGUMENT, str(e)) from e
        name = getattr(request, method.name_field) if method.name_field else None
        if self._sessions is None:
            return request, None, request_metadata(method.name, request.meta.protocol_version, name)
        session = await self._sessions.get(self._timeout)
        if self._answering is not None and self._answering.wanted:
            await self._hear_session()
        return request, session, session.metadata(method.name, name)

    async def _hear_session(self) -> None:
        """Opens the session's stream, on which the server asks (SPEC.md §6.6)."""
        try:
            await self._mux.current()
        except NoFramesError:
            return

    def _request_meta(self, meta: Mapping[str, Any] | None) -> RequestMeta:
        message = from_value({**self._meta, **meta} if meta else self._meta, RequestMeta, JSON_ENCODING_BYTES)
        message.json_encoding = JSON_ENCODING_BYTES
        return message

    async def _stream_metadata(self) -> Metadata:
        if self._sessions is None:
            return ()
        return (await self._sessions.get(self._timeout)).stream_metadata()

    async def _send(
        self, method: str, params: Mapping[str, Any] | None, meta: Mapping[str, Any] | None, timeout: float | None
    ) -> Any:
        """Makes a request by `Send`, and gives the result of its response."""
        headers = request_metadata(method, self._version)
        if self._sessions is not None:
            headers = (await self._sessions.get(self._timeout)).metadata(method)
        all_meta = {**self._meta, **(meta or {})}
        all_params = {**(params or {}), **({"_meta": all_meta} if all_meta else {})}
        self._tokens += 1
        message = {"jsonrpc": "2.0", "id": self._tokens, "method": method, "params": all_params}
        try:
            envelope: Envelope = envelope_from_value(message, JSON_ENCODING_BYTES)
        except CodecError as e:
            raise CallError.plain(grpc.StatusCode.INVALID_ARGUMENT, str(e)) from e
        call = await self._link.stream("Send", envelope, headers, self._timeout if timeout is None else timeout)
        try:
            while (answer := await call.read()) is not None:
                if answer.HasField("response"):
                    return _result(answer)
        finally:
            call.cancel()
        raise CallError.plain(grpc.StatusCode.UNAVAILABLE, "the server ended the call without an outcome")


def _result(answer: Envelope) -> Any:
    """Gives the result of a response; raises the error that it says."""
    if answer.response.WhichOneof("outcome") == "error":
        error = answer.response.error
        raise CallError.of(RpcFailure(status_of(error.code), error.message, error, ()))
    try:
        return envelope_to_value(answer)["result"]
    except CodecError as e:
        raise malformed(str(e)) from e


def _outcome(event: CallToolEvent) -> InvokeToolResponse:
    """Gives the last event of a call as the answer of `InvokeTool`."""
    kind = event.WhichOneof("kind")
    if kind == "result":
        return InvokeToolResponse(result=event.result)
    if kind == "input_required":
        return InvokeToolResponse(input_required=event.input_required)
    if kind == "task":
        return InvokeToolResponse(task=event.task)
    raise CallError.of(RpcFailure(status_of(event.error.code), event.error.message, event.error, ()))


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


def _text(arguments: Mapping[str, Any]) -> bytes:
    try:
        return dumps(arguments).encode()
    except (ValueError, TypeError) as e:
        raise CallError.plain(grpc.StatusCode.INVALID_ARGUMENT, f"arguments: {e}") from e


def _dump(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)
