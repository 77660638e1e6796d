# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Unix sockets whose callers are known."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from auth_server import PATIENCE, call, rpc, serving, until

from mcp_grpc.auth import Call, Grant, Guard, InvalidCredentialError, PeerSocket, UnixPeers, channel
from mcp_grpc.auth.peer_socket import _uids

ME = f"uid:{os.getuid()}"


async def test_the_user_who_runs_it(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with PeerSocket(path) as inner, serving(Guard([UnixPeers()]), inner):
        for _ in range(3):
            async with channel(f"unix:{path}") as c:
                assert (await call(c)).body.decode() == f"hi unix-peer|{ME} by unix-peer"
        await until(lambda: not _uids)
        folder = Path(inner.removeprefix("unix:")).parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not path.exists()
    assert not folder.exists()


async def test_other_users_are_refused(tmp_path: Path) -> None:
    async with (
        PeerSocket(tmp_path / "s") as inner,
        serving(Guard([UnixPeers({"uid:4711": Grant("x")})]), inner) as served,
    ):
        async with channel(f"unix:{tmp_path}/s") as c:
            got = await call(c)
            assert (got.code, got.challenges) == (grpc.StatusCode.UNAUTHENTICATED, ())
        assert served.seen == []


CALLER = """
import asyncio, os, sys, grpc
os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
async def main():
    async with grpc.aio.insecure_channel("unix:" + sys.argv[1]) as c:
        try:
            print((await c.unary_unary("/test.Echo/Unary")(b"hi", timeout=30)).decode())
        except grpc.aio.AioRpcError as e:
            print(e.code().name)
asyncio.run(main())
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize(("uid", "want"), [(4711, "hi unix-peer|ann by unix-peer"), (4712, "UNAUTHENTICATED")])
async def test_other_users(uid: int, want: str) -> None:
    with open_folder() as folder:
        path = f"{folder}/s"
        async with (
            PeerSocket(path, mode=0o666) as inner,
            serving(Guard([UnixPeers({"uid:4711": Grant("ann")})]), inner),
        ):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", CALLER, path, str(uid)), stdout=subprocess.PIPE
            )
            out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert out.decode().strip() == want


@contextlib.contextmanager
def open_folder() -> Iterator[str]:
    """A folder that others can enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield name


async def test_a_socket_of_grpc_itself_knows_nobody(tmp_path: Path) -> None:
    async with serving(Guard([UnixPeers()]), f"unix:{tmp_path}/s") as served, channel(f"unix:{tmp_path}/s") as c:
        assert (await call(c)).code is grpc.StatusCode.UNAUTHENTICATED
        assert served.seen == []


async def test_names_of_peers() -> None:
    peers = UnixPeers({"uid:7": Grant("ann"), "uid:65534": Grant("anybody")})
    assert await peers.authenticate(Call("/x", (), "ipv4:127.0.0.1:1")) is None
    _uids.update({"/a": 7, "/b": 65534, "/c": 8})
    try:
        found = await peers.authenticate(Call("/x", (), "unix:/a"))
        assert found is not None
        assert found.subject == "ann"
        for peer in ("unix:/b", "unix:/c", "unix:/d", "unix:"):
            with pytest.raises(InvalidCredentialError):
                await peers.authenticate(Call("/x", (), peer))
    finally:
        _uids.clear()
    with pytest.raises(ValueError, match="uid:1000"):
        UnixPeers({"ann": Grant()})


async def test_large_messages_and_streams(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with PeerSocket(path) as inner, serving(Guard([UnixPeers()]), inner), channel(f"unix:{path}") as c:
        sent = [os.urandom(3 << 20) for _ in range(4)]
        got = [r async for r in rpc(c, "StreamStream")(iter(sent))]
        assert got == sent


async def test_connections_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with PeerSocket(path, max_connections=1) as inner, serving(Guard([UnixPeers()]), inner):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as idle:
            idle.connect(str(path))
            await until(lambda: len(_uids) == 1)
            async with channel(f"unix:{path}") as c:
                waiting = asyncio.create_task(call(c))
                await asyncio.sleep(0.2)
                assert not waiting.done()
                assert len(_uids) == 1
                idle.close()
                assert (await waiting).code is grpc.StatusCode.OK


async def test_a_caller_that_stays_when_the_server_has_gone_keeps_no_place(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    async with PeerSocket(path, max_connections=1) as inner, serving(Guard([UnixPeers()]), inner):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"this is no HTTP/2 at all, and gRPC closes the connection\r\n\r\n")
        await reader.read()  # to the end; and this side stays open
        async with channel(f"unix:{path}") as c:
            assert (await call(c)).code is grpc.StatusCode.OK
        writer.close()


async def test_a_path_that_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with PeerSocket(path, mode=0o600):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with pytest.raises(OSError, match="in use"):
            await PeerSocket(path).__aenter__()
        assert path.exists()
    path.write_text("a file")
    with pytest.raises(OSError, match="in use"):
        await PeerSocket(path).__aenter__()
    assert path.read_text() == "a file"
    path.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(path))  # nobody listens any more
    async with PeerSocket(path) as inner:
        assert inner.startswith("unix:")
