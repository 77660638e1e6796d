# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""A channel to a server, with what every RPC on it carries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf.message import Message

from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope
from mcp_grpc._gen.mcp.v1.session_pb2 import ShutdownRequest, ShutdownResponse
from mcp_grpc.auth.challenge import read_challenge
from mcp_grpc.auth.channel import ClientTLS, channel
from mcp_grpc.auth.client_auth import ClientAuth
from mcp_grpc.auth.denial import challenge_of
from mcp_grpc.client.connect_call import ConnectCall
from mcp_grpc.client.error import CallError, late
from mcp_grpc.codec import METHODS_BY_RPC, RpcFailure, failure_of

Metadata = tuple[tuple[str, str], ...]

DEFAULT_MESSAGE_BYTES = 4 << 20
"""The size of one message, in bytes (SPEC.md §12)."""

_SERVICE = "/mcp.v1.MCP/"


class Link:
    """A channel, the credentials of its user, and the limit of its messages. RPCs may run concurrently."""

    def __init__(
        self,
        target: str,
        *,
        auth: ClientAuth | None,
        tls: ClientTLS | None,
        metadata: Sequence[tuple[str, str]],
        max_message_bytes: int,
        options: Sequence[tuple[str, Any]],
    ) -> None:
        self.max_message_bytes = max_message_bytes
        self._auth = auth
        self._metadata = tuple(metadata)
        limits = (
            ("grpc.max_receive_message_length", max_message_bytes),
            # The data of an error comes in trailers (SPEC.md §11.1), of which gRPC takes 16 KiB by itself.
            ("grpc.max_metadata_size", max_message_bytes),
            ("grpc.absolute_max_metadata_size", max_message_bytes),
            # A connection that has died is noticed within 20 s, also with a call in flight.
            ("grpc.keepalive_time_ms", 15_000),
            ("grpc.keepalive_timeout_ms", 5_000),
            ("grpc.http2.max_pings_without_data", 0),
        )
        self._channel = channel(target, auth=auth, tls=tls, options=(*limits, *options), intercept=False)
        self._stubs: dict[str, Any] = {}
        self._closed = False

    async def close(self) -> None:
        """Closes the channel; what is in flight fails with CANCELLED."""
        self._closed = True
        await self._channel.close()

    @property
    def connected(self) -> bool:
        """Whether there is a connection to the server now."""
        return self._channel.get_state() is grpc.ChannelConnectivity.READY

    async def headers(self, own: Metadata) -> Metadata:
        """Gives the metadata of an RPC: its own, the user's, and credentials; raises `CallError` without them."""
        if self._auth is None:
            return own + self._metadata
        try:
            return own + self._metadata + tuple(await self._auth.metadata())
        except (PermissionError, ValueError) as e:
            raise CallError.plain(grpc.StatusCode.UNAUTHENTICATED, "there are no credentials to show") from e
        except OSError as e:
            raise CallError.plain(grpc.StatusCode.UNAVAILABLE, "credentials cannot be got now") from e

    async def refused(self, failure: RpcFailure, initial: Any = None) -> bool:
        """Whether a refused call is worth one more try, because there are other credentials now (SPEC.md §14.7)."""
        if self._auth is None:
            return False
        challenge = read_challenge(initial, None, failure.details) or challenge_of(failure.code, failure.data)
        try:
            return challenge is not None and await self._auth.refused(challenge)
        except OSError:
            return False  # the refusal says more than why there is nothing better

    def check_size(self, size: int) -> None:
        """Raises `CallError` for a message that the server would refuse together with its stream."""
        if size > self.max_message_bytes:
            text = f"the message has {size} bytes, more than {self.max_message_bytes}"
            raise CallError.plain(grpc.StatusCode.RESOURCE_EXHAUSTED, text)

    async def unary(self, rpc: str, request: Message, own: Metadata, timeout: float | None) -> Any:
        """Makes a unary RPC, twice if other credentials may do; raises `CallError`."""
        self.check_size(request.ByteSize())
        left = time_left(timeout)
        for last in (False, True):
            metadata = await self.headers(own)
            try:
                with self.guarded():
                    answer = await self._stub(rpc)(request, metadata=metadata, timeout=left())
            except grpc.aio.AioRpcError as e:
                failure = failure_of(e)
                if last or not await self.refused(failure, e.initial_metadata()):
                    raise CallError.of(failure) from e
            else:
                return readable(answer)
        raise AssertionError("the second try has ended the loop")

    async def stream(self, rpc: str, request: Message, own: Metadata, timeout: float | None) -> RpcStream:
        """Starts a server-streaming RPC. What is wrong with it, reading tells."""
        self.check_size(request.ByteSize())
        left = time_left(timeout)

        async def start() -> Any:
            metadata = await self.headers(own)
            with self.guarded():
                return self._stub(rpc)(request, metadata=metadata, timeout=left())

        return RpcStream(self, start, await start())

    async def connect(self, own: Metadata) -> ConnectCall:
        """Starts a `Connect` stream of encoded envelopes out and messages in."""
        metadata = await self.headers(own)
        with self.guarded():
            return ConnectCall(self._stub("Connect")(metadata=metadata))

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Tells the end of the channel from that of the task, which gRPC shows alike."""
        if self._closed:
            raise _closed_error()
        try:
            yield
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closed and (task is None or not task.cancelling()):
                raise _closed_error() from None
            raise

    def _stub(self, rpc: str) -> Any:
        stub = self._stubs.get(rpc)
        if stub is None:
            stub = self._stubs[rpc] = self._new_stub(rpc)
        return stub

    def _new_stub(self, rpc: str) -> Any:
        path = _SERVICE + rpc
        if rpc == "Connect":
            return self._channel.stream_stream(path, None, Envelope.FromString)
        if rpc == "Send":
            return self._channel.unary_stream(path, Envelope.SerializeToString, Envelope.FromString)
        if rpc == "Shutdown":
            return self._channel.unary_unary(path, ShutdownRequest.SerializeToString, ShutdownResponse.FromString)
        method = METHODS_BY_RPC[rpc]
        make = self._channel.unary_stream if method.streams else self._channel.unary_unary
        return make(path, method.request.SerializeToString, method.response.FromString)


class RpcStream:
    """A server-streaming RPC, which is made twice if other credentials may do."""

    def __init__(self, link: Link, start: Callable[[], Awaitable[Any]], call: Any) -> None:
        self._link = link
        self._start: Callable[[], Awaitable[Any]] | None = start  # until something has come
        self._call = call

    async def read(self) -> Any:
        """Gives the next message, None at the end; raises `CallError`."""
        while True:
            try:
                with self._link.guarded():
                    message = await self._call.read()
            except grpc.aio.AioRpcError as e:
                failure = failure_of(e)
                start, self._start = self._start, None
                if start is None or not await self._link.refused(failure, e.initial_metadata()):
                    raise CallError.of(failure) from e
                self._call = await start()
                continue
            self._start = None
            return None if message is grpc.aio.EOF else readable(message)

    async def standing(self) -> None:
        """Waits until the server has sent its headers, or has ended the RPC."""
        await self._call.initial_metadata()

    def cancel(self) -> None:
        """Ends the RPC, unless it has ended."""
        self._call.cancel()


def time_left(timeout: float | None) -> Callable[[], float | None]:
    """Gives what tells how many seconds are left of a time that begins now; that raises `CallError` when it is over."""
    if timeout is None:
        return lambda: None
    clock = asyncio.get_running_loop().time
    end = clock() + timeout

    def left() -> float:
        seconds = end - clock()
        if seconds <= 0:
            raise late()
        return seconds

    return left


def readable(message: Any) -> Any:
    """Gives a message; raises `CallError` for bytes that are none, which gRPC gives as None."""
    if message is None:
        raise CallError.plain(grpc.StatusCode.INTERNAL, "malformed answer: it cannot be decoded")
    return message


def _closed_error() -> CallError:
    return CallError.plain(grpc.StatusCode.CANCELLED, "the client was closed")
