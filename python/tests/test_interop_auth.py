# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Credentials between the two implementations: each client gets in at each server; both refuse the same alike."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import hmac
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
import mcp
import pytest
from auth_certs import CA
from auth_issuer import GONE, RESOURCE, Issuer, Key, b64
from auth_server import Outcome, call, rpc, stream_outcome
from example_process import PATIENCE, started
from interop_forms import LEGACY, MODERN

from mcp_grpc._gen.mcp.v1 import auth_pb2
from mcp_grpc.auth import APIKey, BearerToken, ClientAuth, ClientCredentials, ClientTLS, channel, new_api_key
from mcp_grpc.client import CallError, Client, Transport

ROOT = Path(__file__).resolve().parent.parent.parent
AGENT = "spiffe://example.org/client"
TOKEN = "dev-token"
KEY, _ = new_api_key("dev", "key holder", key_id="interop")
SCOPES = "mcp read"

pytestmark = pytest.mark.skipif(shutil.which("go") is None, reason="it needs Go")


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Gives a program of examples/, built."""
    folder = tmp_path_factory.mktemp("go")
    for name in ("server", "client"):
        command = ["go", "build", "-o", str(folder / name), f"./examples/{name}"]
        subprocess.run(command, cwd=ROOT, check=True, timeout=600)
    return lambda name: str(folder / name)


@pytest.fixture(scope="session")
def certs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of certificates: ours, and those of clients that must not get in."""
    ours, other = CA("ours"), CA("other")
    own = ours.server()
    clients = {
        "ours": ours.issue(uris=[AGENT]),
        "stranger": ours.issue(uris=["spiffe://example.org/stranger"]),
        "two names": ours.issue(uris=[AGENT, "spiffe://example.org/other"]),
        "another domain": ours.issue(uris=["spiffe://other.example/client"]),
        "for servers": ours.issue(uris=[AGENT], purposes=()),
        "of another CA": other.issue(uris=[AGENT]),
    }
    folders: dict[str, Path] = {}
    for name, client in clients.items():
        folder = folders[name] = tmp_path_factory.mktemp("certs")
        files = {
            "ca": ours.pem,
            "server": own.pem,
            "server-key": own.key,
            "client": client.pem,
            "client-key": client.key,
        }
        for file, pem in files.items():
            (folder / f"{file}.pem").write_bytes(pem)
    return folders


def arguments(auth: str, certs: dict[str, Path], issuer: Issuer | None) -> list[str]:
    """Options of a server of either implementation."""
    match auth:
        case "bearer":
            return ["-bearer-token", TOKEN]
        case "apikey":
            return ["-api-key", KEY]
        case "mtls":
            return ["-certs", str(certs["ours"])]
        case "oidc":
            assert issuer is not None
            return ["-issuer", issuer.url, "-algorithm", "EdDSA", "-resource", RESOURCE, "-scopes", SCOPES]
    return []


Start = Callable[[str, str], contextlib.AbstractAsyncContextManager[str]]


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with Issuer([Key.new("k1")]) as made:
        yield made


@pytest.fixture(scope="session")
def launch(
    go: Callable[[str], str], certs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str, Issuer | None], contextlib.AbstractContextManager[str]]:
    """Starts a server, of "go" or "python", for one kind of credentials, and gives its URL."""
    sockets = tmp_path_factory.mktemp("sockets")

    @contextlib.contextmanager
    def launching(which: str, auth: str, issuer: Issuer | None) -> Iterator[str]:
        options = ["-auth", auth, *arguments(auth, certs, issuer)]
        options += ["-addr", f"unix:{sockets}/{which}" if auth == "unix" else "127.0.0.1:0"]
        program = [go("server")]
        if which == "python":
            program = [sys.executable, str(ROOT / "python/examples/server.py")]
            options = [f"-{o}" if o.startswith("-") else o for o in options]
        with started([*program, *options]) as process:
            yield dict(process.lines_until("serving"))["serving"]

    return launching


@pytest.fixture(scope="session")
def running(launch: Any) -> Iterator[Callable[[str, str], str]]:
    """Servers that run to the end of the session, for they know no issuer of one test."""
    with contextlib.ExitStack() as stack:
        yield functools.cache(lambda which, auth: stack.enter_context(launch(which, auth, None)))


@pytest.fixture
def start(launch: Any, running: Callable[[str, str], str], issuer: Issuer) -> Start:
    """Gives the URL of a server of "go" or "python"."""

    @contextlib.asynccontextmanager
    async def starting(which: str, auth: str) -> AsyncIterator[str]:
        if auth != "oidc":
            yield await asyncio.to_thread(running, which, auth)
            return
        with contextlib.ExitStack() as stack:
            yield await asyncio.to_thread(stack.enter_context, launch(which, auth, issuer))

    return starting


