# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""What waits for one stream's writer, within bounds: SPEC.md §9.1 and §12."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from mcp_grpc.codec import RpcFailure
from mcp_grpc.server.failure import exhausted

T = TypeVar("T")


class Closed(Exception):
    """The stream takes nothing more."""


class Outbox(Generic[T]):
    """A queue with one reader. It is of one event loop.

    Args:
        waiting: How many messages of calls wait before :meth:`put` does.
        pushed: How many notifications outside of calls wait before the stream ends.
    """

    def __init__(self, waiting: int, pushed: int) -> None:
        self._waiting, self._pushed = waiting, pushed
        self._items: deque[tuple[T, str | None]] = deque()
        self._keys: set[str] = set()
        self._pushes = 0
        self._writing = 0
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._closed = False
        self._failure: RpcFailure | None = None

    async def put(self, item: T) -> None:
        """Queue a message of a call, and wait while too many do.

        Raises:
            Closed: The stream is over.
        """
        while not self._closed and len(self._items) - self._pushes >= self._waiting:
            self._room.clear()
            await self._room.wait()
        self.force(item)

    async def has_room(self, most: int) -> None:
        """Wait while that many messages of calls wait or are being written, or more; it returns at the end, too."""
        while not self._closed and len(self._items) - self._pushes + self._writing >= most:
            self._room.clear()
            await self._room.wait()

    def force(self, item: T) -> None:
        """:meth:`put` for what answers a message, of which no more are read than have room; raises Closed."""
        if self._closed:
            raise Closed
        self._items.append((item, None))
        self._changed.set()

    def push(self, item: T, key: str) -> None:
        """Queue a notification outside of calls.

        Args:
            item: The message.
            key: What it says; of two that wait with the same key, one is enough. Empty if it always counts.
        """
        if self._closed or key in self._keys:
            return
        if self._pushes >= self._pushed:
            self.close(exhausted("the client reads too slowly"))
            return
        self._pushes += 1
        if key:
            self._keys.add(key)
        self._items.append((item, key))
        self._changed.set()

    def close(self, failure: RpcFailure | None = None) -> None:
        """Take nothing more. What waits is still read, unless there is a failure, which the reader gets."""
        if not self._closed or failure is not None:
            self._closed = True
            self._failure = self._failure or failure
        self._changed.set()
        self._room.set()

    async def batches(self) -> AsyncIterator[list[T]]:
        """All that waits, again and again, to the end.

        Raises:
            RpcFailure: What the queue was closed with.
        """
        while True:
            if self._failure is not None:
                raise self._failure
            if self._items:
                batch = [item for item, _ in self._items]
                self._writing = len(batch) - self._pushes
                self._items.clear()
                self._keys.clear()
                self._pushes = 0
                self._room.set()
                yield batch
                self._writing = 0
                self._room.set()
            elif self._closed:
                return
            else:
                self._changed.clear()
                await self._changed.wait()
