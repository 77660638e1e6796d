# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""One `Connect` stream that carries many typed calls (SPEC.md §4.6)."""

from __future__ import annotations

import asyncio
import logging
import random
import zlib
from collections import deque
from collections.abc import Awaitable, Callable

import grpc
from google.protobuf.message import DecodeError

from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope, Hello, ReplyFrame
from mcp_grpc._gen.mcp.v1.tool_pb2 import CallToolEvent
from mcp_grpc.client.connect_call import ConnectCall
from mcp_grpc.client.error import CallError, is_drained, late
from mcp_grpc.client.wire import batch, call_envelope, cancel_envelope
from mcp_grpc.codec import RpcFailure, failure_of_frame

logger = logging.getLogger(__name__)

HELLO_TIMEOUT = 5.0
"""Seconds for the server to say hello; one that knows the inherited fields alone may never answer (SPEC.md §15.3)."""

_MAX_CALLS = 1 << 16  # bounds what a server can make a client allocate
_MAX_REFUSALS = 32  # of one call by a server that is busy with calls that were given up: about 20 s in all
_MAX_EVENTS = 1024  # of one call that wait for its caller

OnEvent = Callable[[CallToolEvent], Awaitable[None]]
OnMessage = Callable[["MuxStream", Envelope], None]


class NoFramesError(Exception):
    """The server has no frames: calls are RPCs of their own."""


class BetterCredentialsError(NoFramesError):
    """There are better credentials for the call now, which is an RPC of its own: a session has one stream."""


class RetiredError(Exception):
    """The stream takes no new calls."""


