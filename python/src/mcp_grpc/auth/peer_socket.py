# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""A Unix socket whose callers are known.

gRPC does not show which user is at the other end of a Unix socket, nor the socket itself. So callers connect to a
socket of this module, which asks the kernel (SO_PEERCRED), and passes their bytes on to gRPC's own socket. That
one lies in a folder that only this user can enter, and each connection to it comes from a name in that folder.
gRPC gives this name as the peer, and it leads back to the caller's user.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import socket
import stat
import struct
import tempfile
from pathlib import Path
from types import TracebackType

_CHUNK = 64 << 10
_BACKLOG = 128
_UCRED = struct.Struct("iII")  # pid, uid, gid

_uids: dict[str, int] = {}  # by the name of the peer, of all connections that are open


def uid_of_peer(path: str) -> int | None:
    """The user of a peer as gRPC names it; None if it did not come through a :class:`PeerSocket`."""
    return _uids.get(path)


class PeerSocket:
    """Listens on a Unix socket for a gRPC server, and knows who calls. It works on Linux.

    It is an asynchronous context manager, which gives the address for ``add_insecure_port``. Leave it after
    the server has stopped. Each byte is copied once more than without: some 5 µs for a small message.

    Whoever may enter the folder of ``path``, and write to the socket, can connect: put it into a folder of its
    own, and restrict that too. Do not let the same gRPC server listen on another Unix socket: names of peers
    that come there are not this module's.

    Args:
        path: The socket. One that is left over from a process that is gone is replaced.
        mode: Permissions of the socket; by default those of the umask.
        max_connections: Connections at one time; others wait.
    """

    def __init__(self, path: str | Path, *, mode: int | None = None, max_connections: int = 1024) -> None:
        self._path = str(path)
        self._mode = mode
        self._slots = asyncio.Semaphore(max_connections)
        self._folder = ""
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._relays: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> str:
        """Listens.

        Raises:
            OSError: the path is taken, or not one for a socket.
            NotImplementedError: the kernel does not tell who connects.
        """
        if not hasattr(socket, "SO_PEERCRED"):
            raise NotImplementedError("peers of Unix sockets are known on Linux only")
        self._listener = _listen(self._path, self._mode)
        self._folder = tempfile.mkdtemp(prefix="mcp-grpc-")  # mode 0700
        self._accepting = asyncio.create_task(self._accept(self._listener), name="peer-socket")
        return f"unix:{self._folder}/server"

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends all connections, and removes the socket."""
        if self._accepting is not None and self._listener is not None:
            tasks = {self._accepting, *self._relays}
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            self._listener.close()
        _remove(self._path)
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._slots.acquire()
            try:
                caller, _ = await loop.sock_accept(listener)
            except OSError:  # out of descriptors, for example
                self._slots.release()
                await asyncio.sleep(0.1)
                continue
            except BaseException:
                self._slots.release()
                raise
            relay = asyncio.create_task(self._relay(caller))
            self._relays.add(relay)
            relay.add_done_callback(self._ended)

    def _ended(self, relay: asyncio.Task[None]) -> None:
        self._relays.discard(relay)
        self._slots.release()
        if not relay.cancelled():
            relay.exception()  # of a connection that broke: both sides know

    async def _relay(self, caller: socket.socket) -> None:
        name = f"{self._folder}/{secrets.token_hex(8)}"
        with caller, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as inner:
            caller.setblocking(False)
            inner.setblocking(False)
            _, uid, _ = _UCRED.unpack(caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
            inner.bind(name)
            _uids[name] = uid
            try:
                await asyncio.get_running_loop().sock_connect(inner, f"{self._folder}/server")
                async with asyncio.TaskGroup() as pumps:
                    up = pumps.create_task(_pump(caller, inner))
                    down = pumps.create_task(_pump(inner, caller))
                    # gRPC says no more, so it hears no more: who stays all the same must not keep the place.
                    down.add_done_callback(lambda _: up.cancel())
            finally:
                del _uids[name]
                _remove(name)


async def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Passes on what comes, no faster than it goes: nothing is queued here."""
    loop = asyncio.get_running_loop()
    while chunk := await loop.sock_recv(source, _CHUNK):
        await loop.sock_sendall(sink, chunk)
    sink.shutdown(socket.SHUT_WR)


def _listen(path: str, mode: int | None) -> socket.socket:
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(path)
        if mode is not None:
            Path(path).chmod(mode)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        Path(path).unlink()


def _remove_stale(path: str) -> None:
    """Removes a socket of this user on which nobody listens any more."""
    try:
        info = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(info.st_mode) or info.st_uid != os.getuid():
        return  # bind says that it is taken
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            _remove(path)
        except OSError:
            return
