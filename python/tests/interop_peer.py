# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Processes on the other side of the interop tests: the Go peer, and the Python server."""

from __future__ import annotations

import asyncio
import atexit
import functools
import json
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
"""Seconds for anything that has to happen."""


@functools.cache
def peer_binary() -> str:
    """Builds the Go peer; without Go the test is skipped."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("the Go toolchain is not here")
    folder = tempfile.mkdtemp(prefix="mcp-grpc-peer-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    binary = f"{folder}/peer"
    subprocess.run([go, "build", "-o", binary, "./python/tests/peer"], cwd=ROOT, check=True, timeout=600)
    return binary


class Peer:
    """A process that says what happens by a JSON object a line."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._seen: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._ids = 0

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)

    def wait(self, **members: Any) -> dict[str, Any]:
        """Gives the next line with these members; others are kept for later."""
        for i, line in enumerate(self._seen):
            if members.items() <= line.items():
                return self._seen.pop(i)
        end = time.monotonic() + PATIENCE
        while True:
            said = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            if said is None:
                raise AssertionError(f"the peer has ended before it said {members}; it said {self._seen}")
            if members.items() <= said.items():
                return said
            self._seen.append(said)

    async def heard(self, **members: Any) -> dict[str, Any]:
        """Does `wait` beside the event loop."""
        return await asyncio.to_thread(self.wait, **members)

    def drop_seen(self) -> None:
        """Forgets what was said up to now."""
        self._seen.clear()
        while not self._lines.empty():
            self._lines.get_nowait()

    def begin(self, method: str, params: dict[str, Any] | None = None, timeout_ms: int = 0) -> str:
        """Makes a Go client begin a call; gives its id."""
        self._ids += 1
        self._tell({"id": str(self._ids), "method": method, "params": params or {}, "timeout_ms": timeout_ms})
        return str(self._ids)

    def cancel(self, call: str) -> None:
        """Makes a Go client end a call."""
        self._tell({"cancel": call})

    def outcome(self, call: str) -> dict[str, Any]:
        """Gives how a call of a Go client has ended: a line with `result` or `error`."""
        while True:
            line = self.wait(id=call)
            if "event" not in line:
                return line

    def call(self, method: str, params: dict[str, Any] | None = None, timeout_ms: int = 0) -> Any:
        """Makes a Go client make a call that succeeds; gives its result."""
        line = self.outcome(self.begin(method, params, timeout_ms))
        assert "error" not in line, line
        return line.get("result")

    def refusal(self, method: str, params: dict[str, Any] | None = None, timeout_ms: int = 0) -> dict[str, Any]:
        """Makes a Go client make a call that fails; gives its error."""
        line = self.outcome(self.begin(method, params, timeout_ms))
        assert "error" in line, line
        error: dict[str, Any] = line["error"]
        return error

    def _tell(self, command: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def end(self) -> None:
        """Ends the process, and waits for that."""
        assert self._process.stdin is not None
        self._process.stdin.close()  # all that a client waits for
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def kill(self) -> None:
        """Ends the process at once."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


@contextmanager
def go_server(*flags: str) -> Iterator[tuple[str, Peer]]:
    """Serves the everything server of Go; gives its URL and its process."""
    with Peer([peer_binary(), "serve", *flags]) as peer:
        yield peer.wait(event="serving")["url"], peer


@contextmanager
def python_server(*flags: str) -> Iterator[tuple[str, Peer]]:
    """Serves the everything server of Python; gives its URL and its process."""
    with Peer([sys.executable, str(Path(__file__).parent / "everything.py"), *flags]) as peer:
        yield peer.wait(event="serving")["url"], peer


@contextmanager
def go_client(url: str, *flags: str) -> Iterator[Peer]:
    """Runs a Go client of a server."""
    with Peer([peer_binary(), "call", *flags, url]) as peer:
        peer.wait(event="ready")
        yield peer
