# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""A `Connect` RPC, and how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import grpc

from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope
from mcp_grpc.codec import RpcFailure, failure_of


class ConnectCall:
    """Writes encoded envelopes and reads envelopes.

    The end is noted as it comes: when a write meets it, gRPC puts an error of its own ("Internal error from Core")
    in the place of the status that the server has sent.
    """

    def __init__(self, call: Any) -> None:
        self._call = call
        self._failure: RpcFailure | None = None
        self.ended_well = False
        """Whether the server has ended the RPC with status OK."""
        call.add_done_callback(self._note)

    async def write(self, data: bytes) -> bool:
        """Whether the RPC had not ended before an envelope was written."""
        try:
            await self._call.write(data)
        except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
            return False
        return True

    async def read(self) -> Envelope | None:
        """Gives the next envelope, None at the end."""
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError:
            return None
        if message is None:  # bytes that gRPC could not decode
            self._failure = RpcFailure(grpc.StatusCode.INTERNAL, "the server has sent bytes that are no message")
            self._call.cancel()
            return None
        return None if message is grpc.aio.EOF else message

    async def failure(self) -> RpcFailure:
        """Gives how the RPC has ended, once it has; also if it ended well."""
        if self._failure is None:
            call = self._call
            self._end(await call.code(), await call.details(), await call.trailing_metadata())
        assert self._failure is not None
        return self._failure

    async def headers(self) -> tuple[tuple[str, Any], ...]:
        """Gives the metadata of the response, once it has come."""
        return tuple(await self._call.initial_metadata())

    async def done_writing(self) -> bool:
        """Half-closes the stream; False if it has ended."""
        try:
            await self._call.done_writing()
        except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
            return False
        return True

    def cancel(self) -> None:
        """Ends the RPC, unless it has ended."""
        self._call.cancel()

    def _note(self, call: Any) -> None:
        code = _at_once(call.code())
        if self._failure is None and code is not None:
            self._end(code, _at_once(call.details()), _at_once(call.trailing_metadata()))

    def _end(self, code: grpc.StatusCode, details: str | None, trailing: Any) -> None:
        if code is grpc.StatusCode.OK:
            self.ended_well = True
            self._failure = RpcFailure(grpc.StatusCode.UNAVAILABLE, "the server has ended the stream")
            return
        none = grpc.aio.Metadata()
        error = grpc.aio.AioRpcError(code, none, trailing if trailing is not None else none, details)
        self._failure = failure_of(error)


def _at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Gives the result of a coroutine that has nothing to wait for; None of one that has."""
    try:
        coroutine.send(None)
    except StopIteration as result:
        return result.value
    coroutine.close()
    return None
