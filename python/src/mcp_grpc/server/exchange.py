# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""One envelope stream, ``Connect`` or ``Send``: it takes JSON-RPC messages and queues what goes back (SPEC.md §4)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mcp import MCPError
from mcp_types import INVALID_REQUEST

from mcp_grpc._gen.mcp.v1.common_pb2 import JSON_ENCODING_BYTES, JSON_ENCODING_STRUCT, JsonEncoding
from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope, ReplyFrame
from mcp_grpc.codec import RpcFailure, dumps, frame_error
from mcp_grpc.server.context import CallContext
from mcp_grpc.server.envelope import (
    RequestKey,
    answer_of,
    check_repeated,
    error_envelope,
    key_of,
    notification,
    params_of,
    request,
    result_envelope,
)
from mcp_grpc.server.failure import exhausted, failure_from, invalid_request, method_not_found, no_session
from mcp_grpc.server.header import Headers
from mcp_grpc.server.initialize import initialize, may_initialize
from mcp_grpc.server.outbox import Closed, Outbox
from mcp_grpc.server.scope import LEGACY_ONLY, Scope, meta_of, scope_of
from mcp_grpc.server.service import Service
from mcp_grpc.server.session import Session

logger = logging.getLogger("mcp_grpc.server")

# Of these, two that wait and say the same are one too many (§9.3).
_MERGED = frozenset(
    {
        "notifications/tools/list_changed",
        "notifications/prompts/list_changed",
        "notifications/resources/list_changed",
        "notifications/resources/updated",
    }
)


def _too_large(envelope: Envelope, encoding: JsonEncoding) -> Envelope:
    failure = exhausted("the answer is larger than a message may be")
    if envelope.HasField("reply"):
        return Envelope(reply=ReplyFrame(call_id=envelope.reply.call_id, error=frame_error(failure)))
    response = envelope.response
    return error_envelope(response.id if response.HasField("id") else response.int_id, failure, encoding)


class _InFlight:
    """A request that runs."""

    def __init__(self, key: RequestKey, registry: dict[RequestKey, _InFlight]) -> None:
        self._key = key
        # Where it is noted: a session may be opened on the stream meanwhile.
        self._registry = registry
        self._registry[key] = self
        self.task: asyncio.Task[Any] | None = None
        self.context: CallContext | None = None
        self.aborted = False

    def run_by(self, task: asyncio.Task[Any]) -> None:
        """Note the task that serves it. One that is cancelled before it begins does not say that it is over."""
        self.task = task
        task.add_done_callback(lambda _: self.end())

    def end(self) -> None:
        """It is over: its id is free."""
        if self._registry.get(self._key) is self:
            del self._registry[self._key]

    def abort(self) -> None:
        """The client has cancelled it: nothing more is sent for it (§10.2)."""
        self.aborted = True
        if self.context is not None:
            self.context.cancel()
        if self.task is not None:
            self.task.cancel()


