# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Programs that tests start, and what they print."""

from __future__ import annotations

import contextlib
import queue
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 60.0
"""Seconds that bound every wait: a program starts on a busy machine."""


@dataclass
class Program:
    """A program that runs."""

    process: subprocess.Popen[str]
    _lines: queue.Queue[str | None] = field(default_factory=queue.Queue)
    printed: list[str] = field(default_factory=list)

    def read(self) -> None:
        """Reads what it prints, to its end."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def lines_until(self, word: str) -> Iterator[tuple[str, str]]:
        """Lines, each cut before its last word, until one begins with ``word``."""
        while True:
            line = self._lines.get(timeout=PATIENCE)
            assert line is not None, f"it has ended: {self.printed}"
            self.printed.append(line)
            name, _, value = line.rpartition(" ")
            yield name, value
            if name == word:
                return


@contextlib.contextmanager
def started(command: Sequence[str], *, cwd: Path | None = None, listening: str = "") -> Iterator[Program]:
    """Starts a program, and ends it as a user would.

    Args:
        command: The program and its arguments.
        cwd: Where it runs.
        listening: Waits until this address, "host:port", takes connections.
    """
    # Shells have what they start in the background ignore SIGINT, and that is handed on.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
    program = Program(process)
    reader = threading.Thread(target=program.read)
    reader.start()
    try:
        if listening:
            _wait_for(listening, process)
        yield program
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()
            reader.join()
            assert process.stdout is not None
            process.stdout.close()


def _wait_for(address: str, process: subprocess.Popen[str]) -> None:
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
            return
        assert process.poll() is None, "it has ended"
        assert time.monotonic() < deadline, "it does not listen"
        time.sleep(0.05)
