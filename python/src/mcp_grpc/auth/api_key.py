# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""API keys in the header ``x-mcp-api-key``."""

from __future__ import annotations

import asyncio
import base64
import datetime
import hashlib
import hmac
import json
import logging
import re
import secrets
import stat
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp_grpc.auth.authenticator import API_KEY_HEADER
from mcp_grpc.auth.call import Call
from mcp_grpc.auth.error import InvalidCredentialError
from mcp_grpc.auth.principal import API_KEY, Principal, Revocation
from mcp_grpc.auth.scope import check_scopes

_SECRET_BYTES = 32
_SECRET_CHARS = 43  # of base64url without padding
_MAX_KEY_CHARS = 256
_NO_HASH = bytes(32)  # is compared where there is no key, so that this takes no less time
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class APIKeyRecord:
    """What a server keeps of an API key: enough to recognise it, and not enough to use it.

    Attributes:
        id: Part of the key that names it, in logs for example: 1 to 64 letters, digits and dashes.
        hash: HMAC-SHA-256 of the whole key under the server's pepper, in hex.
        subject: Whose key it is. A subject may have several: to rotate one, hand out the next and remove
            the old one later.
        tenant: Organisation of the subject; empty for none.
        scopes: What the key may be used for.
        expires: When it ends, in seconds of Unix time; None for never.

    Raises:
        ValueError: id, hash, subject or scopes are none.
    """

    id: str
    hash: str = field(repr=False)
    subject: str
    tenant: str = ""
    scopes: tuple[str, ...] = ()
    expires: float | None = None

    def __post_init__(self) -> None:
        if _ID.fullmatch(self.id) is None:
            raise ValueError(f"API key {self.id!r}: an id has 1 to 64 letters, digits and dashes")
        if re.fullmatch(r"[0-9A-Fa-f]{64}", self.hash) is None:
            hint = "keep what new_api_key gives, never the key itself"
            raise ValueError(f"API key {self.id!r}: the hash is not a SHA-256 in hex: {hint}")
        if not self.subject:
            raise ValueError(f"API key {self.id!r}: subject is empty: say whose it is")
        object.__setattr__(self, "scopes", check_scopes(self.scopes, f"API key {self.id!r}"))


@dataclass(slots=True)
class _Entry:
    record: APIKeyRecord
    hash: bytes
    principal: Principal
    revocation: Revocation

    @classmethod
    def of(cls, record: APIKeyRecord) -> _Entry:
        revocation = Revocation()
        principal = Principal(
            record.subject,
            API_KEY,
            tenant=record.tenant,
            scopes=record.scopes,
            credential_id=record.id,
            expires=record.expires,
            revocation=revocation,
        )
        return cls(record, bytes.fromhex(record.hash), principal, revocation)


class APIKeys:
    """The authenticator for API keys in the header ``x-mcp-api-key``.

    Args:
        records: What is known of the keys.
        pepper: Secret of the server, kept apart from the hashes. It may be empty, since the secrets that
            :func:`new_api_key` draws cannot be guessed.

    Raises:
        ValueError: there is no key, or an id is there twice.
    """

    scheme = "ApiKey"

    def __init__(self, records: Iterable[APIKeyRecord], *, pepper: bytes = b"") -> None:
        self._pepper = pepper
        self._entries: dict[str, _Entry] = {}
        self.replace(records)

    def replace(self, records: Iterable[APIKeyRecord]) -> None:
        """Puts keys in the place of those known until now.

        Streams of keys that are gone, or have become another's, end with UNAUTHENTICATED.

        Raises:
            ValueError: as the constructor; then nothing changes.
        """
        entries: dict[str, _Entry] = {}
        for record in records:
            if record.id in entries:
                raise ValueError(f"API key {record.id!r} is there twice: give each key an id of its own")
            known = self._entries.get(record.id)
            entries[record.id] = known if known is not None and known.record == record else _Entry.of(record)
        if not entries:
            raise ValueError("API keys: there is none: add one, made by new_api_key")
        previous, self._entries = self._entries, entries
        for key_id, entry in previous.items():
            if entries.get(key_id) is not entry:
                entry.revocation.revoke()

    async def authenticate(self, call: Call) -> Principal | None:
        """See :class:`Authenticator`."""
        values = call.values(API_KEY_HEADER)
        if not values:
            return None
        key = values[0]
        if not isinstance(key, str):
            raise InvalidCredentialError("the API key is not text")
        key_id = _key_id(key)
        entry = self._entries.get(key_id)
        same = hmac.compare_digest(_NO_HASH if entry is None else entry.hash, _key_hash(self._pepper, key))
        if entry is None or not same:
            raise InvalidCredentialError(f"API key {key_id!r} is unknown or wrong")
        return entry.principal


