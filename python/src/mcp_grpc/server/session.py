# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Legacy sessions: SPEC.md §6.3 to §6.6."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import grpc
from mcp import MCPError
from mcp.server.connection import Connection
from mcp.server.runner import aclose_shielded
from mcp.shared.dispatcher import CallOptions, ProgressFnT
from mcp.shared.exceptions import NoBackChannelError
from mcp_types import INVALID_REQUEST, REQUEST_TIMEOUT

from mcp_grpc.auth.principal import current_principal
from mcp_grpc.codec import RpcFailure, dumps
from mcp_grpc.server.context import MESSAGE, PROGRESS, Asker, current_call
from mcp_grpc.server.failure import exhausted, no_session
from mcp_grpc.server.header import Headers
from mcp_grpc.server.limits import ServerLimits

if TYPE_CHECKING:
    from mcp_grpc.server.core import Core
    from mcp_grpc.server.exchange import Exchange

_LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")


def owner() -> str:
    """Who makes this call, as far as sessions are bound to it (§14.6)."""
    principal = current_principal()
    return "" if principal is None else dumps([principal.id, principal.client_id])


class _Question:
    """A request to the client that waits for its answer."""

    def __init__(self, asker: Asker, on_progress: ProgressFnT | None) -> None:
        self.asker = asker
        self.on_progress = on_progress
        self.answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()


class Session:
    """A legacy session. It is the standalone channel of its SDK connection, too."""

    def __init__(self, core: Core, sessions: Sessions) -> None:
        # 128 bits that cannot be guessed, and more.
        self.id = secrets.token_urlsafe(32)
        self.owner = owner()
        self.connection = Connection.for_loop(self, session_id=self.id)
        self.runner = core.session_runner(self.connection)
        self.ended = asyncio.Event()
        self._sessions = sessions
        self._stream: Exchange | None = None
        self._uses = 0
        self._idle: asyncio.TimerHandle | None = None
        self._calls: set[asyncio.Task[Any]] = set()
        self._questions: dict[str, _Question] = {}
        self._asked = 0
        self._level = 0
        self.in_flight: dict[str | int, Any] = {}

    @property
    def version(self) -> str:
        """The version that was agreed on."""
        return self.connection.protocol_version

    # Its life.

    @contextlib.contextmanager
    def use(self) -> Iterator[None]:
        """Keep the session from being idle, and cancel the current task when it ends.

        Raises:
            RpcFailure: NOT_FOUND, it has ended.
        """
        if self.ended.is_set():
            raise no_session()
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        self._used(1)
        try:
            yield
        except asyncio.CancelledError:
            if task in self._calls or not self.ended.is_set():
                raise
            task.uncancel()
            raise no_session() from None
        finally:
            self._calls.discard(task)
            self._used(-1)

    def _used(self, change: int) -> None:
        self._uses += change
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._uses == 0 and not self.ended.is_set():
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(self._sessions.limits.session_idle, self._sessions.end, self)

    async def quiesce(self) -> None:
        """Let what is in flight be answered."""
        current = asyncio.current_task()
        others = {task for task in self._calls if task is not current}
        if others:
            await asyncio.wait(others)

    def stop(self) -> None:
        """End what runs in the session."""
        self.ended.set()
        if self._idle is not None:
            self._idle.cancel()
        for task in list(self._calls):
            self._calls.discard(task)
            task.cancel()
        self.fail_questions(None)
        if self._stream is not None:
            self._stream.stop()

    # Its stream.

    def attach(self, stream: Exchange) -> None:
        """Make a stream the one for what the session says outside of calls.

        Raises:
            RpcFailure: ALREADY_EXISTS, there is one.
        """
        if self._stream is not None:
            raise RpcFailure.of(
                INVALID_REQUEST, "the session has a stream already", status=grpc.StatusCode.ALREADY_EXISTS
            )
        self._stream = stream
        self._used(1)

    def detach(self, stream: Exchange) -> None:
        """Undo :meth:`attach`."""
        if self._stream is stream:
            self._stream = None
            self.fail_questions(stream)
            self._used(-1)

    # What the server says.

    def wants(self, method: str, params: Mapping[str, Any] | None) -> bool:
        """Whether the session's log level lets a notification pass."""
        if method != MESSAGE:
            return True
        level = (params or {}).get("level")
        return level not in _LEVELS or _LEVELS.index(level) >= self._level

    def set_level(self, level: object) -> None:
        """Note what ``logging/setLevel`` has set."""
        if isinstance(level, str) and level in _LEVELS:
            self._level = _LEVELS.index(level)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """The SDK's standalone channel: progress and logs of a call go where its outcome goes (§9.1, §9.2)."""
        call = current_call()
        if call is not None and method in {PROGRESS, MESSAGE}:
            await call.notify(method, params)
        elif self._stream is not None and self.wants(method, params):
            self._stream.push(method, params)

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """The same for requests."""
        call = current_call()
        if call is not None:
            return await call.send_raw_request(method, params, opts)
        return await self.ask(method, params, opts, None)

    def way_for(self, asker: Asker | None) -> Asker | None:
        """The stream for a request: that of its call if it can take it, else the session's (§6.6)."""
        for stream in (asker, self._stream):
            if stream is not None and stream.can_ask:
                return stream
        return None

    async def ask(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None, asker: Asker | None
    ) -> dict[str, Any]:
        """Ask the client something and wait for the answer.

        Raises:
            NoBackChannelError: No stream can take it, or it ends before the answer comes.
            MCPError: The client refuses, or a time-out of ``opts`` passes.
        """
        way = self.way_for(asker)
        if way is None or self.ended.is_set():
            raise NoBackChannelError(method)
        options: CallOptions = opts or {}
        self._asked += 1
        request_id = f"server-{self._asked}"
        question = _Question(way, options.get("on_progress"))
        self._questions[request_id] = question
        try:
            async with asyncio.timeout(options.get("timeout")):
                await way.ask(request_id, method, self._with_token(params, request_id, question))
                return await question.answer
        except TimeoutError:
            await self._cancel_question(way, request_id)
            raise MCPError(REQUEST_TIMEOUT, f"the client did not answer {method} in time") from None
        except asyncio.CancelledError:
            await self._cancel_question(way, request_id)
            raise
        finally:
            self._questions.pop(request_id, None)

    @staticmethod
    def _with_token(params: Mapping[str, Any] | None, token: str, question: _Question) -> Mapping[str, Any] | None:
        if question.on_progress is None:
            return params
        return {**(params or {}), "_meta": {**((params or {}).get("_meta") or {}), "progressToken": token}}

    @staticmethod
    async def _cancel_question(way: Asker, request_id: str) -> None:
        if way.can_ask:
            await way.tell("notifications/cancelled", {"requestId": request_id})

    def answered(self, request_id: object, result: dict[str, Any] | MCPError) -> bool:
        """Take the client's answer; false if nobody waits for it."""
        question = self._questions.get(request_id) if isinstance(request_id, str) else None
        if question is None or question.answer.done():
            return False
        if isinstance(result, MCPError):
            question.answer.set_exception(result)
        else:
            question.answer.set_result(result)
        return True

    async def progressed(self, params: Mapping[str, Any]) -> bool:
        """Take the client's progress on a request of ours; false if it is none."""
        question = self._questions.get(str(params.get("progressToken")))
        if question is None or question.on_progress is None:
            return False
        await question.on_progress(params.get("progress", 0), params.get("total"), params.get("message"))
        return True

    def fail_questions(self, asker: Asker | None) -> None:
        """Fail the questions that went to a stream which is over; to all streams if it is none."""
        for question in list(self._questions.values()):
            if (asker is None or question.asker is asker) and not question.answer.done():
                question.answer.set_exception(NoBackChannelError("the request"))


