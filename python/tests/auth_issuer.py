# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""An authorization server for tests, on loopback: it serves its keys as it is told, and signs what tests want."""

from __future__ import annotations

import asyncio
import base64
import json
import time
import urllib.parse
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

RESOURCE = "https://mcp.example.com/base"


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@dataclass(frozen=True)
class Key:
    """A signing key. It signs by its own algorithm, whatever the header of a token says."""

    kid: str
    algorithm: str
    private: Any

    @classmethod
    def new(cls, kid: str, algorithm: str = "EdDSA") -> Key:
        match algorithm:
            case "EdDSA":
                return cls(kid, algorithm, ed25519.Ed25519PrivateKey.generate())
            case "ES256":
                return cls(kid, algorithm, ec.generate_private_key(ec.SECP256R1()))
            case _:
                return cls(kid, algorithm, rsa.generate_private_key(65537, 2048))

    def sign(self, data: bytes) -> bytes:
        match self.algorithm:
            case "EdDSA":
                raw: bytes = self.private.sign(data)
                return raw
            case "ES256":
                r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
                return r.to_bytes(32, "big") + s.to_bytes(32, "big")
            case "PS256":
                pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
                return bytes(self.private.sign(data, pss, hashes.SHA256()))
            case _:
                return bytes(self.private.sign(data, padding.PKCS1v15(), hashes.SHA256()))

    def jwk(self) -> dict[str, Any]:
        public, common = self.private.public_key(), {"kid": self.kid, "use": "sig"}
        if isinstance(public, ed25519.Ed25519PublicKey):
            return {**common, "kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes_raw())}
        numbers = public.public_numbers()
        if isinstance(public, ec.EllipticCurvePublicKey):
            x, y = (b64(n.to_bytes(32, "big")) for n in (numbers.x, numbers.y))
            return {**common, "kty": "EC", "crv": "P-256", "x": x, "y": y}
        return {**common, "kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}


class In(int):
    """A time for a claim: so many seconds from when the token is made."""


GONE = object()
"""In place of a claim or header: it is not there."""


@dataclass
class Issuer:
    """Its keys, the first of which signs, and what it did."""

    keys: list[Key]
    resource: str = RESOURCE
    url: str = "https://as.example"
    now: Callable[[], float] = time.time
    requests: Counter[str] = field(default_factory=Counter)
    answer: Callable[[str], Awaitable[tuple[int, str, bytes]]] | None = None
    """Answers in its place, while it is set."""
    token_answer: Callable[[Mapping[str, str], str], tuple[int, dict[str, Any]]] | None = None
    location: str = "http://169.254.169.254/keys"
    """Where its redirects lead."""
    _server: asyncio.Server | None = None

    def header(self, **changes: Any) -> dict[str, Any]:
        header = {"alg": self.keys[0].algorithm, "kid": self.keys[0].kid, "typ": "at+jwt", **changes}
        return {k: v for k, v in header.items() if v is not GONE}

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(self.now())
        claims = {
            "iss": self.url,
            "sub": "ann",
            "aud": self.resource,
            "exp": now + 600,
            "iat": now,
            "jti": "token-1",
            "client_id": "app",
            "scope": "read write",
            **changes,
        }
        return {k: now + v if isinstance(v, In) else v for k, v in claims.items() if v is not GONE}

    def token(self, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A token; members of its header and claims are changed as told."""
        return self.raw(json.dumps(self.header(**(header or {}))), json.dumps(self.claims(**claims)))

    def raw(self, header: str, claims: str, key: Key | None = None) -> str:
        signed = f"{b64(header.encode())}.{b64(claims.encode())}"
        return f"{signed}.{b64((key or self.keys[0]).sign(signed.encode()))}"

    def jwks(self) -> dict[str, Any]:
        return {"keys": [key.jwk() for key in self.keys]}

    @property
    def fetches(self) -> int:
        return self.requests["/keys"]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, target, _ = head.split("\r\n", 1)[0].split(" ")
            headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
            authorization = next((x.split(": ", 1)[1] for x in head.split("\r\n") if x.lower().startswith("auth")), "")
            status, kind, text = await self._reply(method, target, body, authorization)
            location = f"Location: {self.location}\r\n" if status == 302 else ""
            writer.write(
                f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{location}"
                f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode()
            )
            writer.write(text)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _reply(self, method: str, target: str, body: str, authorization: str) -> tuple[int, str, bytes]:
        self.requests[target] += 1
        if self.answer is not None:
            return await self.answer(target)
        if target == "/keys":
            return 200, "application/jwk-set+json", json.dumps(self.jwks()).encode()
        if target == "/.well-known/oauth-authorization-server":
            document = {"issuer": self.url, "jwks_uri": self.url + "/keys", "token_endpoint": self.url + "/token"}
            return 200, "application/json", json.dumps(document).encode()
        if target == "/token" and method == "POST" and self.token_answer is not None:
            status, reply = self.token_answer(dict(urllib.parse.parse_qsl(body)), authorization)
            return status, "application/json", json.dumps(reply).encode()
        return 404, "text/plain", b"not found"