def new_api_key(
    environment: str,
    subject: str,
    *,
    key_id: str = "",
    tenant: str = "",
    scopes: Iterable[str] = (),
    expires: float | None = None,
    pepper: bytes = b"",
) -> tuple[str, APIKeyRecord]:
    """Draws a key.

    Args:
        environment: Word such as "live" or "test" that people and scanners recognise the key by.
        subject: Whose key it is.
        key_id: Its id; if empty one is drawn.
        tenant: Organisation of the subject.
        scopes: What it may be used for.
        expires: When it ends, in seconds of Unix time.
        pepper: That of :class:`APIKeys`.

    Returns:
        The key, which is shown to its owner once and kept nowhere, and the record of it.

    Raises:
        ValueError: the environment or the record is none.
    """
    if _ID.fullmatch(environment) is None:
        raise ValueError(f"environment {environment!r}: use 1 to 64 letters, digits and dashes")
    key_id = key_id or base64.b32encode(secrets.token_bytes(8)).decode().rstrip("=").lower()[:12]
    secret = base64.urlsafe_b64encode(secrets.token_bytes(_SECRET_BYTES)).decode().rstrip("=")
    key = f"mcp_{environment}_{key_id}_{secret}"
    key += "_" + _checksum(key)
    digest = _key_hash(pepper, key).hex()
    return key, APIKeyRecord(key_id, digest, subject, tenant, tuple(scopes), expires)


def record_api_key(
    key: str,
    subject: str,
    *,
    tenant: str = "",
    scopes: Iterable[str] = (),
    expires: float | None = None,
    pepper: bytes = b"",
) -> APIKeyRecord:
    """The record of a key that was drawn elsewhere.

    Raises:
        ValueError: it is no API key; the error does not have the key.
    """
    try:
        key_id = _key_id(key)
    except InvalidCredentialError as e:
        raise ValueError(str(e)) from None
    return APIKeyRecord(key_id, _key_hash(pepper, key).hex(), subject, tenant, tuple(scopes), expires)


def _key_id(key: str) -> str:
    """Reads a key as far as it may be logged. A checksum that is wrong ends it there."""
    if len(key) > _MAX_KEY_CHARS:
        raise InvalidCredentialError(f"the API key has more than {_MAX_KEY_CHARS} bytes")
    body, _, checksum = key.rpartition("_")
    if not key.startswith("mcp_") or not key.isascii() or _checksum(body) != checksum:
        raise InvalidCredentialError("this is no API key, or not all of it")
    parts = key.removeprefix("mcp_").split("_", 2)
    if len(parts) != 3 or any(_ID.fullmatch(p) is None for p in parts[:2]) or len(parts[2]) < _SECRET_CHARS:
        raise InvalidCredentialError("this is no API key")
    return parts[1]


def _checksum(text: str) -> str:
    """Is there for typing errors, and for scanners that look for leaked keys."""
    return f"{zlib.crc32(text.encode()):08x}"


def _key_hash(pepper: bytes, key: str) -> bytes:
    """Is not made slow on purpose, as for passwords: the secret has 256 bits."""
    return hmac.new(pepper, key.encode(), hashlib.sha256).digest()


MAX_KEY_FILE_BYTES = 32 << 20
"""Bounds a file of keys: some 100,000 of them."""

KEY_FILE_INTERVAL = 10.0
"""Seconds between two looks at the file."""