class Sessions:
    """All sessions of a server."""

    def __init__(self, core: Core, limits: ServerLimits) -> None:
        self.limits = limits
        self._core = core
        self._sessions: dict[str, Session] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def open(self) -> Session:
        """Make a session, which ends unless it is used.

        Raises:
            RpcFailure: RESOURCE_EXHAUSTED, there are too many.
        """
        if len(self._sessions) >= self.limits.sessions:
            raise exhausted("there are too many sessions")
        session = Session(self._core, self)
        self._sessions[session.id] = session
        return session

    def named(self, headers: Headers) -> Session | None:
        """The session that a request names.

        Raises:
            RpcFailure: NOT_FOUND, it is not there or somebody else's; -32020, it is named twice.
        """
        named = headers.session_id
        if named is None:
            return None
        session = self._sessions.get(named)
        if session is None or session.owner != owner():
            raise no_session()
        return session

    def end(self, session: Session) -> bool:
        """End a session; false if it has ended already."""
        if self._sessions.pop(session.id, None) is None:
            return False
        session.stop()
        # The SDK's clean-up of the connection is awaited by close.
        task = asyncio.get_running_loop().create_task(aclose_shielded(session.connection))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        return True

    async def close(self) -> None:
        """End all sessions, and wait for their clean-up."""
        for session in list(self._sessions.values()):
            self.end(session)
        while self._closing:
            await asyncio.wait(self._closing)
