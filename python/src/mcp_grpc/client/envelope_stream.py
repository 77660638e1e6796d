# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""One connection of the SDK's client: its messages on one `Connect` stream at a time (SPEC.md §4.5)."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.abc
import grpc
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp.types import ErrorData
from mcp.types.jsonrpc import (
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from mcp_grpc._gen.mcp.v1.common_pb2 import JSON_ENCODING_BYTES
from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope
from mcp_grpc.client.connect_call import ConnectCall
from mcp_grpc.client.convert import malformed
from mcp_grpc.client.error import CallError, is_drained
from mcp_grpc.client.link import Link
from mcp_grpc.client.mux import MAX_MOVES, MOVE_PAUSE
from mcp_grpc.codec import CodecError, RpcFailure, dumps, envelope_from_value, envelope_to_value

Id = tuple[type, str | int]
"""A JSON-RPC id: "7" is not 7."""


def key_of(request_id: Any) -> Id:
    """Gives what tells a string from an integer that looks alike."""
    return (type(request_id), request_id)


class _Stream:
    """One RPC, and the requests that it has not answered."""

    def __init__(self, call: ConnectCall) -> None:
        self.call = call
        self.requests: dict[Id, JSONRPCRequest] = {}
        self.legacy = False  # a session was opened here
        self.heard = False  # something has come
        self.over = anyio.Event()


class Connection:
    """Passes messages between the SDK's client and the stream, and opens another one after a loss."""

    def __init__(
        self, link: Link, inbox: MemoryObjectSendStream[SessionMessage | Exception], group: anyio.abc.TaskGroup
    ) -> None:
        self._link = link
        self._inbox = inbox
        self._group = group
        self._stream: _Stream | None = None
        self._moves = 0  # to other streams, since something was heard
        self._moving: dict[Id, JSONRPCRequest] = {}  # between two streams
        self._opening = anyio.Lock()
        self.session_id: str | None = None

    async def run(self, outbox: MemoryObjectReceiveStream[SessionMessage]) -> None:
        """Sends what the client says, until it says no more."""
        async with outbox:
            async for item in outbox:
                await self._send(item.message)

    async def finish(self) -> None:
        """Half-closes the stream, and waits for the server to end it."""
        self._inbox.close()
        stream = self._stream
        if stream is None or stream.over.is_set():
            return
        if await stream.call.done_writing():
            await stream.over.wait()

    async def _send(self, message: JSONRPCMessage) -> None:
        """Sends a message. What goes wrong is the answer to it, if it has one."""
        try:
            data = _encoded(message)
            self._link.check_size(len(data))
            stream = await self._current()
        except CallError as e:
            await self._fail(message, e)
            return
        if isinstance(message, JSONRPCRequest):
            if key_of(message.id) in stream.requests:
                busy = CallError.plain(grpc.StatusCode.FAILED_PRECONDITION, "the id is in flight already")
                await self._fail(message, busy)
                return
            stream.requests[key_of(message.id)] = message
        elif isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            cancelled = key_of((message.params or {}).get("requestId"))
            stream.requests.pop(cancelled, None)  # nothing more comes for it
            self._moving.pop(cancelled, None)
        await stream.call.write(data)  # what loses the stream answers the request

    async def _fail(self, message: JSONRPCMessage, error: CallError) -> None:
        if isinstance(message, JSONRPCRequest):
            await self._put(JSONRPCError(jsonrpc="2.0", id=message.id, error=error.error))

    async def _put(self, message: JSONRPCMessage | Exception) -> None:
        try:
            await self._inbox.send(message if isinstance(message, Exception) else SessionMessage(message))
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return  # the client has gone

    async def _current(self) -> _Stream:
        """Gives the stream that is open, or opens one; raises `CallError`."""
        async with self._opening:
            if self._stream is None:
                self._stream = _Stream(await self._link.connect(()))
                self._group.start_soon(self._receive, self._stream)
            return self._stream

    async def _receive(self, stream: _Stream) -> None:
        """Hands the server's messages on until the stream ends."""
        try:
            while (envelope := await stream.call.read()) is not None:
                if not stream.heard:
                    await self._first(stream)
                if (message := _decoded(envelope)) is not None:
                    await self._take(stream, message)
            failure = await stream.call.failure()
        finally:
            stream.call.cancel()
        await self._lose(stream, failure)

    async def _first(self, stream: _Stream) -> None:
        stream.heard = True
        for name, value in await stream.call.headers():
            if name == "mcp-session-id":
                self.session_id = value

    async def _take(self, stream: _Stream, message: JSONRPCMessage) -> None:
        """Hands on responses to requests in flight, notifications, and the requests of a legacy session.

        A modern client answers no requests (SPEC.md §6.6).
        """
        if isinstance(message, JSONRPCRequest):
            if stream.legacy:
                await self._put(message)
        elif isinstance(message, JSONRPCNotification):
            await self._put(message)
        elif isinstance(message, JSONRPCError) and message.id is None:
            await self._refuse_all(stream, message)
        else:
            request = stream.requests.pop(key_of(message.id), None)
            if request is None:
                return
            self._moves = 0
            if request.method == "initialize" and isinstance(message, JSONRPCResponse):
                stream.legacy = True
            await self._put(message)

    async def _refuse_all(self, stream: _Stream, error: JSONRPCError) -> None:
        """The server could not read one of the requests in flight, or none of them (SPEC.md §15.3)."""
        requests, stream.requests = stream.requests, {}
        for request in requests.values():
            await self._put(JSONRPCError(jsonrpc="2.0", id=request.id, error=error.error))

    async def _lose(self, stream: _Stream, failure: RpcFailure) -> None:
        """Answers what is in flight on a lost stream, or moves it; a legacy session ends with its stream."""
        if self._stream is stream:
            self._stream = None
        requests, stream.requests = stream.requests, {}
        stream.over.set()
        if stream.legacy:
            lost = CallError.of(failure, "the session was lost with its stream")
            await self._answer_all(requests, lost)
            await self._put(lost)
            self._inbox.close()
        elif requests and await self._may_move(stream, failure):
            await self._move(requests)
        else:
            await self._answer_all(requests, CallError.of(failure, "no answer came on the stream"))

    async def _may_move(self, stream: _Stream, failure: RpcFailure) -> bool:
        """Whether the server has not begun what it has not answered: it has drained, or refused the stream."""
        if self._moves == MAX_MOVES:
            return False
        if is_drained(failure):
            return True
        return not stream.heard and await self._link.refused(failure, await stream.call.headers())

    async def _move(self, requests: dict[Id, JSONRPCRequest]) -> None:
        self._moving.update(requests)
        await anyio.sleep(MOVE_PAUSE * 2**self._moves)
        self._moves += 1
        while self._moving:
            await self._send(self._moving.pop(next(iter(self._moving))))

    async def _answer_all(self, requests: dict[Id, JSONRPCRequest], error: CallError) -> None:
        for request in requests.values():
            await self._put(JSONRPCError(jsonrpc="2.0", id=request.id, error=error.error))


def _encoded(message: JSONRPCMessage) -> bytes:
    """Gives the envelope of a message; raises `CallError`."""
    envelope = Envelope()
    try:
        if isinstance(message, JSONRPCRequest):
            envelope.method = message.method
            if isinstance(message.id, int):
                envelope.request.int_id = message.id
            else:
                envelope.request.id = message.id
            if message.params is not None:
                envelope.request.params_json = dumps(message.params).encode()
        elif isinstance(message, JSONRPCNotification):
            envelope.method = message.method
            envelope.notification.SetInParent()
            if message.params is not None:
                envelope.notification.params_json = dumps(message.params).encode()
        else:
            value = message.model_dump(by_alias=True, exclude_unset=True)
            envelope = envelope_from_value(value, JSON_ENCODING_BYTES)
    except (CodecError, ValueError) as e:  # an id beyond int64, too
        raise CallError.plain(grpc.StatusCode.INVALID_ARGUMENT, str(e)) from e
    return envelope.SerializeToString()


def _decoded(envelope: Envelope) -> JSONRPCMessage | None:
    """Gives the message in an envelope; None if there is none that the client could read."""
    try:
        value = envelope_to_value(envelope)
    except CodecError as e:
        return _unreadable(envelope, str(e))
    if "error" in value and "id" not in value:
        value["id"] = None
    try:
        return jsonrpc_message_adapter.validate_python(value, by_name=False)
    except ValidationError:
        return _unreadable(envelope, "it has members of the wrong form")


def _unreadable(envelope: Envelope, why: str) -> JSONRPCMessage | None:
    """Gives the error that a request has in place of a response that cannot be read."""
    response = envelope.response
    if response.HasField("id") or response.HasField("int_id"):
        error: ErrorData = malformed(why).error
        request_id = response.id if response.HasField("id") else response.int_id
        return JSONRPCError(jsonrpc="2.0", id=request_id, error=error)
    return None