class APIKeyFile(APIKeys):
    """API keys of a file, which is read again when it changes: keys that are taken out are refused within 10 s.

    The file is a JSON object whose member ``keys`` is an array of objects with ``id``, ``hash``, ``subject``,
    ``tenant``, ``scopes`` and ``expires`` (RFC 3339). A changed file that cannot be used is logged, and
    changes nothing.

    Args:
        path: The file. Nobody but its owner and group may be able to write it.
        pepper: See :class:`APIKeys`.
        interval: Seconds between two looks at it, while it runs between :meth:`start` and :meth:`close`.
        logger: Is told of files that cannot be used; by default that of this package.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not of that form, or everybody can write it.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        pepper: bytes = b"",
        interval: float = KEY_FILE_INTERVAL,
        logger: logging.Logger | None = None,
    ) -> None:
        self._path = Path(path)
        self._interval = interval
        self._log = logger or logging.getLogger("mcp_grpc.auth")
        self._task: asyncio.Task[None] | None = None
        stamp, records = _read_key_file(self._path)
        self._stamp = stamp
        super().__init__(records, pepper=pepper)

    def reload(self) -> None:
        """Reads the file again.

        Raises:
            OSError, ValueError: as the constructor; then the keys stay as they are.
        """
        stamp, records = _read_key_file(self._path)
        self.replace(records)
        self._stamp = stamp

    async def start(self) -> None:
        """Begins to look at the file."""
        if self._task is None:
            self._task = asyncio.create_task(self._watch(), name="api-key-file")

    async def close(self) -> None:
        """Ends that."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _watch(self) -> None:
        failed: tuple[int, int, int] | None = None  # it is logged once
        while True:
            await asyncio.sleep(self._interval)
            stamp = None
            try:
                stamp = _stamp(self._path)
                if stamp not in (self._stamp, failed):
                    self.reload()
            except (OSError, ValueError) as e:
                failed = stamp
                self._log.error("API keys stay as they are: %s", e)


def _stamp(path: Path) -> tuple[int, int, int]:
    """Changes when a file does."""
    info = path.stat()
    return info.st_mtime_ns, info.st_size, info.st_ino


def _read_key_file(path: Path) -> tuple[tuple[int, int, int], list[APIKeyRecord]]:
    stamp = _stamp(path)
    if path.stat().st_mode & stat.S_IWOTH:
        raise ValueError(f"API keys: everybody can write {path}: take that right away (chmod o-w)")
    with path.open("rb") as f:
        text = f.read(MAX_KEY_FILE_BYTES + 1)
    if len(text) > MAX_KEY_FILE_BYTES:
        raise ValueError(f"API keys: {path} has more than {MAX_KEY_FILE_BYTES} bytes")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"API keys: {path} is no JSON") from None
    if not isinstance(document, dict) or document.keys() != {"keys"} or not isinstance(document["keys"], list):
        raise ValueError(f'API keys: {path} is not an object with "keys", an array, and nothing else')
    return stamp, [_record(path, item) for item in document["keys"]]


def _record(path: Path, item: Any) -> APIKeyRecord:
    if not isinstance(item, Mapping):
        raise ValueError(f"API keys: {path}: a key is not an object")
    unknown = item.keys() - {"id", "hash", "subject", "tenant", "scopes", "expires"}
    if unknown:
        raise ValueError(f"API keys: {path}: members {sorted(unknown)} are not known")
    texts = {name: item.get(name, "") for name in ("id", "hash", "subject", "tenant")}
    scopes, expires = item.get("scopes") or [], item.get("expires")
    strings = isinstance(scopes, list) and all(isinstance(s, str) for s in [*scopes, *texts.values()])
    if not strings or not isinstance(expires, str | None):
        raise ValueError(f"API keys: {path}: a key has a member of the wrong type")
    return APIKeyRecord(**texts, scopes=tuple(scopes), expires=None if expires is None else _instant(path, expires))


def _instant(path: Path, text: str) -> float:
    try:
        when = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"API keys: {path}: expires {text!r} is no time of RFC 3339") from None
    if when.tzinfo is None:
        raise ValueError(f"API keys: {path}: expires {text!r} has no time zone: write Z for UTC")
    return when.timestamp()
