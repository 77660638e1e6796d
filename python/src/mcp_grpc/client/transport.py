# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The transport for the SDK's own client: JSON-RPC messages in envelopes, on one `Connect` stream (SPEC.md §4)."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any

import anyio
import anyio.abc
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage

from mcp_grpc.auth.channel import ClientTLS
from mcp_grpc.auth.client_auth import ClientAuth
from mcp_grpc.client.envelope_stream import Connection
from mcp_grpc.client.link import DEFAULT_MESSAGE_BYTES, Link

Streams = tuple[MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]]

CLOSE_GRACE = 1.0
"""Seconds that the server has to end the stream in good order when the client is closed."""


class Transport:
    """Connects the SDK's client to a server of mcp.v1.

    ```python
    async with mcp.Client(Transport("127.0.0.1:8080")) as client:
        result = await client.call_tool("add", {"a": 2, "b": 40})
    ```

    All of the SDK's client works, in both eras: progress, elicitation, sampling, roots, logging, subscriptions,
    cancellation, time-outs. `mcp.ClientSession` takes the two streams that entering the transport gives.

    When the stream breaks, modern requests in flight fail with what has happened, and the next one opens another
    stream; requests that the server has left undone as it drained are made again there (SPEC.md §10.4).
    A legacy session is lost with its stream.

    A transport is entered once at a time, on asyncio.
    """

    def __init__(
        self,
        target: str,
        *,
        auth: ClientAuth | None = None,
        tls: ClientTLS | None = None,
        metadata: Sequence[tuple[str, str]] = (),
        max_message_bytes: int = DEFAULT_MESSAGE_BYTES,
        options: Sequence[tuple[str, Any]] = (),
    ) -> None:
        """Connects with the first request.

        Args:
            target: "host:port", "unix:PATH", "http://host:port" or "https://host:port".
            auth: credentials of the stream.
            tls: TLS, also with a client certificate; of "https" targets by default.
            metadata: more metadata of the stream.
            max_message_bytes: the size of a message, in both directions.
            options: options of the gRPC channel.
        """
        self._target = target
        self._arguments: dict[str, Any] = {
            "auth": auth,
            "tls": tls,
            "metadata": tuple(metadata),
            "max_message_bytes": max_message_bytes,
            "options": tuple(options),
        }
        self._group: anyio.abc.TaskGroup | None = None
        self._link: Link | None = None
        self._connection: Connection | None = None

    async def __aenter__(self) -> Streams:
        if self._group is not None:
            raise RuntimeError("the transport is connected already")
        self._link = Link(self._target, **self._arguments)
        to_client, from_server = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        to_server, from_client = anyio.create_memory_object_stream[SessionMessage](0)
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        self._connection = Connection(self._link, to_client, self._group)
        self._group.start_soon(self._connection.run, from_client)
        return from_server, to_server

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        assert self._group is not None
        assert self._link is not None
        assert self._connection is not None
        group, self._group = self._group, None
        with anyio.move_on_after(CLOSE_GRACE, shield=True):
            await self._connection.finish()
        group.cancel_scope.cancel()
        try:
            if kind is not None and issubclass(kind, Exception):
                kind = error = trace = None  # raised as it is, and not in a group
            return await group.__aexit__(kind, error, trace)
        finally:
            with anyio.CancelScope(shield=True):
                await self._link.close()

    @property
    def session_id(self) -> str | None:
        """The id of the legacy session, if the server has told it (SPEC.md §6.3)."""
        return self._connection.session_id if self._connection is not None else None
