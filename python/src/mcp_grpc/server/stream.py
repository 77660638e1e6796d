# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""The RPC ``Connect``: JSON-RPC messages and typed frames, many at a time, both ways (SPEC.md §4.5 and §4.6)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from google.protobuf.message import DecodeError

from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope, Hello
from mcp_grpc.codec import CodecError, RpcFailure
from mcp_grpc.server.envelope import check_envelope, key_of, params_of
from mcp_grpc.server.exchange import Exchange
from mcp_grpc.server.failure import drained, exhausted, failure_from, invalid_request, undecodable
from mcp_grpc.server.frame import Frames
from mcp_grpc.server.service import Service

# How much is put into one message to a client that reads batches.
_BATCH_BYTES = 256 << 10

# How many messages of a batch are taken before others get their turn: a batch can hold a million.
_TURN = 64

Read = Callable[[], Awaitable[bytes | None]]
Write = Callable[[bytes], Awaitable[None]]


class Stream:
    """One ``Connect`` stream.

    Args:
        service: What all RPCs share.
        exchange: Its JSON-RPC part.
        read: Gives the next message; none at the end.
        write: Sends a message.
    """

    def __init__(self, service: Service, exchange: Exchange, read: Read, write: Write) -> None:
        self._service = service
        self._exchange = exchange
        self._read, self._write = read, write
        self._frames = Frames(service, exchange)
        self._tasks: set[asyncio.Task[None]] = set()
        self._first = True
        self._batch = False
        self._taken = 0
        self._most_answers = service.limits.calls_per_stream + service.limits.waiting_messages
        self._batch_bytes = min(_BATCH_BYTES, service.limits.message_bytes // 2)

    async def serve(self) -> None:
        """Serve the stream to its end.

        Raises:
            RpcFailure: What it ends with, if not with OK.
        """
        writer = asyncio.ensure_future(self._write_all())
        reader = asyncio.ensure_future(self._read_all(writer))
        try:
            await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
            if writer.done():
                writer.result()  # it fails, or there is nothing more to say
            await self._finish(reader, writer)
        finally:
            await self._end(reader, writer)
        if self._service.draining.is_set():
            raise drained()

    async def _finish(self, reader: asyncio.Future[None], writer: asyncio.Future[None]) -> None:
        reader.result()
        self._exchange.hush()
        while self._tasks and not writer.done():
            await asyncio.wait({*self._tasks, writer}, return_when=asyncio.FIRST_COMPLETED)
        self._exchange.out.close()
        await writer

    async def _end(self, *ours: asyncio.Future[None]) -> None:
        """Leave nothing behind; a tool that heeds no cancellation keeps its own thread, and nothing else."""
        self._exchange.hush()
        self._exchange.out.close()
        self._exchange.leave()
        await self._service.let_go((*self._tasks, *ours))

    async def _read_all(self, writer: asyncio.Future[None]) -> None:
        stopped = asyncio.ensure_future(self._exchange.stopped.wait())
        drain = asyncio.ensure_future(self._service.draining.wait())
        try:
            while not writer.done():
                message = asyncio.ensure_future(self._read())
                try:
                    await asyncio.wait({message, stopped, drain}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not message.done():
                        message.cancel()
                if not message.done() or message.cancelled():
                    return
                raw = message.result()
                if raw is None:
                    return
                await self._take_all(_parse(raw))
                # Calls that came first begin first, and the client's answers wait for no one.
                await asyncio.sleep(0)
        finally:
            stopped.cancel()
            drain.cancel()

    async def _take_all(self, envelope: Envelope) -> None:
        if envelope.WhichOneof("kind") is not None or not envelope.batch:
            await self._until_ready()
            self._take(envelope)
        self._first = False
        if envelope.batch and not self._frames.greeted:
            self._exchange.refuse(None, invalid_request("a batch needs a hello first"))
            return
        for inner in envelope.batch:
            await self._until_ready()
            if inner.batch:
                self._exchange.refuse(None, invalid_request("a batch is inside of a batch"))
            else:
                self._take(inner)

    async def _until_ready(self) -> None:
        """Wait until one more message can be taken: each may have an answer, and the client may read none."""
        await self._exchange.out.has_room(self._most_answers)
        self._taken += 1
        if self._taken % _TURN == 0:
            await asyncio.sleep(0)

    def _take(self, envelope: Envelope) -> None:
        kind = envelope.WhichOneof("kind")
        self._exchange.learn(envelope)
        match kind:
            case "hello":
                self._greet(envelope.hello)
            case "call":
                self._start_frame(envelope.call)
            case "cancel":
                self._frames.abort(envelope.cancel.call_id)
            case "request" | "notification" | "response":
                self._take_message(envelope, kind)
            case _:
                self._exchange.refuse(None, invalid_request("envelope of an unknown kind, or without one"))

    def _greet(self, hello: Hello) -> None:
        if not self._first:
            self._exchange.refuse(None, invalid_request("hello must be the first message"))
            return
        self._frames.greet(hello)
        self._batch = hello.batch
        limit = self._service.limits.calls_per_stream
        self._exchange.answer(Envelope(hello=Hello(frames=True, batch=True, max_calls=limit)))

    def _take_message(self, envelope: Envelope, kind: str) -> None:
        try:
            check_envelope(envelope, self._service.limits.json)
        except RpcFailure as failure:
            if kind == "response":
                self._exchange.spoil(envelope)
            self._exchange.refuse(key_of(envelope), failure)
            return
        if kind == "response":
            with contextlib.suppress(RpcFailure, CodecError):  # dropped, as §11.4 says
                self._exchange.response(envelope)
        elif envelope.method == "notifications/cancelled":
            self._cancelled(envelope)
        elif self._is_full:
            self._exchange.refuse(key_of(envelope), exhausted("too many calls are in flight on the stream"))
        elif kind == "notification":
            self._start(self._notification(envelope))
        elif (running := self._exchange.begin(envelope)) is not None:
            running.run_by(self._start(self._exchange.request(envelope, running)))

    @property
    def _is_full(self) -> bool:
        return len(self._tasks) >= self._service.limits.calls_per_stream

    def _cancelled(self, envelope: Envelope) -> None:
        with contextlib.suppress(CodecError):
            self._exchange.cancelled(params_of(envelope.notification))

    async def _notification(self, envelope: Envelope) -> None:
        try:
            await self._exchange.notification(envelope)
        except (RpcFailure, CodecError) as error:
            self._exchange.refuse(None, failure_from(error, envelope.method))

    def _start_frame(self, call: Any) -> None:
        refusal = self._frames.refusal(call)
        if refusal is None and self._is_full:
            refusal = exhausted("too many calls are in flight on the stream")
        if refusal is not None:
            self._frames.refuse(call.call_id, refusal)
        else:
            self._frames.begin(call.call_id, self._start(self._frames.run(call)))

    def _start(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _write_all(self) -> None:
        async for batch in self._exchange.out.batches():
            for message in self._messages(batch):
                await self._write(message)

    def _messages(self, envelopes: list[Envelope]) -> Iterator[bytes]:
        if not self._batch:
            yield from (envelope.SerializeToString() for envelope in envelopes)
            return
        batch, size = Envelope(), 0
        for envelope in envelopes:
            if size and size + envelope.ByteSize() > self._batch_bytes:
                yield _unwrapped(batch)
                batch, size = Envelope(), 0
            batch.batch.append(envelope)
            size += envelope.ByteSize()
        yield _unwrapped(batch)


def _unwrapped(batch: Envelope) -> bytes:
    return (batch.batch[0] if len(batch.batch) == 1 else batch).SerializeToString()


def _parse(raw: bytes) -> Envelope:
    try:
        return Envelope.FromString(raw)
    except DecodeError:
        raise undecodable() from None
