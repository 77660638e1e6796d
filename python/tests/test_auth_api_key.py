# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""API keys: what gets in, rotation, and their file."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from auth_server import until
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_grpc.auth import (
    APIKeyFile,
    APIKeyRecord,
    APIKeys,
    Call,
    InvalidCredentialError,
    new_api_key,
    record_api_key,
)

PEPPER = b"pepper"


def shown(key: str) -> Call:
    return Call("/x", (("x-mcp-api-key", key),))


def summed(text: str) -> str:
    return f"{text}_{zlib.crc32(text.encode()):08x}"


KEY, RECORD = new_api_key("test", "ann", key_id="k1", tenant="acme", scopes=["read"], pepper=PEPPER)
OLD, OLD_RECORD = new_api_key("test", "ann", key_id="k2", tenant="acme", pepper=PEPPER)
UNKNOWN, _ = new_api_key("test", "ann", key_id="k3", pepper=PEPPER)
SALTED, SALTED_RECORD = new_api_key("test", "ann", key_id="k4", pepper=b"salt")
BODY = KEY.rpartition("_")[0]


@pytest.mark.parametrize(
    ("key", "key_id"),
    [
        pytest.param(KEY, "k1", id="a key"),
        pytest.param(OLD, "k2", id="another key of the same subject"),
        pytest.param(UNKNOWN, "", id="an unknown key"),
        pytest.param(SALTED, "", id="a key under another pepper"),
        pytest.param(KEY[:-1], "", id="a truncated key"),
        pytest.param(KEY + "a", "", id="a byte more"),
        pytest.param(summed(BODY + "a"), "", id="a byte more with its checksum"),
        pytest.param(summed(BODY[:-1]), "", id="a byte less with its checksum"),
        pytest.param(summed(BODY.replace("mcp_test_", "mcp_live_")), "", id="another environment"),
        pytest.param(summed(BODY.replace("_k1_", "_k2_")), "", id="the id of another key"),
        pytest.param(KEY.upper(), "", id="a key in another case"),
        pytest.param(" " + KEY, "", id="a space before"),
        pytest.param(f"{KEY}, {OLD}", "", id="two keys"),
        pytest.param("", "", id="an empty one"),
        pytest.param(RECORD.hash, "", id="the hash"),
        pytest.param(summed("xyz" + BODY[3:]), "", id="another prefix"),
        pytest.param(summed("mcp_test_k1_"), "", id="no secret"),
        pytest.param(summed(BODY + "a" * 10_000), "", id="a very long one"),
        pytest.param(KEY.replace("k1", "kä"), "", id="beyond ASCII"),
    ],
)
async def test_keys(key: str, key_id: str) -> None:
    keys = APIKeys([RECORD, OLD_RECORD, SALTED_RECORD], pepper=PEPPER)
    if not key_id:
        with pytest.raises(InvalidCredentialError) as e:
            await keys.authenticate(shown(key))
        assert len(key) < 20 or key[-20:] not in str(e.value)
        return
    found = await keys.authenticate(shown(key))
    assert found is not None
    assert (found.credential_id, found.id, found.method) == (key_id, "api-key|acme|ann", "api-key")


async def test_no_key_is_nobody() -> None:
    assert await APIKeys([RECORD]).authenticate(Call("/x", ())) is None


def test_keys_of_go_are_keys_here() -> None:
    """The form is that of package authn, so that one file serves both."""
    # Drawn by authn.NewAPIKey("test", []byte("pepper"), APIKey{ID: "go1", Subject: "ann"}).
    key, digest = GO_KEY
    record = record_api_key(key, "ann", pepper=PEPPER)
    assert (record.id, record.hash) == ("go1", digest)


GO_KEY = (
    "mcp_test_go1_Rsl5oMWLK56-cY2XnTlU-1znfj61gR3cx6wiMeUgHHM_dc72d7ce",
    "3ae6befc28dbc93c8cc6839c67c800adf20bc51f62dbcb0cbba9e959cf8ce72d",
)


def changed(**changes: Any) -> dict[str, Any]:
    return {"id": "k1", "hash": RECORD.hash, "subject": "ann"} | changes


@pytest.mark.parametrize(
    ("records", "want"),
    [
        ([], "new_api_key"),
        ([changed(), changed()], "twice"),
        ([changed(id="")], "letters"),
        ([changed(id="a_b")], "letters"),
        ([changed(hash=KEY)], "never the key itself"),
        ([changed(hash=RECORD.hash[:32])], "SHA-256"),
        ([changed(subject="")], "subject"),
        ([changed(scopes=("read write",))], "RFC 6749"),
    ],
)
def test_mistakes(records: list[Mapping[str, Any]], want: str) -> None:
    with pytest.raises(ValueError, match=want):
        APIKeys([APIKeyRecord(**r) for r in records])


