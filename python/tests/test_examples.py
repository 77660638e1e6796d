# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Runs what README.md shows, as it stands there."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from example_process import PATIENCE, started

PYTHON = Path(__file__).resolve().parent.parent
README = (PYTHON / "README.md").read_text()
BLOCK = re.compile(r"<!-- (.+?) -->\n```(\w+)\n(.*?)```", re.DOTALL)
BLOCKS = BLOCK.findall(README)


def blocks(kind: str) -> list[tuple[str, str]]:
    """What stands behind ``kind`` in the mark of a block, and the block."""
    return [
        (mark.removeprefix(f"test: {kind}").strip(), text)
        for mark, _, text in BLOCKS
        if mark.startswith(f"test: {kind}")
    ]


def test_every_block_is_run() -> None:
    assert len(BLOCKS) == README.count("```") // 2
    kinds = [mark.split()[1] for mark, _, _ in BLOCKS if mark.startswith("test: ")]
    assert sorted(set(kinds)) == ["client", "install", "pair", "server"]
    assert len([m for m, _, _ in BLOCKS if not m.startswith("test: ")]) == 1
    assert len(blocks("pair")) == 5


def test_install(tmp_path: Path) -> None:
    """What is built can be imported, and has types."""
    [(_, command)] = blocks("install")
    words = shlex.split(command)
    assert words[0] == "pip"
    # Into a folder, with the build tools that are there.
    extra = ["--quiet", "--no-deps", "--no-build-isolation", "--no-cache-dir", "--target", str(tmp_path)]
    subprocess.run([sys.executable, "-m", *words, *extra], cwd=PYTHON.parent, check=True, timeout=120)
    assert (tmp_path / "mcp_grpc" / "py.typed").exists()
    [license_file] = tmp_path.glob("*.dist-info/licenses/LICENSE")
    assert license_file.read_text() == (PYTHON.parent / "LICENSE").read_text()
    code = "import mcp_grpc.auth, mcp_grpc.client, mcp_grpc.server; print(mcp_grpc.auth.__file__)"
    shown = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, check=True, timeout=60
    )
    assert shown.stdout.decode().startswith(str(tmp_path))


def test_programs(tmp_path: Path, free_address: str) -> None:
    [(_, server)] = blocks("server")
    clients = blocks("client")
    assert len(clients) == 2

    def write(name: str, text: str) -> str:
        assert "127.0.0.1:8080" in text
        (tmp_path / name).write_text(text.replace("127.0.0.1:8080", free_address))
        return str(tmp_path / name)

    with started([sys.executable, write("server.py", server)], listening=free_address):
        for i, (_, client) in enumerate(clients):
            command = [sys.executable, write(f"client{i}.py", client)]
            shown = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
            assert (shown.stdout, shown.stderr) == (b"Hi Ann\n", b"")


@pytest.fixture
def free_address() -> str:
    """For programs that name their port: nobody else takes it so soon."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{s.getsockname()[1]}"


@contextmanager
def serving(command: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Runs a server as shown, but for its port and paths; gives what it prints."""
    words = at(command, tmp_path)
    if "--addr" not in words:
        words += ["--addr", "127.0.0.1:0"]
    with started(words, cwd=PYTHON) as process:
        yield dict(process.lines_until("serving"))


def at(command: str, tmp_path: Path) -> list[str]:
    """The words of a command, with its files in a folder of the test."""
    words = shlex.split(command)
    assert words[0] == "python"
    moved = {"certs": str(tmp_path / "certs"), "unix:/tmp/mcp.sock": f"unix:{tmp_path}/mcp.sock"}
    return [sys.executable, *(moved.get(w, w) for w in words[1:])]


@pytest.mark.parametrize(("says", "text"), blocks("pair"), ids=[says for says, _ in blocks("pair")])
def test_pairs(says: str, text: str, tmp_path: Path) -> None:
    server, client = text.splitlines()
    with serving(server, tmp_path) as printed:
        words = at(client.replace("$KEY", printed.get("API key:", "")), tmp_path)
        if "--addr" not in words:
            words += ["--addr", printed["serving"]]
        shown = subprocess.run(words, cwd=PYTHON, capture_output=True, timeout=PATIENCE, check=False)
        assert shown.stderr == b""
        assert says in shown.stdout.decode()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--auth", "unix"], "go together"),
        (["--addr", "unix:/tmp/x"], "go together"),
        (["--auth", "oidc"], "--issuer"),
        (["--auth", "bearer", "--bearer-token", "a b"], "letters"),
        (["--auth", "apikey", "--api-key", "SECRET"], "no API key"),
        (["--addr", "nowhere"], "server:"),
    ],
)
def test_mistakes(args: list[str], says: str) -> None:
    command = [sys.executable, "examples/server.py", *args]
    shown = subprocess.run(command, cwd=PYTHON, capture_output=True, timeout=PATIENCE, check=False)
    assert shown.returncode != 0
    assert says in shown.stderr.decode()
    assert "Traceback" not in shown.stderr.decode()
    assert "SECRET" not in shown.stderr.decode()


def test_credentials_do_not_go_in_clear() -> None:
    command = [sys.executable, "examples/client.py", "--auth", "bearer", "--addr", "http://mcp.example.com"]
    shown = subprocess.run(command, cwd=PYTHON, capture_output=True, timeout=PATIENCE, check=False)
    assert b"in clear" in shown.stderr
    assert b"Traceback" not in shown.stderr
