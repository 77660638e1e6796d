# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Typed calls on a multiplexed stream, which is opened again when it is lost (SPEC.md §4.6, §10.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import grpc

from mcp_grpc._gen.mcp.v1.envelope_pb2 import ReplyFrame
from mcp_grpc.client.error import CallError, is_drained, late
from mcp_grpc.client.link import Link, Metadata
from mcp_grpc.client.mux_stream import (
    BetterCredentialsError,
    DrainedError,
    MuxStream,
    NoFramesError,
    OnEvent,
    OnMessage,
    RetiredError,
)
from mcp_grpc.codec import RpcFailure

MAX_MOVES = 5
"""How often in a row a call goes to another stream because the server has drained its own."""

MOVE_PAUSE = 0.01
"""Seconds before that, which double each time: connections to a server that goes do not end at once."""


class Mux:
    """Makes calls on one stream at a time. Calls may run concurrently.

    Calls that were in flight as a stream broke fail with UNAVAILABLE, since nobody knows whether the server has
    done them; the next call opens another stream. Calls of a drained stream are made again there.

    Args:
        link: the channel.
        metadata: gives that of a stream.
        on_message: hears JSON-RPC messages.
        of_session: whether the stream is that of a legacy session, which has one at a time (SPEC.md §6.5).
    """

    def __init__(
        self,
        link: Link,
        metadata: Callable[[], Awaitable[Metadata]],
        on_message: OnMessage | None = None,
        *,
        of_session: bool = False,
    ) -> None:
        self._of_session = of_session
        self._link = link
        self._metadata = metadata
        self._on_message = on_message
        self._stream: MuxStream | None = None
        self._old: set[MuxStream] = set()
        self._none = False
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        """Ends the stream."""
        streams, self._old = self._old, set()
        if self._stream is not None:
            streams.add(self._stream)
            self._stream = None
        for stream in streams:
            await stream.close()

    def retire(self) -> None:
        """Leave the stream to the calls that are in flight: the next one opens another stream."""
        if self._stream is not None:
            self._stream.retire()

    async def call(self, body: bytes, timeout: float | None, on_event: OnEvent | None = None) -> ReplyFrame:
        """Makes a call; see `MuxStream.call`.

        Raises:
            CallError: the call has failed.
            NoFramesError: the server has no frames, or the call has to be an RPC of its own.
        """
        self._link.check_size(len(body) + 32)
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        moves, stepped = 0, False
        while True:
            stream = self._stream
            try:
                if stream is None or stream.lost:
                    stream = await self._current_by(deadline)
                return await stream.call(body, deadline, on_event)
            except RetiredError:
                continue
            except DrainedError as e:
                if moves == MAX_MOVES:
                    raise CallError.of(e.failure) from e
            except CallError as e:
                if stream is None or stepped or not await self._step_up(stream, e):
                    raise
                stepped = True
                continue
            await asyncio.sleep(MOVE_PAUSE * 2**moves)
            moves += 1

    async def _step_up(self, stream: MuxStream, error: CallError) -> bool:
        """Whether there are better credentials now, for which a stream has to be opened anew (SPEC.md §14.7)."""
        if error.status is not grpc.StatusCode.PERMISSION_DENIED:
            return False
        failure = RpcFailure.of(error.code, error.message, error.data, error.status)
        if not await self._link.refused(failure):
            return False
        if self._of_session:
            raise BetterCredentialsError from error
        stream.retire()
        return True

    async def _current_by(self, deadline: float | None) -> MuxStream:
        try:
            async with asyncio.timeout_at(deadline):
                return await self.current()
        except TimeoutError:
            raise late() from None

    async def current(self) -> MuxStream:
        """Gives the stream that is open, or opens one.

        Raises:
            CallError: the server cannot be reached, or refuses the stream.
            DrainedError: it is about to go.
            NoFramesError: it has no frames.
        """
        async with self._opening:
            if self._none:
                raise NoFramesError
            if self._stream is not None and not self._stream.lost:
                return self._stream
            await self._forget()
            try:
                self._stream = await self._open()
            except NoFramesError:
                # Of who is not there nothing is known.
                self._none = self._link.connected
                raise
            return self._stream

    async def _forget(self) -> None:
        """Puts the lost stream aside; one that is only retired still has calls."""
        if self._stream is not None:
            self._old.add(self._stream)
            self._stream = None
        for stream in [s for s in self._old if s.over]:
            self._old.discard(stream)
            await stream.close()

    async def _open(self) -> MuxStream:
        for last in (False, True):
            call = await self._link.connect(await self._metadata())
            try:
                return await MuxStream.open(call, self._link.max_message_bytes, self._on_message)
            except RpcFailure as failure:
                if is_drained(failure):
                    raise DrainedError(failure) from failure
                if last or not await self._link.refused(failure, await call.headers()):
                    raise CallError.of(failure) from failure
        raise AssertionError("the second try has ended the loop")