class DrainedError(Exception):
    """The server has ended the stream and not begun the call, which may be made again (SPEC.md §10.4)."""

    def __init__(self, failure: RpcFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class _Pending:
    """A call on its way."""

    __slots__ = ("envelope", "events", "future")

    def __init__(self, future: asyncio.Future[ReplyFrame], events: _Events | None) -> None:
        self.future = future
        self.events = events
        self.envelope: bytes | None = None  # until it is written


class _Events:
    """What a call has told and its caller has not yet taken; progress is left out when it is much (SPEC.md §9.1)."""

    def __init__(self) -> None:
        self._events: deque[CallToolEvent] = deque()
        self._more = asyncio.Event()

    def put(self, event: CallToolEvent) -> None:
        if len(self._events) == _MAX_EVENTS:
            oldest = next((e for e in self._events if e.WhichOneof("kind") == "progress"), self._events[0])
            self._events.remove(oldest)
        self._events.append(event)
        self._more.set()

    async def tell(self, future: asyncio.Future[ReplyFrame], on_event: OnEvent) -> ReplyFrame:
        """Hands events on until the call has ended."""
        future.add_done_callback(lambda _: self._more.set())
        while True:
            while self._events:
                await on_event(self._events.popleft())
            if future.done():
                return future.result()
            self._more.clear()
            await self._more.wait()


class MuxStream:
    """A stream on which both sides have said hello, and the calls in flight on it."""

    def __init__(self, call: ConnectCall, hello: Hello, limit: int, on_message: OnMessage | None) -> None:
        self._call = call
        self._limit = limit
        self._on_message = on_message
        self._batch = hello.batch
        self._max_calls = min(hello.max_calls, _MAX_CALLS)
        self._slots = asyncio.Semaphore(self._max_calls)
        self._calls: dict[int, _Pending] = {}
        self._given_up = 0  # calls that the server may still be busy with
        self._last_id = 0
        self._out: deque[_Pending | bytes] = deque()
        self._wake = asyncio.Event()
        self._error: Exception | None = None
        self._retired = False
        self._tasks = (asyncio.create_task(self._read()), asyncio.create_task(self._write()))

    @classmethod
    async def open(cls, call: ConnectCall, limit: int, on_message: OnMessage | None = None) -> MuxStream:
        """Says hello on a new RPC.

        Raises:
            NoFramesError: the server reads no frames.
            RpcFailure: the RPC has failed.
        """
        hello = Envelope(hello=Hello(frames=True, batch=True, gzip=True))
        try:
            async with asyncio.timeout(HELLO_TIMEOUT):
                await call.write(hello.SerializeToString())
                first = await call.read()
                failure = await call.failure() if first is None else None
        except TimeoutError:
            call.cancel()
            raise NoFramesError from None
        except BaseException:
            call.cancel()
            raise
        # Servers and proxies without Connect streams say so, or end them at once.
        if failure is not None and failure.status is not grpc.StatusCode.UNIMPLEMENTED and not call.ended_well:
            raise failure
        if first is None or not first.hello.frames or not first.hello.max_calls:
            call.cancel()
            raise NoFramesError
        return cls(call, first.hello, limit, on_message)

    @property
    def lost(self) -> bool:
        """Whether the stream is over, or takes no new calls."""
        return self._error is not None or self._retired

    @property
    def over(self) -> bool:
        """Whether nothing is in flight, and nothing will be."""
        return self._error is not None

    async def close(self) -> None:
        """Ends the stream. Calls in flight fail with CANCELLED."""
        self._end(CallError.plain(grpc.StatusCode.CANCELLED, "the client was closed"))
        self._call.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def retire(self) -> None:
        """Takes no new calls; the stream ends when those in flight are done."""
        self._retired = True
        self._end_if_retired()

    def send(self, envelope: Envelope) -> None:
        """Writes a JSON-RPC message: answers of a legacy client (SPEC.md §6.6)."""
        self._push(envelope.SerializeToString())

    async def call(self, body: bytes, deadline: float | None, on_event: OnEvent | None) -> ReplyFrame:
        """Makes a call whose `CallFrame` is body, but for the id and the time.

        Args:
            body: the encoded fields of the frame.
            deadline: when the call has to be done, by the clock of the event loop, or None.
            on_event: hears events; the frame then has `stream` set.

        Raises:
            CallError: the call, or the stream, has failed.
            DrainedError: the server has not begun the call.
            RetiredError: the stream takes no new calls.
        """
        await self._take_slot(deadline)
        try:
            for refusals in range(_MAX_REFUSALS + 1):
                reply, in_flight = await self._try(body, deadline, on_event)
                if reply.WhichOneof("reply") != "error":
                    return self._plain(reply)
                failure = failure_of_frame(reply.error)
                if refusals == _MAX_REFUSALS or not self._crowded(failure, in_flight):
                    raise CallError.of(failure)
                await self._back_off(refusals, deadline)
            raise AssertionError("the last try has ended the loop")
        finally:
            self._slots.release()

    async def _take_slot(self, deadline: float | None) -> None:
        if not self._slots.locked():
            await self._slots.acquire()  # does not wait
            return
        try:
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        except TimeoutError:
            raise late() from None

    async def _try(self, body: bytes, deadline: float | None, on_event: OnEvent | None) -> tuple[ReplyFrame, int]:
        if self._error is not None:
            raise self._error
        if self._retired:
            raise RetiredError
        loop = asyncio.get_running_loop()
        timeout_ms = 0
        if deadline is not None:
            left = deadline - loop.time()
            if left <= 0:
                raise late()
            # Rounded up, since 0 would mean no end. Weeks need no precision.
            timeout_ms = min(int(left * 1000) + 1, 1 << 31)
        self._last_id = call_id = self._last_id + 1
        future: asyncio.Future[ReplyFrame] = loop.create_future()
        pending = _Pending(future, _Events() if on_event else None)
        pending.envelope = call_envelope(call_id, timeout_ms, body)
        self._calls[call_id] = pending
        in_flight = len(self._calls)
        self._push(pending)
        timer = loop.call_at(deadline, _expire, future) if deadline is not None else None
        try:
            if pending.events is not None and on_event is not None:
                return await pending.events.tell(future, on_event), in_flight
            return await future, in_flight
        finally:
            if timer is not None:
                timer.cancel()
            if self._calls.pop(call_id, None) is not None:
                self._give_up(call_id, pending)

    def _give_up(self, call_id: int, pending: _Pending) -> None:
        """Ends a call that nobody waits for any more. One that was not written never will be."""
        if pending.envelope is not None:
            pending.envelope = None
            if pending in self._out:  # not if the stream is over
                self._out.remove(pending)
        elif self._error is None:
            self._given_up += 1
            self._push(cancel_envelope(call_id))
        self._end_if_retired()

    def _crowded(self, failure: RpcFailure, in_flight: int) -> bool:
        """Whether the server can have refused a call because it still has those that were given up.

        Calls that wait for their replies are never too many. The code alone does not tell, since free-form JSON
        has limits too.
        """
        if failure.status is not grpc.StatusCode.RESOURCE_EXHAUSTED:
            return False
        return max(in_flight, len(self._calls) + 1) + self._given_up > self._max_calls

    async def _back_off(self, refusals: int, deadline: float | None) -> None:
        pause = min(0.005 * 2 ** min(refusals, 16), 1.0)
        pause *= 0.5 + random.random() / 2  # noqa: S311 # keeps callers out of step
        if deadline is not None:
            pause = min(pause, max(0.0, deadline - asyncio.get_running_loop().time()))
        await asyncio.sleep(pause)

    def _push(self, item: _Pending | bytes) -> None:
        self._out.append(item)
        self._wake.set()

    async def _write(self) -> None:
        """Writes what waits, all that there is as one message."""
        while self._error is None:
            await self._wake.wait()
            await asyncio.sleep(0)  # for the calls of others that are ready now, too
            self._wake.clear()
            while self._out and self._error is None:
                if not await self._call.write(self._next_message()):
                    return  # the reader learns why

    def _next_message(self) -> bytes:
        envelopes: list[bytes] = []
        size = 0
        while self._out:
            item = self._out[0]
            envelope = item if isinstance(item, bytes) else item.envelope
            assert envelope is not None  # what is given up is taken out
            size += len(envelope) + 6
            if envelopes and (size > self._limit or not self._batch):
                break
            self._out.popleft()
            envelopes.append(envelope)
            if not isinstance(item, bytes):
                item.envelope = None
        return batch(envelopes)

    async def _read(self) -> None:
        """Hands replies to their calls until the stream is over, and fails those that are left."""
        failure = await self._read_on()
        if is_drained(failure):
            self._end(DrainedError(failure))
            return
        if failure.status not in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
            failure = RpcFailure(grpc.StatusCode.UNAVAILABLE, failure.message, failure.error, failure.details)
        self._end(CallError.of(failure, "the stream was lost, and it is unknown whether the call was done"))

    async def _read_on(self) -> RpcFailure:
        try:
            while (message := await self._call.read()) is not None:
                self._take(message)
                for inner in message.batch:
                    self._take(inner)
            return await self._call.failure()
        except asyncio.CancelledError:
            self._end(CallError.plain(grpc.StatusCode.CANCELLED, "the client was closed"))
            raise
        except Exception:  # a mistake of ours must not let calls wait for ever
            logger.exception("reading a Connect stream failed")
            self._call.cancel()
            return RpcFailure(grpc.StatusCode.INTERNAL, "internal error")

    def _take(self, envelope: Envelope) -> None:
        kind = envelope.WhichOneof("kind")
        if kind == "reply":
            self._reply(envelope.reply)
        elif kind is not None and self._on_message is not None:
            self._on_message(self, envelope)

    def _reply(self, reply: ReplyFrame) -> None:
        pending = self._calls.get(reply.call_id)
        if pending is None:
            self._given_up = max(0, self._given_up - 1)  # it has crossed with the cancellation
            return
        if reply.WhichOneof("reply") == "event" and pending.events is not None and not _is_last(reply.event):
            pending.events.put(reply.event)
            return
        del self._calls[reply.call_id]
        if not pending.future.done():
            pending.future.set_result(reply)
        self._end_if_retired()

    def _plain(self, reply: ReplyFrame) -> ReplyFrame:
        """Inflates a compressed reply, no further than the limit of messages."""
        if reply.WhichOneof("reply") != "gzip":
            return reply
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            text = inflate.decompress(reply.gzip, self._limit + 1)
            if len(text) > self._limit:
                raise CallError.plain(
                    grpc.StatusCode.RESOURCE_EXHAUSTED, f"the answer has more than {self._limit} bytes"
                )
            return ReplyFrame.FromString(text)
        except (zlib.error, DecodeError):
            raise CallError.plain(grpc.StatusCode.INTERNAL, "malformed answer: cannot be decompressed") from None

    def _end(self, error: Exception) -> None:
        """Fails what is in flight; the first reason counts."""
        if self._error is not None:
            return
        self._error = error
        calls, self._calls = self._calls, {}
        for pending in calls.values():
            if not pending.future.done():
                pending.future.set_exception(error)
        self._out.clear()
        self._wake.set()

    def _end_if_retired(self) -> None:
        if self._retired and not self._calls:
            self._call.cancel()


def _is_last(event: CallToolEvent) -> bool:
    return event.WhichOneof("kind") in ("result", "input_required", "task", "error")


def _expire(future: asyncio.Future[ReplyFrame]) -> None:
    if not future.done():
        future.set_exception(late())