class Exchange:
    """One stream of envelopes.

    Args:
        service: What all RPCs share.
        headers: The metadata of the stream.
        single: Whether it is ``Send``, whose metadata is about the one message that it takes.
        opened: Is told the id of a session that was opened here, before anything is sent.
    """

    def __init__(
        self, service: Service, headers: Headers, *, single: bool, opened: Callable[[str], Awaitable[None]]
    ) -> None:
        self.service = service
        self.headers = headers
        self.single = single
        self.out: Outbox[Envelope] = Outbox(service.limits.waiting_messages, service.limits.waiting_notifications)
        self.session: Session | None = None
        self.deaf = False
        self._opened = opened
        self._owned = False
        self._attached = False
        self._bytes = False
        self._in_flight: dict[RequestKey, _InFlight] = {}
        self.stopped = asyncio.Event()

    # What the peer reads.

    def learn(self, envelope: Envelope) -> None:
        """Note what a message of the client's tells of what it reads: a peer of the subset never uses these fields."""
        match envelope.WhichOneof("kind"):
            case "request":
                self._bytes |= bool(envelope.request.params_json) or envelope.request.HasField("int_id")
            case "notification":
                self._bytes |= bool(envelope.notification.params_json)
            case "hello":
                self._bytes = True

    @property
    def encoding(self) -> JsonEncoding:
        """Where free-form JSON goes."""
        return JSON_ENCODING_BYTES if self._bytes else JSON_ENCODING_STRUCT

    # The session.

    def join(self, session: Session, *, owned: bool) -> None:
        """Make this stream the session's; an owned session ends with it. Raises ALREADY_EXISTS."""
        session.attach(self)
        self.session, self._owned, self._attached = session, owned, True

    def leave(self) -> None:
        """Undo :meth:`join`. It may be called again."""
        if self.session is None or not self._attached:
            return
        self._attached = False
        self.session.detach(self)
        if self._owned:
            self.service.sessions.end(self.session)

    def stop(self) -> None:
        """End the stream in good order: no more is read, what is in flight is answered."""
        self.stopped.set()

    def hush(self) -> None:
        """No more is read from the client: it answers nothing any more."""
        self.deaf = True
        if self.session is not None:
            self.session.fail_questions(self)

    # What the server says: Asker of calls, and the session's stream.

    @property
    def can_ask(self) -> bool:
        """Whether the client still answers."""
        return not self.deaf

    async def ask(self, request_id: str, method: str, params: Mapping[str, Any] | None) -> None:
        """Send a request of the server's; MCPError if it is too large."""
        envelope = request(request_id, method, params, self.encoding)
        if self._is_too_large(envelope):  # nobody would answer it
            raise MCPError(INVALID_REQUEST, f"{method} is larger than a message may be")
        await self.put(envelope)

    async def tell(self, method: str, params: Mapping[str, Any] | None) -> None:
        """Send a notification of a call."""
        await self.put(notification(method, params, self.encoding))

    def push(self, method: str, params: Mapping[str, Any] | None) -> None:
        """Send a notification outside of calls."""
        key = method + dumps(dict(params or {})) if method in _MERGED else ""
        self.out.push(notification(method, params, self.encoding), key)

    async def put(self, envelope: Envelope) -> None:
        """Queue a message of a call; it is left out if it is too large, and if the stream is over."""
        if self._is_too_large(envelope):
            logger.warning("%s is too large to be sent", envelope.method or envelope.WhichOneof("kind"))
            return
        with contextlib.suppress(Closed):  # nobody misses it
            await self.out.put(envelope)

    def answer(self, envelope: Envelope) -> None:
        """Send what ends a request; an error in its place if it is too large, so that the stream goes on."""
        if self._is_too_large(envelope):
            envelope = _too_large(envelope, self.encoding)
        with contextlib.suppress(Closed):
            self.out.force(envelope)

    def _is_too_large(self, envelope: Envelope) -> bool:
        return envelope.ByteSize() > self.service.limits.message_bytes

    def refuse(self, key: RequestKey | None, failure: RpcFailure) -> None:
        """Answer a message with an error."""
        self.answer(error_envelope(key, failure, self.encoding))

    # Requests.

    def begin(self, envelope: Envelope) -> _InFlight | None:
        """Take in a request: from now on it can be cancelled. None if it is refused."""
        key = key_of(envelope)
        assert key is not None
        if key in self._registry:
            self.refuse(key, invalid_request("a request with this id is in flight"))
            return None
        return _InFlight(key, self._registry)

    @property
    def _registry(self) -> dict[RequestKey, _InFlight]:
        return self.session.in_flight if self.session is not None else self._in_flight

    async def request(self, envelope: Envelope, running: _InFlight) -> None:
        """Serve a request to its response.

        Raises:
            RpcFailure: What a ``Send`` fails with that has no answer: its session is not there.
        """
        key = key_of(envelope)
        assert key is not None
        running.task = asyncio.current_task()
        try:
            result = await self._serve(envelope, key, running)
            answer = result_envelope(key, result, self.encoding)
        except asyncio.CancelledError:
            if running.aborted and running.task is not None:
                running.task.uncancel()
                return
            raise
        except Exception as error:
            failure = failure_from(error, envelope.method)
            if self.single and failure.status == no_session().status and failure.message == no_session().message:
                raise failure from None
            answer = error_envelope(key, failure, self.encoding)
        finally:
            running.end()
        if not running.aborted:
            self.answer(answer)

    async def _serve(self, envelope: Envelope, key: RequestKey, running: _InFlight) -> dict[str, Any]:
        method, params = envelope.method, params_of(envelope.request)
        if method == "initialize":
            return await self._initialize(params)
        scope = scope_of(self.service.sessions, self.headers, method, params, self.session)
        check_repeated(envelope.request)
        context = CallContext(self.headers, key, scope.params, scope.session, self.tell, self)
        running.context = context
        with scope.session.use() if scope.session is not None else contextlib.nullcontext():
            if method == "ping":
                return {}
            if self.single and method == "tools/call":
                await self.service.check_params(scope, self.headers)
            if method == "subscriptions/listen":
                return await self._listen(scope, context, method, key)
            return await self.service.run(scope, context, method)

    async def _listen(self, scope: Scope, context: CallContext, method: str, key: RequestKey) -> dict[str, Any]:
        from mcp_grpc.server.listen import run_listen

        if scope.session is not None:
            raise method_not_found(method)
        return await run_listen(self.service, scope, context, key)

    async def _initialize(self, params: Any) -> dict[str, Any]:
        may_initialize(self.service, self.headers, meta_of(params), self.session)
        session, result = await initialize(self.service, self.headers, params)
        try:
            if not self.single:
                self.join(session, owned=True)
            await self._opened(session.id)
        except BaseException:
            self.service.sessions.end(session)
            raise
        return result

    # Notifications and responses.

    async def notification(self, envelope: Envelope) -> None:
        """Take a notification. One that nobody knows, or of the other era, is dropped.

        Raises:
            RpcFailure: Its session is not there, or its params are malformed.
        """
        method, params = envelope.method, params_of(envelope.notification)
        if method == "notifications/cancelled":
            self.cancelled(params)
            return
        if not self.service.core.hears(method):
            return  # nobody is told of a notification that fails (JSON-RPC 2.0, section 4.1)
        # Which methods an era has is of requests: a notification of the other one is dropped.
        scope = scope_of(self.service.sessions, self.headers, "", params, self.session)
        session = scope.session
        context = CallContext(self.headers, None, scope.params, session, None, self)
        if session is None:
            if method not in LEGACY_ONLY:
                await self._heard(scope, context, method)
            return
        with session.use():
            if method != "notifications/progress" or not await session.progressed(scope.params):
                await self._heard(scope, context, method)

    async def _heard(self, scope: Scope, context: CallContext, method: str) -> None:
        context.enter()
        try:
            await self.service.core.notify(scope, context, method)
        finally:
            context.end()

    def cancelled(self, params: Any) -> None:
        """Cancel the request that the client names, if it runs (§10.2)."""
        key = params.get("requestId") if isinstance(params, dict) else None
        if not isinstance(key, str | int) or isinstance(key, bool):
            return
        session = self.session
        if self.single:
            with contextlib.suppress(RpcFailure):
                session = self.service.sessions.named(self.headers)
        for registry in (session.in_flight if session is not None else {}, self._in_flight):
            if (running := registry.get(key)) is not None:
                running.abort()

    def spoil(self, envelope: Envelope) -> None:
        """Fail the question that a malformed response would have answered."""
        session = self.session
        with contextlib.suppress(RpcFailure):
            session = self.service.sessions.named(self.headers) or session
        if session is not None and envelope.response.HasField("id"):
            session.answered(envelope.response.id, MCPError(INVALID_REQUEST, "malformed response"))

    def response(self, envelope: Envelope) -> None:
        """Take the client's answer to a request of the server's.

        Raises:
            RpcFailure: There is no such request, or no answer.
        """
        session = self.service.sessions.named(self.headers) or self.session
        answer = answer_of(envelope)
        key = envelope.response.id if envelope.response.HasField("id") else None
        if session is None or not session.answered(key, answer):
            raise invalid_request("nobody waits for this response")
