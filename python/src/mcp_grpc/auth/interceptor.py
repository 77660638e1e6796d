# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The guard at work in ``grpc.aio``.

``grpc.aio`` shows a caller's address and certificate to handlers only, and reads a unary request before it calls
its handler. On the wire all shapes of RPCs are alike. So each RPC gets a handler for streams, which decides first,
and then reads and writes the messages for the real one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
from google.protobuf.message import DecodeError

from mcp_grpc._gen.mcp.v1 import common_pb2
from mcp_grpc.auth.authenticator import CREDENTIAL_HEADERS
from mcp_grpc.auth.call import Call
from mcp_grpc.auth.challenge import status_details
from mcp_grpc.auth.error import Refusal
from mcp_grpc.auth.principal import Principal, set_current_principal
from mcp_grpc.auth.sdk_token import show_to_sdk

if TYPE_CHECKING:
    from mcp_grpc.auth.guard import Guard

    _Context = grpc.aio.ServicerContext[Any, Any]
    _Handler = grpc.RpcMethodHandler[Any, Any]  # is generic for type checkers only


class GuardInterceptor(grpc.aio.ServerInterceptor):
    """Asks a :class:`Guard` about each RPC, unknown ones included, but those of ``public``."""

    def __init__(self, guard: Guard, public: frozenset[str]) -> None:
        self._guard = guard
        self._public = public

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler | None:
        """See ``grpc.aio.ServerInterceptor``."""
        method = handler_call_details.method
        handler = await continuation(handler_call_details)
        if method in self._public:
            return handler

        async def guarded(_: object, context: _Context) -> None:
            await self._run(method, handler, context)

        return grpc.stream_stream_rpc_method_handler(guarded)

    async def _run(self, method: str, handler: _Handler | None, context: _Context) -> None:
        try:
            principal = await self._guard.check(Call.of(method, context))
        except Refusal as refusal:
            await context.send_initial_metadata(refusal.initial_metadata)
            await context.abort(refusal.code, refusal.message, refusal.trailing_metadata)
        if handler is None:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "there is no such method")
        set_current_principal(principal)  # the task is this RPC's own
        show_to_sdk(principal)
        guarded = GuardedContext(context, handler, self._guard.body_seconds)
        await until_end(principal, _serve(handler, guarded), context)


async def until_end(principal: Principal, work: Awaitable[None], context: _Context) -> None:
    """Awaits ``work``, and ends the RPC with UNAUTHENTICATED when the caller's credential ends first.

    That is a minute after its expiry, or at once when it is revoked (SPEC.md §14.2).
    """
    loop = asyncio.get_running_loop()
    end = principal.end
    when = None if end is None else loop.time() + end - time.time()
    watches = [p.revocation for p in (principal, principal.connection) if p is not None and p.revocation is not None]
    if when is None and not watches:
        await work
        return
    try:
        async with asyncio.timeout_at(when) as timeout:
            with contextlib.ExitStack() as stack:
                for revocation in watches:
                    stack.callback(revocation.watch(lambda: _expire(timeout)))
                await work
    except TimeoutError:
        if not timeout.expired():
            raise
        await _abort_ended(context)


def _expire(timeout: asyncio.Timeout) -> None:
    if not timeout.expired():
        timeout.reschedule(asyncio.get_running_loop().time())


async def _abort_ended(context: _Context) -> NoReturn:
    code, message = grpc.StatusCode.UNAUTHENTICATED, "the credentials have expired or were revoked"
    detail = common_pb2.JsonRpcError(code=-32600, message=message)
    await context.abort(code, message, status_details(code, message, detail))
    raise AssertionError  # abort raises


async def _serve(handler: _Handler, context: GuardedContext) -> None:
    """Reads and writes the messages of the real handler."""
    request: object = context.messages() if handler.request_streaming else await context.first()
    behaviour: Any = (
        handler.stream_stream
        if handler.request_streaming and handler.response_streaming
        else handler.stream_unary
        if handler.request_streaming
        else handler.unary_stream
        if handler.response_streaming
        else handler.unary_unary
    )
    answer = behaviour(request, context)
    if not handler.response_streaming:
        await context.write(await answer)
    elif hasattr(answer, "__aiter__"):
        async with contextlib.aclosing(answer) as responses:
            async for response in responses:
                await context.write(response)
    else:
        await answer


