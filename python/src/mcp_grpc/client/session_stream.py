# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""What a server sends of itself in a legacy session (SPEC.md §6.5, §6.6)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from mcp.shared.exceptions import MCPError

from mcp_grpc._gen.mcp.v1.common_pb2 import JSON_ENCODING_BYTES
from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope
from mcp_grpc.client.asked import Callbacks
from mcp_grpc.client.mux_stream import MuxStream
from mcp_grpc.codec import CodecError, envelope_from_value, envelope_to_value

logger = logging.getLogger(__name__)

_MAX_QUESTIONS = 256  # that are answered at a time; a server that asks more gets an error


class Answering:
    """Answers the server's requests on the session's stream, each in a task of its own."""

    def __init__(self, callbacks: Callbacks, on_message: Callable[[dict[str, Any]], None] | None) -> None:
        self._callbacks = callbacks
        self._on_message = on_message
        self._tasks: dict[Any, asyncio.Task[None]] = {}

    @property
    def wanted(self) -> bool:
        """Whether anybody hears what comes on the stream."""
        return self._on_message is not None or self._callbacks != Callbacks()

    async def close(self) -> None:
        """Gives up what is being answered."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def take(self, stream: MuxStream, envelope: Envelope) -> None:
        """Takes a JSON-RPC message of the server."""
        try:
            message = envelope_to_value(envelope)
        except CodecError:
            return  # there is no id to answer by
        if "id" in message and "method" in message:
            self._begin(stream, message)
        elif message.get("method") == "notifications/cancelled":
            self._cancel((message.get("params") or {}).get("requestId"))
        elif "method" in message and self._on_message is not None:
            try:
                self._on_message(message)
            except Exception:
                logger.exception("on_message raised")

    def _begin(self, stream: MuxStream, message: dict[str, Any]) -> None:
        key = (type(message["id"]), message["id"])
        if len(self._tasks) >= _MAX_QUESTIONS or key in self._tasks:
            _reply(stream, message["id"], {"error": {"code": -32600, "message": "too many requests in flight"}})
            return
        task = asyncio.create_task(self._answer(stream, message))
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    def _cancel(self, request_id: Any) -> None:
        task = self._tasks.get((type(request_id), request_id))
        if task is not None:
            task.cancel()

    async def _answer(self, stream: MuxStream, message: dict[str, Any]) -> None:
        try:
            outcome: dict[str, Any] = {
                "result": await self._callbacks.answer(message["method"], message.get("params") or {})
            }
        except MCPError as e:
            outcome = {"error": {"code": e.code, "message": e.message}}
            if e.data is not None:
                outcome["error"]["data"] = e.data
        _reply(stream, message["id"], outcome)


def _reply(stream: MuxStream, request_id: Any, outcome: dict[str, Any]) -> None:
    stream.send(envelope_from_value({"jsonrpc": "2.0", "id": request_id, **outcome}, JSON_ENCODING_BYTES))
