# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""How the requests of a typed client get to the server: as frames, or as RPCs of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import grpc
from google.protobuf.message import Message

from mcp_grpc._gen.mcp.v1.common_pb2 import (
    JSON_ENCODING_BYTES,
    JSON_ENCODING_STRUCT,
    JsonEncoding,
    JsonRpcError,
    RequestMeta,
)
from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope
from mcp_grpc._gen.mcp.v1.tool_pb2 import CallToolEvent, CallToolRequest, InvokeToolResponse
from mcp_grpc.client.convert import malformed
from mcp_grpc.client.error import CallError
from mcp_grpc.client.frames import answer_of, frame_body
from mcp_grpc.client.link import Link, Metadata, RpcStream, time_left
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

_CALL_TOOL = METHODS_BY_RPC["CallTool"]
_INVOKE_TOOL = METHODS_BY_RPC["InvokeTool"]

# With these nothing was learnt of what the server knows.
_UNREACHED = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
    }
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a request has beside its params."""

    meta: Mapping[str, Any] | None = None
    timeout: float | None = None
    metadata: Metadata = ()
    left: Callable[[], float | None] | None = None
    """Tells how much of the time is left, once the request has begun: opening a session or a stream takes some."""


class Caller:
    """Makes requests of one client. All methods raise `CallError`."""

    def __init__(
        self,
        link: Link,
        version: str,
        meta: Mapping[str, Any],
        sessions: Sessions | None,
        answering: Answering | None,
        *,
        framed: bool,
        timeout: float | None,
    ) -> None:
        self._link = link
        self._version = version
        self._meta = dict(meta)
        self._sessions = sessions
        self._answering = answering
        self._framed = framed
        self._timeout = timeout
        on_message = answering.take if answering is not None else None
        self._mux = Mux(link, self._stream_metadata, on_message, of_session=sessions is not None)
        self._plain_meta = field(REQUEST_META, self._request_meta(None).SerializeToString())
        self._inherited: bool | None = None  # until it is known
        self._ids = 0

    async def close(self) -> None:
        """Ends the stream. Calls in flight fail with CANCELLED."""
        await self._mux.close()

    async def plain_tool(
        self, name: str, arguments: Mapping[str, Any] | None, timeout: float | None
    ) -> InvokeToolResponse | None:
        """Calls a tool with nothing but arguments: most calls. None if it is not to be done on a stream."""
        if not self._framed:
            return None
        request = CallToolRequest(name=name)
        if arguments is not None:
            request.arguments_json = _text(arguments)
        body = field(CALL_TOOL, request.SerializeToString() + self._plain_meta)
        wanted = self._begun(Wanted(timeout=timeout))
        for last in (False, True):
            session = await self._sessions.get(self._time(wanted)) if self._sessions is not None else None
            try:
                reply = await self._mux.call(body, self._time(wanted))
            except NoFramesError:
                params = {"name": name} if arguments is None else {"name": name, "arguments": arguments}
                answer: InvokeToolResponse = await self.unary(_INVOKE_TOOL, params, wanted, framed=False)
                return answer
            except CallError as e:
                if last or not self._renewed(session, e):
                    raise
                continue
            if reply.WhichOneof("reply") != "call_tool":
                raise malformed("the reply is of another kind")
            return reply.call_tool
        raise AssertionError("the second try has ended the loop")

    async def unary(self, method: Method, params: Mapping[str, Any], wanted: Wanted, *, framed: bool = True) -> Any:
        """Makes a request by its frame or its RPC, once more if the server has lost the session."""
        wanted = self._begun(wanted)
        for last in (False, True):
            request, session, headers = await self.prepare(method, params, wanted)
            try:
                if framed and self._framed and not wanted.metadata:
                    try:
                        reply = await self._mux.call(frame_body(method, request), self._time(wanted))
                        return answer_of(method, reply)
                    except NoFramesError:
                        pass  # and is an RPC of its own
                if "arguments" in params and await self._speaks_inherited(wanted):
                    return await self._inherited_unary(method, params, wanted)
                return await self._link.unary(method.rpc, request, headers, self._time(wanted))
            except CallError as e:
                if last or not self._renewed(session, e):
                    raise
        raise AssertionError("the second try has ended the loop")

    async def stream_tool(self, params: Mapping[str, Any], wanted: Wanted, hear: OnEvent) -> InvokeToolResponse:
        """Calls a tool and hears what it tells, once more if the server has lost the session."""
        wanted = self._begun(wanted)
        for last in (False, True):
            prepared = await self.prepare(_CALL_TOOL, params, wanted)
            try:
                return await self._stream_tool(prepared[0], prepared[2], params, wanted, hear)
            except CallError as e:
                if last or not self._renewed(prepared[1], e):
                    raise
        raise AssertionError("the second try has ended the loop")

    async def _stream_tool(
        self, request: Message, headers: Metadata, params: Mapping[str, Any], wanted: Wanted, hear: OnEvent
    ) -> InvokeToolResponse:
        """Calls a tool by a frame with `stream`, or by the RPC `CallTool`."""
        if self._framed and not wanted.metadata:
            try:
                body = frame_body(_INVOKE_TOOL, request, stream=True)
                reply = await self._mux.call(body, self._time(wanted), hear)
            except NoFramesError:
                pass
            else:
                return reply.call_tool if reply.WhichOneof("reply") == "call_tool" else _outcome(reply.event)
        if "arguments" in params and await self._speaks_inherited(wanted):
            request, headers = await self._with_structs(_CALL_TOOL, params, wanted)
        return await self._hear_tool(request, headers, wanted, hear)

    async def _hear_tool(
        self, request: Message, headers: Metadata, wanted: Wanted, hear: OnEvent
    ) -> InvokeToolResponse:
        call = await self._link.stream("CallTool", request, headers, self._time(wanted))
        try:
            while (event := await call.read()) is not None:
                if event.WhichOneof("kind") in ("progress", "log"):
                    await hear(event)
                elif event.WhichOneof("kind") is not None:
                    return _outcome(event)
        finally:
            call.cancel()
        raise CallError.plain(grpc.StatusCode.UNAVAILABLE, "the server ended the call without an outcome")

    async def send(self, method: str, params: Mapping[str, Any], wanted: Wanted) -> Any:
        """Makes a request by `Send`, and gives the result of its response (SPEC.md §4.4)."""
        wanted = self._begun(wanted)
        headers = request_metadata(method, self._version)
        if self._sessions is not None:
            headers = (await self._sessions.get(self._time(wanted))).metadata(method)
        meta = {**self._meta, **(wanted.meta or {})}
        self._ids += 1
        message = {"jsonrpc": "2.0", "id": self._ids, "method": method}
        message["params"] = {**params, "_meta": meta} if meta else dict(params)
        try:
            envelope = envelope_from_value(message, JSON_ENCODING_BYTES)
        except CodecError as e:
            raise CallError.plain(grpc.StatusCode.INVALID_ARGUMENT, str(e)) from e
        call = await self._link.stream("Send", envelope, headers + wanted.metadata, self._time(wanted))
        try:
            while (answer := await call.read()) is not None:
                if answer.HasField("response"):
                    return _result(answer)
        finally:
            call.cancel()
        raise CallError.plain(grpc.StatusCode.UNAVAILABLE, "the server ended the call without an outcome")

    async def subscribe(self, method: Method, params: Mapping[str, Any]) -> tuple[RpcStream, Session | None]:
        """Starts a subscription, which has no end."""
        request, session, headers = await self.prepare(method, params, self._begun(Wanted()))
        return await self._link.stream(method.rpc, request, headers, None), session

    def lost(self, session: Session | None, error: CallError) -> bool:
        """Whether the server has lost the session that the error is about."""
        return self._sessions is not None and self._sessions.drop(session, error)

    def _renewed(self, session: Session | None, error: CallError) -> bool:
        """The same; and calls from now on do not use the stream of that session, unless it is another one's already."""
        is_current = self._sessions is not None and self._sessions.is_current(session)
        if not self.lost(session, error):
            return False
        if is_current:
            self._mux.retire()
        return True

    async def prepare(
        self,
        method: Method,
        params: Mapping[str, Any],
        wanted: Wanted,
        encoding: JsonEncoding = JSON_ENCODING_BYTES,
    ) -> tuple[Message, Session | None, Metadata]:
        """Gives the message of a request, and the metadata that mirrors it (SPEC.md §7.1)."""
        try:
            request: Any = from_value(dict(params), method.request, encoding)
            request.meta.CopyFrom(self._request_meta(wanted.meta))
        except CodecError as e:
            raise CallError.plain(grpc.StatusCode.INVALID_ARGUMENT, str(e)) from e
        name = getattr(request, method.name_field) if method.name_field else None
        if self._sessions is None:
            headers = request_metadata(method.name, request.meta.protocol_version, name)
            return request, None, headers + wanted.metadata
        session = await self._sessions.get(self._time(wanted))
        if self._answering is not None and self._answering.wanted:
            await self._hear_session()
        return request, session, session.metadata(method.name, name) + wanted.metadata

    def _begun(self, wanted: Wanted) -> Wanted:
        """Begins the time of a request, unless it has."""
        if wanted.left is not None:
            return wanted
        return replace(wanted, left=time_left(self._timeout if wanted.timeout is None else wanted.timeout))

    @staticmethod
    def _time(wanted: Wanted) -> float | None:
        """Seconds that are left; None for no end."""
        assert wanted.left is not None, "the request has not begun"
        return wanted.left()

    def _request_meta(self, meta: Mapping[str, Any] | None) -> RequestMeta:
        message = from_value({**self._meta, **meta} if meta else self._meta, RequestMeta, JSON_ENCODING_BYTES)
        message.json_encoding = JSON_ENCODING_BYTES
        return message

    async def _hear_session(self) -> None:
        """Opens the session's stream, on which the server asks (SPEC.md §6.6)."""
        try:
            await self._mux.current()
        except NoFramesError:
            return

    async def _stream_metadata(self) -> Metadata:
        if self._sessions is None:
            return ()
        return (await self._sessions.get(self._timeout)).stream_metadata()

    async def _speaks_inherited(self, wanted: Wanted) -> bool:
        """Whether the server knows the inherited fields alone, which is asked once (SPEC.md §15.3).

        Such a server reads arguments from Structs, and has neither `InvokeTool` nor `Discover`.
        """
        if self._inherited is None:
            discover = METHODS_BY_NAME["server/discover"]
            request, _, headers = await self.prepare(discover, {}, Wanted(left=wanted.left))
            try:
                await self._link.unary(discover.rpc, request, headers, self._time(wanted))
            except CallError as e:
                if e.status in _UNREACHED:
                    raise
                self._inherited = e.derived and e.status is grpc.StatusCode.UNIMPLEMENTED
            else:
                self._inherited = False
        return self._inherited

    async def _inherited_unary(self, method: Method, params: Mapping[str, Any], wanted: Wanted) -> Any:
        if method.rpc == _INVOKE_TOOL.rpc:
            return await self.stream_tool(params, wanted, _hear_nothing)
        request, headers = await self._with_structs(method, params, wanted)
        return await self._link.unary(method.rpc, request, headers, self._time(wanted))

    async def _with_structs(
        self, method: Method, params: Mapping[str, Any], wanted: Wanted
    ) -> tuple[Message, Metadata]:
        request, _, headers = await self.prepare(method, params, wanted, JSON_ENCODING_STRUCT)
        if getattr(request, "arguments_json", b""):
            text = "arguments: this server takes a Struct alone, which does not hold them exactly"
            raise CallError.plain(grpc.StatusCode.INVALID_ARGUMENT, text)
        return request, headers


async def _hear_nothing(_: CallToolEvent) -> None:
    return


def _result(answer: Envelope) -> Any:
    """Gives the result of a response; raises the error that it says."""
    if answer.response.WhichOneof("outcome") == "error":
        raise _raised(answer.response.error)
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
    raise _raised(event.error)


def _raised(error: JsonRpcError) -> CallError:
    """Gives the error of a message, which has no status of its own (SPEC.md §11.2)."""
    return CallError.of(RpcFailure(status_of(error.code), error.message, error))


def _text(arguments: Mapping[str, Any]) -> bytes:
    try:
        return dumps(arguments).encode()
    except (CodecError, ValueError, TypeError) as e:
        raise CallError.plain(grpc.StatusCode.INVALID_ARGUMENT, f"arguments: {e}") from e
