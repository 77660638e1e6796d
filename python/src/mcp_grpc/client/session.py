# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The session of a legacy version, which typed calls name in their metadata (SPEC.md §6.3)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import grpc
import mcp.types as types

from mcp_grpc._gen.mcp.v1.common_pb2 import JSON_ENCODING_BYTES
from mcp_grpc._gen.mcp.v1.session_pb2 import InitializeRequest, ShutdownRequest
from mcp_grpc.client.convert import model_of, value_of
from mcp_grpc.client.error import CallError, late
from mcp_grpc.client.link import Link, Metadata, time_left
from mcp_grpc.codec import from_value, request_metadata

_SHUTDOWN_TIMEOUT = 2.0


@dataclass(frozen=True)
class Session:
    """What a legacy client has agreed with the server."""

    id: str
    result: types.InitializeResult

    def metadata(self, method: str, name: str | None = None) -> Metadata:
        """Gives the metadata of a request in the session."""
        return request_metadata(method, self.result.protocol_version, name, self.id)

    def stream_metadata(self) -> Metadata:
        """Gives the metadata of a `Connect` stream, which does not name a method (SPEC.md §7.1)."""
        return (("mcp-protocol-version", self.result.protocol_version), ("mcp-session-id", self.id))


class Sessions:
    """Opens a session for the first call, and another one when the server does not know it any more."""

    def __init__(self, link: Link, params: dict[str, Any]) -> None:
        self._link = link
        self._params = params
        self._session: Session | None = None
        self._opening = asyncio.Lock()

    async def get(self, timeout: float | None = None) -> Session:
        """Gives the session that is open, or opens one; raises `CallError`."""
        if self._session is not None:
            return self._session
        left = time_left(timeout)
        try:
            async with asyncio.timeout(timeout):
                await self._opening.acquire()
        except TimeoutError:
            raise late() from None
        try:
            if self._session is None:
                request = from_value(self._params, InitializeRequest, JSON_ENCODING_BYTES)
                request.meta.json_encoding = JSON_ENCODING_BYTES
                answer = await self._link.unary("Initialize", request, request_metadata("initialize"), left())
                result = model_of(value_of(answer), types.InitializeResult)
                self._session = Session(answer.session_id, result)
            return self._session
        finally:
            self._opening.release()

    def is_current(self, session: Session | None) -> bool:
        """Whether no other one has been opened since."""
        return session is not None and self._session is session

    def drop(self, session: Session | None, error: CallError) -> bool:
        """Whether the error says that the server has lost the session; the next call opens another one then."""
        if session is None or error.status is not grpc.StatusCode.NOT_FOUND or error.code != types.INVALID_REQUEST:
            return False
        if self.is_current(session):
            self._session = None
        return True

    async def close(self) -> None:
        """Ends the session, if the server still hears of it."""
        session, self._session = self._session, None
        if session is None or not session.id:
            return
        try:
            metadata = (("mcp-session-id", session.id),)
            await self._link.unary("Shutdown", ShutdownRequest(), metadata, _SHUTDOWN_TIMEOUT)
        except CallError:
            return  # it ends by itself after its idle time