WHO = {
    "none": "nobody knows",
    "bearer": "developer, by static-token",
    "apikey": "key holder, by api-key",
    "mtls": "client, by certificate",
    "unix": "by unix-peer",
    "oidc": "ann, by jwt",
}


def shown(auth: str, issuer: Issuer) -> ClientAuth | None:
    match auth:
        case "bearer":
            return BearerToken(TOKEN)
        case "apikey":
            return APIKey(KEY)
        case "oidc":
            return BearerToken(issuer.token(scope=SCOPES))
    return None


def tls(auth: str, folder: Path) -> ClientTLS | None:
    if auth != "mtls":
        return None
    return ClientTLS(folder / "ca.pem", folder / "client.pem", folder / "client-key.pem")


@pytest.mark.parametrize("auth", WHO)
@pytest.mark.parametrize("which", ["go", "python"])
@pytest.mark.parametrize("version", [MODERN, LEGACY])
async def test_the_python_client_gets_in(
    start: Start, certs: dict[str, Path], issuer: Issuer, which: str, auth: str, version: str
) -> None:
    credentials, secured = shown(auth, issuer), tls(auth, certs["ours"])
    async with start(which, auth) as url:
        for multiplexed in (True, False):
            options: dict[str, Any] = {
                "tls": secured,
                "multiplexed": multiplexed,
                "timeout": PATIENCE,
                "version": version,
            }
            async with Client(url, auth=credentials, **options) as client:
                assert WHO[auth] in str((await client.call_tool("whoami")).content)
            if credentials is not None:
                async with Client(url, **options) as client:
                    with pytest.raises(CallError) as e:
                        await client.call_tool("whoami")
                assert (e.value.status, e.value.message) == (
                    grpc.StatusCode.UNAUTHENTICATED,
                    "credentials are missing",
                )
        mode = "legacy" if version == LEGACY else version
        async with mcp.Client(Transport(url, auth=credentials, tls=secured), mode=mode) as client_of_the_sdk:
            assert WHO[auth] in str((await client_of_the_sdk.call_tool("whoami")).content)


@pytest.mark.parametrize("multiplexed", [True, False])
@pytest.mark.parametrize("which", ["go", "python"])
async def test_a_client_that_gets_its_tokens(start: Start, issuer: Issuer, which: str, multiplexed: bool) -> None:
    """It learns from the challenge which scopes it needs."""
    asked: list[str] = []

    def answer(form: Mapping[str, str], _: str) -> tuple[int, dict[str, Any]]:
        asked.append(form.get("scope", ""))
        token = issuer.token(aud=form["resource"], scope=form.get("scope", ""), sub="program")
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 600}

    issuer.token_answer = answer
    auth = ClientCredentials(issuer.url, "app", "secret", resource=RESOURCE)
    async with start(which, "oidc") as url, Client(url, auth=auth, multiplexed=multiplexed, timeout=PATIENCE) as client:
        assert "program, by jwt" in str((await client.call_tool("whoami")).content)
    assert asked == ["", SCOPES]


@pytest.mark.parametrize("auth", WHO)
async def test_the_go_client_gets_in(
    start: Start, go: Callable[[str], str], certs: dict[str, Path], issuer: Issuer, auth: str
) -> None:
    options = {
        "bearer": ["-bearer-token", TOKEN],
        "apikey": ["-api-key", KEY],
        "mtls": ["-certs", str(certs["ours"])],
        "oidc": ["-bearer-token", issuer.token(scope=SCOPES)],
    }.get(auth, [])
    kind = "bearer" if auth == "oidc" else auth
    async with start("python", auth) as url:
        got = await run([go("client"), "-auth", kind, *options, url])
        assert (got.returncode, got.stderr) == (0, "")
        assert WHO[auth] in got.stdout
        for wrong, says in refused_by_go(auth, certs):
            got = await run([go("client"), *wrong, url])
            assert got.returncode == 1, wrong
            assert says in got.stderr, wrong
            assert got.stdout == ""


def refused_by_go(auth: str, certs: dict[str, Path]) -> list[tuple[list[str], str]]:
    """What Go's client shows in vain, and what it says then."""
    missing, wrong = "unauthenticated: credentials are missing", "unauthenticated: credentials are not valid"
    match auth:
        case "bearer" | "oidc":
            return [
                ([], missing),
                (["-auth", "bearer", "-bearer-token", "wrong"], wrong),
                (["-auth", "apikey", "-api-key", KEY], missing),
            ]
        case "apikey":
            return [([], missing), (["-auth", "apikey", "-api-key", KEY + "a"], wrong), (["-auth", "bearer"], missing)]
        case "mtls":
            return [(["-auth", "mtls", "-certs", str(certs["stranger"])], wrong)]
    return []