def test_what_is_no_key_is_not_recorded() -> None:
    assert record_api_key(KEY, "ann", tenant="acme", scopes=["read"], pepper=PEPPER) == RECORD
    for wrong in ("secret", KEY + "a", KEY[1:]):
        with pytest.raises(ValueError, match="no API key") as e:
            record_api_key(wrong, "ann")
        assert wrong not in str(e.value)
    with pytest.raises(ValueError, match="environment"):
        new_api_key("my env", "ann")
    with pytest.raises(ValueError, match="subject"):
        new_api_key("test", "")


async def test_replace_revokes() -> None:
    stays, goes, shrinks = (new_api_key("test", "x", key_id=i, scopes=["a", "b"])[1] for i in ("stays", "goes", "less"))
    keys = APIKeys([stays, goes, shrinks])
    ended: list[str] = []
    for entry in keys._entries.values():
        entry.revocation.watch(lambda key_id=entry.record.id: ended.append(key_id))  # type: ignore[misc]
    with pytest.raises(ValueError, match="twice"):
        keys.replace([stays, stays])
    assert ended == []
    less = APIKeyRecord(shrinks.id, shrinks.hash, shrinks.subject, scopes=("a",))
    keys.replace([stays, less])
    assert sorted(ended) == ["goes", "less"]
    keys.replace([less])  # what has stayed can still be revoked
    assert sorted(ended) == ["goes", "less", "stays"]


def write(path: Path, *records: APIKeyRecord, **extra: Any) -> None:
    items = [{"id": r.id, "hash": r.hash, "subject": r.subject, "scopes": list(r.scopes), **extra} for r in records]
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"keys": items}))
    new.replace(path)


async def test_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "keys.json"
    write(path, RECORD)
    keys = APIKeyFile(path, pepper=PEPPER, interval=0.01)

    async def accepted(key: str) -> bool:
        try:
            return await keys.authenticate(shown(key)) is not None
        except InvalidCredentialError:
            return False

    async def becomes(key: str, want: bool) -> None:
        results: list[bool] = []
        for _ in range(3000):
            results.append(await accepted(key))
            if results[-1] == want:
                return
            await until_next()
        raise AssertionError(results[-1])

    await keys.start()
    try:
        assert (await accepted(KEY), await accepted(OLD)) == (True, False)
        write(path, RECORD, OLD_RECORD)
        await becomes(OLD, True)
        assert await accepted(KEY)
        path.write_text('{"keys":[')
        await until(lambda: "stay as they are" in caplog.text)
        assert await accepted(KEY)
        write(path, OLD_RECORD)
        await becomes(KEY, False)
        assert await accepted(OLD)
    finally:
        await keys.close()
    assert caplog.text.count("stay as they are") == 1, "a broken file is logged once"
    assert KEY not in caplog.text


async def until_next() -> None:
    import asyncio

    await asyncio.sleep(0.01)


async def test_file_expiry(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    write(path, RECORD, expires="2026-01-02T03:04:05.123456789Z")
    found = await APIKeyFile(path, pepper=PEPPER).authenticate(shown(KEY))
    assert found is not None
    assert found.expires == pytest.approx(1767323045.123456)


@pytest.mark.parametrize(
    ("text", "mode", "want"),
    [
        ("", 0o600, "no JSON"),
        ("[]", 0o600, "keys"),
        ('{"keys":[],"x":1}', 0o600, "nothing else"),
        ('{"keys":[]}', 0o600, "new_api_key"),
        ('{"keys":[1]}', 0o600, "object"),
        ('{"keys":[{"id":"a","secret":"b"}]}', 0o600, "secret"),
        ('{"keys":[{"id":1}]}', 0o600, "wrong type"),
        ('{"keys":[{"id":"a","scopes":"read"}]}', 0o600, "wrong type"),
        ('{"keys":[{"id":"a","expires":"soon"}]}', 0o600, "RFC 3339"),
        ('{"keys":[{"id":"a","expires":"2026-01-02T03:04:05"}]}', 0o600, "time zone"),
        ('{"keys":[]}', 0o666, "chmod"),
    ],
)
def test_file_mistakes(tmp_path: Path, text: str, mode: int, want: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(ValueError, match=want):
        APIKeyFile(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        APIKeyFile(tmp_path / "none")


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.text(), st.from_regex(re.compile(r"mcp_[a-z]*_[a-z0-9]*_[A-Za-z0-9_-]*"), fullmatch=True).map(summed))
)
async def test_any_key_is_read_or_refused(key: str) -> None:
    with pytest.raises(InvalidCredentialError):
        await APIKeys([RECORD], pepper=PEPPER).authenticate(shown(key))