class GuardedContext(grpc.aio.ServicerContext[Any, Any]):
    """The context of an RPC for the handler behind a guard: without its credentials, and with its messages decoded.

    Everything else is the context's own.
    """

    def __init__(self, context: _Context, handler: _Handler, body_seconds: float) -> None:
        self._context = context
        self._body_seconds = body_seconds
        self._decode = handler.request_deserializer or (lambda raw: raw)
        self._encode = handler.response_serializer or (lambda message: message)

    async def first(self) -> Any:
        """The one message of a request."""
        try:
            async with asyncio.timeout(self._body_seconds) as timeout:
                message = await self.read()
        except TimeoutError:
            if not timeout.expired():
                raise
            await self.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "the request's message did not come in time")
        if message is grpc.aio.EOF:
            await self.abort(grpc.StatusCode.INVALID_ARGUMENT, "there is no request message")
        return message

    async def messages(self) -> AsyncIterator[Any]:
        """The messages of a request."""
        while (message := await self.read()) is not grpc.aio.EOF:
            yield message

    async def read(self) -> Any:
        """The next message, or ``grpc.aio.EOF``."""
        raw = await self._context.read()
        if raw is grpc.aio.EOF:
            return raw
        try:
            return self._decode(raw)
        except DecodeError:
            await self.abort(grpc.StatusCode.INVALID_ARGUMENT, "the message cannot be decoded")

    async def write(self, message: Any) -> None:
        """Sends a message."""
        await self._context.write(self._encode(message))

    def invocation_metadata(self) -> grpc.aio.Metadata | None:
        """Request headers without credentials: they must not be passed on (SPEC.md §14.2)."""
        kept = ((k, v) for k, v in self._context.invocation_metadata() or () if k not in CREDENTIAL_HEADERS)
        return grpc.aio.Metadata(*kept)

    # What follows is the context's own.

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: Any = ()) -> NoReturn:
        """Ends the RPC."""
        await self._context.abort(code, details, trailing_metadata)
        raise AssertionError  # abort raises

    async def abort_with_status(self, status: grpc.Status) -> NoReturn:
        """Ends the RPC."""
        await self._context.abort(status.code, status.details, status.trailing_metadata or ())
        raise AssertionError  # abort raises

    async def send_initial_metadata(self, initial_metadata: Any) -> None:
        """Sends response headers."""
        await self._context.send_initial_metadata(initial_metadata)

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        """Sets trailers."""
        self._context.set_trailing_metadata(trailing_metadata)

    def set_code(self, code: grpc.StatusCode) -> None:
        """Sets the status."""
        self._context.set_code(code)

    def set_details(self, details: str) -> None:
        """Sets the status's message."""
        self._context.set_details(details)

    def set_compression(self, compression: grpc.Compression) -> None:
        """Sets the compression of responses."""
        self._context.set_compression(compression)

    def disable_next_message_compression(self) -> None:
        """Leaves the next response as it is."""
        self._context.disable_next_message_compression()

    def peer(self) -> str:
        """The peer's address."""
        return self._context.peer()

    def peer_identities(self) -> Any:
        """The peer's identities by TLS."""
        return self._context.peer_identities()

    def peer_identity_key(self) -> str | None:
        """The property that identifies the peer."""
        return self._context.peer_identity_key()

    def auth_context(self) -> Any:
        """What TLS knows of the peer."""
        return self._context.auth_context()

    def time_remaining(self) -> float:
        """Seconds to the deadline."""
        return self._context.time_remaining()

    def trailing_metadata(self) -> Any:
        """The trailers that were set."""
        return self._context.trailing_metadata()

    def code(self) -> Any:
        """The status that was set."""
        return self._context.code()

    def details(self) -> Any:
        """The status's message that was set."""
        return self._context.details()

    def add_done_callback(self, callback: Any) -> None:
        """Calls ``callback`` when the RPC is done."""
        self._context.add_done_callback(callback)

    def cancelled(self) -> bool:
        """Whether the RPC was cancelled."""
        return self._context.cancelled()

    def done(self) -> bool:
        """Whether the RPC is done."""
        return self._context.done()