async def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        lambda: subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    )


def bearer(token: str) -> list[tuple[str, Any]]:
    return [("authorization", f"Bearer {token}")]


def key(text: str) -> list[tuple[str, Any]]:
    return [("x-mcp-api-key", text)]


ANY: list[tuple[str, list[tuple[str, Any]]]] = [
    ("nothing", []),
    ("another scheme", [("authorization", "Basic YTpi")]),
    ("a scheme that begins alike", [("authorization", "BearerX abc")]),
    ("the scheme alone", [("authorization", "Bearer")]),
    ("a wrong token", bearer("wrong")),
    ("two spaces", bearer(" " + TOKEN)),
    ("a list", bearer(f"{TOKEN}, Bearer {TOKEN}")),
    ("a token that is too long", bearer("a" * 8193)),
    ("two tokens", bearer(TOKEN) * 2),
    ("another scheme, then a token", [("authorization", "Basic YTpi"), *bearer(TOKEN)]),
    ("a token in a binary header", [("authorization-bin", b"Bearer dev-token")]),
    ("a token and a key", [*bearer(TOKEN), *key(KEY)]),
    ("two keys", key(KEY) * 2),
    ("a key in a binary header", [("x-mcp-api-key-bin", KEY.encode())]),
    ("a truncated key", key(KEY[:-1])),
    ("a longer key", key(KEY + "a")),
    ("what is no key", key("SECRET")),
    ("a key of another server", key(new_api_key("dev", "x")[0])),
    ("a key as a token", bearer(KEY)),
    ("an identity of a proxy", [("x-forwarded-user", "ann"), ("x-forwarded-client-cert", f"URI={AGENT}")]),
]


def tokens(issuer: Issuer) -> list[tuple[str, list[tuple[str, Any]]]]:
    """Tokens that must not get in, and those that lack a scope."""
    good, now = issuer.token(scope=SCOPES), int(time.time())
    head, body, signature = good.split(".")
    stranger = Issuer([Key.new("k1")], url=issuer.url)
    signed = b64(b'{"alg":"HS256","kid":"k1","typ":"at+jwt"}') + "." + body
    public = issuer.keys[0].private.public_key().public_bytes_raw()
    rows: list[tuple[str, str]] = [
        ("alg none", issuer.token({"alg": "none"})),
        ("no signature", f"{head}.{body}."),
        ("a changed signature", f"{head}.{body}.{signature[:-2]}AA"),
        ("signed with the public key", f"{signed}.{b64(hmac.new(public, signed.encode(), hashlib.sha256).digest())}"),
        ("another algorithm", issuer.token({"alg": "ES256"})),
        ("another family", issuer.token({"alg": "RS256"})),
        ("an ID token", issuer.token({"typ": "JWT"}, nonce="x")),
        ("no type", issuer.token({"typ": GONE})),
        ("a DPoP proof", issuer.token({"typ": "dpop+jwt"})),
        ("a key in the header", issuer.token({"jwk": issuer.keys[0].jwk()})),
        ("where a key is", issuer.token({"jku": issuer.url + "/evil"})),
        ("a critical extension", issuer.token({"crit": ["x"], "x": 1})),
        ("an empty key id", issuer.token({"kid": ""})),
        ("a long key id", issuer.token({"kid": "k" * 129})),
        ("another audience", issuer.token(aud="https://other.example")),
        ("a prefix of the audience", issuer.token(aud="https://mcp.example.com")),
        ("no audience", issuer.token(aud=GONE)),
        ("another issuer", issuer.token(iss="https://evil.example")),
        ("no issuer", issuer.token(iss=GONE)),
        ("expired", issuer.token(exp=now - 61)),
        ("no end", issuer.token(exp=GONE)),
        ("an end in milliseconds", issuer.token(exp=now * 1000)),
        ("a life that is too long", issuer.token(exp=now + 25 * 3600)),
        ("not yet valid", issuer.token(nbf=now + 600)),
        ("from the future", issuer.token(iat=now + 600)),
        ("no subject", issuer.token(sub=GONE)),
        ("a claim that looks like aud", issuer.token(Aud="x")),
        ("scopes with a tab", issuer.token(scope="mcp\tread")),
        ("bound by DPoP", issuer.token(cnf={"jkt": "x"})),
        ("bound to a certificate", issuer.token(cnf={"x5t#S256": "x"})),
        ("encrypted", good + ".a.b"),
        ("one scope of two", issuer.token(scope="mcp")),
        ("no scope", issuer.token(scope=GONE)),
        ("scopes that begin alike", issuer.token(scope="mcps reads")),
        # Last, for these make the servers fetch keys, which they do but seldom.
        ("the key of somebody else", stranger.token()),
    ]
    return [(name, bearer(token)) for name, token in rows]


RPCS = [("Unary", "InvokeTool"), ("Unary", "ListTools"), ("UnaryStream", "CallTool"), ("StreamStream", "Connect")]


async def attempt(c: grpc.aio.Channel, shape: str, name: str, metadata: Sequence[tuple[str, Any]]) -> Outcome:
    path = f"/mcp.v1.MCP/{name}"
    if shape == "Unary":
        return await call(c, metadata, path)
    request = (b"",) if shape == "UnaryStream" else ()
    return await stream_outcome(lambda: rpc(c, shape, path)(*request, metadata=tuple(metadata), timeout=PATIENCE))


def essence(got: Outcome) -> tuple[Any, ...]:
    """What both implementations have to agree on."""
    info = got.info and (got.info.reason, got.info.domain, dict(got.info.metadata))
    kept = sorted((k, v) for k, v in got.headers if k in ("cache-control", "retry-after"))
    return got.code, got.message, got.challenges, got.trailed, info, kept


@contextlib.asynccontextmanager
async def both(start: Start, auth: str) -> AsyncIterator[tuple[grpc.aio.Channel, grpc.aio.Channel]]:
    """Channels to a server of Go, and to one of Python."""
    async with (
        start("go", auth) as go_url,
        start("python", auth) as python_url,
        channel(go_url) as go_channel,
        channel(python_url) as python_channel,
    ):
        yield go_channel, python_channel


@pytest.mark.parametrize("auth", ["bearer", "apikey", "oidc"])
async def test_refused_alike(start: Start, issuer: Issuer, auth: str) -> None:
    rows = ANY + (tokens(issuer) if auth == "oidc" else [])
    async with both(start, auth) as (go_channel, python_channel):
        for name, metadata in rows:
            for shape, method in RPCS:
                want = essence(await attempt(go_channel, shape, method, metadata))
                got = essence(await attempt(python_channel, shape, method, metadata))
                assert got == want, (name, method)
                assert want[0] is not grpc.StatusCode.OK, (name, method)
        assert await metadata_of(python_channel) == await metadata_of(go_channel)


async def test_pages_are_refused_alike(start: Start) -> None:
    """With a good token, for discovery, too: by status alone, for Go's server says it in HTTP."""
    rows = [["https://evil.example"], ["null"], ["https://app.example.com"] * 2]
    async with both(start, "bearer") as channels:
        for c in channels:
            for origins in rows:
                metadata = [*bearer(TOKEN), *(("origin", o) for o in origins)]
                for path in ("/mcp.v1.MCP/ListTools", "/mcp.v1.AuthDiscovery/GetMetadata"):
                    assert (await call(c, metadata, path)).code is grpc.StatusCode.PERMISSION_DENIED, (origins, path)


async def metadata_of(c: grpc.aio.Channel) -> Any:
    """What AuthDiscovery gives, or how it fails."""
    get: Any = c.unary_unary(
        "/mcp.v1.AuthDiscovery/GetMetadata",
        auth_pb2.GetMetadataRequest.SerializeToString,
        auth_pb2.ProtectedResourceMetadata.FromString,
    )
    try:
        return await get(auth_pb2.GetMetadataRequest(), timeout=PATIENCE)
    except grpc.aio.AioRpcError as e:
        return e.code()


async def test_an_outage_is_unavailable_on_both(start: Start, issuer: Issuer) -> None:
    async def down(_: str) -> tuple[int, str, bytes]:
        return 500, "application/json", b"{}"

    issuer.answer = down
    token = bearer(issuer.token(scope=SCOPES))
    async with both(start, "oidc") as (go_channel, python_channel):
        want = essence(await attempt(go_channel, "Unary", "InvokeTool", token))
        got = essence(await attempt(python_channel, "Unary", "InvokeTool", token))
    assert got == want
    assert want[0] is grpc.StatusCode.UNAVAILABLE
    assert want[5] == [("cache-control", "no-store"), ("retry-after", "5")]


@pytest.mark.parametrize("client", ["stranger", "two names", "another domain", "for servers", "of another CA", None])
async def test_certificates_are_refused_alike(start: Start, certs: dict[str, Path], client: str | None) -> None:
    shown_tls = ClientTLS(certs["ours"] / "ca.pem") if client is None else tls("mtls", certs[client])
    found = []
    for which in ("go", "python"):
        async with start(which, "mtls") as url, channel(url, tls=shown_tls) as c:
            got = await attempt(c, "Unary", "InvokeTool", [])
            assert got.code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNAVAILABLE)
            # Where TLS refuses, each says so in its own words.
            found.append(essence(got) if got.code is grpc.StatusCode.UNAUTHENTICATED else got.code)
    assert found[0] == found[1]
