# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The guard in front of a real server: who gets in, and what others see (SPEC.md §14.2, §14.3)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from auth_certs import CA
from auth_issuer import GONE, RESOURCE, Issuer, Key, b64
from auth_server import PATIENCE, Ending, Outcome, Served, call, rpc, serving, stream_outcome, until
from google.rpc import status_pb2
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken

from mcp_grpc._gen.mcp.v1 import auth_pb2, auth_pb2_grpc, common_pb2, mcp_pb2
from mcp_grpc.auth import (
    APIKeyRecord,
    APIKeys,
    Bearer,
    Call,
    Certificates,
    ClientTLS,
    Grant,
    Guard,
    JWTVerifier,
    OriginInterceptor,
    PeerSocket,
    Policy,
    Principal,
    ResourceMetadata,
    Rule,
    StaticTokens,
    UnixPeers,
    channel,
    new_api_key,
    server_credentials,
)
from mcp_grpc.auth import Issuer as Config

CANARY = "canary7f3a"
WHERE = 'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/base"'
DOWN = "https://down.invalid"
AGENT = "spiffe://example.org/agent"

ABSENT = (grpc.StatusCode.UNAUTHENTICATED, "credentials are missing", f"Bearer {WHERE}", "CREDENTIALS_MISSING")
INVALID = (
    grpc.StatusCode.UNAUTHENTICATED,
    "credentials are not valid",
    f'Bearer error="invalid_token", {WHERE}',
    "INVALID_TOKEN",
)
MALFORMED = (
    grpc.StatusCode.INVALID_ARGUMENT,
    "credentials are malformed, given twice, or in the wrong place",
    f'Bearer error="invalid_request", {WHERE}',
    "INVALID_REQUEST",
)
UNAVAILABLE = (grpc.StatusCode.UNAVAILABLE, "authentication is unavailable: try again later", "", "")


class Lab:
    """A server that takes every kind of credential."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.other = Issuer([Key.new("k1")], url=issuer.url)
        self.key, self.record = new_api_key("test", "bob", key_id="k1", tenant="acme", pepper=CANARY.encode())
        self.keys = APIKeys([self.record], pepper=CANARY.encode())
        self.clients = CA("clients")
        self.metadata = ResourceMetadata(
            RESOURCE, authorization_servers=[issuer.url], scopes_supported=["read"], members={"resource_name": "Lab"}
        )
        issuers = [Config(url, algorithms=["EdDSA"]) for url in (issuer.url, DOWN)]
        static = StaticTokens({f"dev-token-{CANARY}": Grant("dev")})
        self.guard = Guard(
            [
                Bearer(JWTVerifier(issuers, resource=RESOURCE), static),
                self.keys,
                Certificates({AGENT: Grant()}, trust_domain="example.org"),
                UnixPeers({f"uid:{os.getuid()}": Grant("me")}),
            ],
            metadata=self.metadata,
        )

    def token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        return self.issuer.token(header, jti=CANARY, **claims)


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with Issuer([Key.new("k1")]) as issuer:
        made = Lab(issuer)
        await made.guard.start()
        yield made
        await made.guard.close()


def bearer(token: str) -> list[tuple[str, Any]]:
    return [("authorization", f"Bearer {token}")]


def attacks(lab: Lab) -> list[tuple[str, list[tuple[str, Any]], Any]]:
    """What must not get in; None: it is invalid or unavailable, depending on others."""
    good, now = lab.token(), int(time.time())
    head, body, _ = good.split(".")
    signed = b64(b'{"alg":"HS256","kid":"k1","typ":"at+jwt"}') + "." + body
    symmetric = f"{signed}.{b64(hmac.new(str(lab.issuer.jwks()).encode(), signed.encode(), hashlib.sha256).digest())}"
    return [
        ("no credentials", [], ABSENT),
        ("alg none", bearer(lab.token({"alg": "none"})), INVALID),
        ("no signature", bearer(f"{head}.{body}."), INVALID),
        ("signed with the public key", bearer(symmetric), INVALID),
        ("another algorithm", bearer(lab.token({"alg": "ES256"})), INVALID),
        ("another audience", bearer(lab.token(aud="https://other.example")), INVALID),
        ("no audience", bearer(lab.token(aud=GONE)), INVALID),
        ("another issuer", bearer(lab.token(iss="https://evil.example")), INVALID),
        ("the key of another issuer", bearer(lab.other.token(jti=CANARY)), None),
        ("expired", bearer(lab.token(exp=now - 61)), INVALID),
        ("not yet valid", bearer(lab.token(nbf=now + 120)), INVALID),
        ("an ID token", bearer(lab.token({"typ": "JWT"}, nonce="x")), INVALID),
        ("a path for key id", bearer(lab.token({"kid": "../../dev/null"})), None),
        ("where a key is", bearer(lab.token({"jku": "https://evil.example/" + CANARY})), INVALID),
        ("encrypted", bearer(good + ".a.b"), INVALID),
        ("a token that is too long", bearer(CANARY + "a" * 9000), INVALID),
        ("an issuer that is down", bearer(lab.token(iss=DOWN)), UNAVAILABLE),
        ("bound to a certificate that is not there", bearer(lab.token(cnf={"x5t#S256": "x"})), INVALID),
        ("two tokens", bearer(good) * 2, MALFORMED),
        ("another scheme, then a token", [("authorization", "Basic " + CANARY), *bearer(good)], MALFORMED),
        ("a list of tokens", bearer(f"{good}, Bearer {good}"), MALFORMED),
        ("two spaces", bearer(" " + good), MALFORMED),
        ("another scheme", [("authorization", "Basic " + CANARY)], ABSENT),
        ("a DPoP token", [("authorization", "DPoP " + good)], ABSENT),
        ("a token in a cookie", [("cookie", "access_token=" + good)], ABSENT),
        ("a token in a binary header", [("authorization-bin", good.encode())], MALFORMED),
        ("a key in a binary header", [("x-mcp-api-key-bin", lab.key.encode())], MALFORMED),
        ("a token and a key", [*bearer(good), ("x-mcp-api-key", lab.key)], MALFORMED),
        ("two keys", [("x-mcp-api-key", lab.key)] * 2, MALFORMED),
        ("a truncated key", [("x-mcp-api-key", lab.key[:-1])], INVALID),
        ("a longer key", [("x-mcp-api-key", lab.key + "a")], INVALID),
        ("a key by another header", [("x_mcp_api_key", lab.key)], ABSENT),
        ("a key as a token", bearer(lab.key), INVALID),
        ("a token that begins like the static one", bearer("dev-token-"), INVALID),
        ("a certificate in a header", [("x-forwarded-client-cert", "URI=" + AGENT)], ABSENT),
        ("a user in a header", [("x-forwarded-user", "ann"), ("x-peer-uid", "0")], ABSENT),
    ]


METHODS = ["Unary", "UnaryStream", "StreamUnary", "StreamStream", "Nothing"]


async def attempt(c: grpc.aio.Channel, method: str, metadata: Any) -> Outcome:
    """Calls an RPC of any shape. Streams send nothing: a refusal does not wait for a body."""
    path = f"/test.Echo/{method}"
    if method not in ("StreamUnary", "StreamStream"):
        return await call(c, metadata, path)
    never = asyncio.Event()

    async def requests() -> AsyncIterator[bytes]:
        await never.wait()
        yield b""

    try:
        open_stream = rpc(c, "StreamStream", path)
        return await stream_outcome(lambda: open_stream(requests(), metadata=tuple(metadata), timeout=PATIENCE))
    finally:
        never.set()


def check(name: str, got: Outcome, want: Any) -> None:
    if want is None:
        want = UNAVAILABLE if got.code is grpc.StatusCode.UNAVAILABLE else INVALID
    code, message, challenge, reason = want
    assert (got.code, got.message) == (code, message), name
    assert got.challenges == ((challenge,) if challenge else ()), name
    assert got.trailed == (), name
    assert (got.info.reason if got.info else "") == reason, name
    if got.info is not None:
        assert got.info.domain == "mcpconnect"
        assert dict(got.info.metadata) == {"resource_metadata": WHERE.split('"')[1]}, name
    assert ("cache-control", "no-store") in got.headers, name
    assert (("retry-after", "5") in got.headers) == (want is UNAVAILABLE), name


@pytest.mark.parametrize("method", METHODS)
async def test_attacks(lab: Lab, method: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = ""
    async with serving(lab.guard) as served, channel(served.address) as c:
        for name, metadata, want in attacks(lab):
            got = await attempt(c, method, metadata)
            check(name, got, want)
            said += got.texts
        assert served.seen == [], "a handler was reached"
    assert "request refused" in caplog.text
    for secret in (CANARY, lab.key, lab.key[-30:], "eyJ"):
        assert secret not in said, "a credential is in an answer"
        assert secret not in caplog.text, "a credential is in the log"


async def test_who_gets_in(lab: Lab, tmp_path: Path) -> None:
    agent, stranger = (lab.clients.issue(uris=[u]) for u in (AGENT, "spiffe://example.org/stranger"))
    own = lab.clients.server()
    jwt = f"{lab.issuer.url}|ann by jwt"
    async with serving(lab.guard) as served, channel(served.address) as c:
        for metadata, want in [
            (bearer(lab.token()), jwt),
            ([("authorization", "bEARER " + lab.token())], jwt),
            (bearer(f"dev-token-{CANARY}"), "static-token|dev by static-token"),
            ([("x-mcp-api-key", lab.key)], "api-key|acme|bob by api-key"),
        ]:
            assert (await call(c, metadata)).body.decode() == f"hi {want}"
            stream = rpc(c, "UnaryStream")(b"x", metadata=tuple(metadata))
            assert [r async for r in stream] == [b"first " + want.encode(), b"x"]
            assert await rpc(c, "StreamUnary")(iter([b"a", b"b"]), metadata=tuple(metadata)) == b"a,b"
            both = rpc(c, "StreamStream")(iter([b"a", b"b"]), metadata=tuple(metadata))
            assert [r async for r in both] == [b"a", b"b"]
        shown = {k for k, _ in served.metadata}
        assert "user-agent" in shown
        assert not shown & {"authorization", "x-mcp-api-key"}, "a handler sees credentials"
    credentials = server_credentials(own.pem, own.key, client_ca=lab.clients.pem)
    async with serving(lab.guard, credentials=credentials) as served:
        for client, metadata, want in [
            (agent, [], f"certificate|{AGENT} by certificate"),
            (agent, bearer(lab.token()), jwt),
            (stranger, bearer(lab.token()), ""),
        ]:
            async with channel(served.address, tls=ClientTLS(lab.clients.pem, client.pem, client.key)) as c:
                got = await call(c, metadata)
                assert got.body.decode() == (f"hi {want}" if want else "")
                assert (got.code is grpc.StatusCode.UNAUTHENTICATED) == (not want)
    async with PeerSocket(tmp_path / "s") as inner, serving(lab.guard, inner), channel(f"unix:{tmp_path}/s") as c:
        assert (await call(c)).body == b"hi unix-peer|me by unix-peer"
        assert (await call(c, bearer(lab.token()))).body.decode() == f"hi {jwt}"
        assert (await call(c, bearer("wrong"))).code is grpc.StatusCode.UNAUTHENTICATED


async def test_the_sdk_sees_the_caller_and_no_token(lab: Lab) -> None:
    seen: list[AccessToken | None] = []

    async def tool(request: bytes, context: Any) -> bytes:
        seen.append(await asyncio.create_task(sdk_token()))
        return b""

    async def sdk_token() -> AccessToken | None:
        return get_access_token()

    async with serving(lab.guard, extra=tool) as served, channel(served.address) as c:
        token = lab.token()
        await call(c, bearer(token), "/test.Extra/Unary")
        await call(c, [("x-mcp-api-key", lab.key)], "/test.Extra/Unary")
    assert [s and (s.subject, s.client_id, s.scopes, s.token) for s in seen] == [
        (f"{lab.issuer.url}|ann", "app", ["read", "write"], ""),
        ("api-key|acme|bob", "", [], ""),
    ]
    assert seen[0] is not None
    assert seen[0].claims is not None
    assert seen[0].claims["iss"] == lab.issuer.url
    assert token not in repr(seen)


async def test_callers_on_one_connection(lab: Lab) -> None:
    async with serving(lab.guard) as served, channel(served.address) as c:

        async def caller(i: int) -> None:
            metadata = bearer(lab.issuer.token(sub=f"user-{i}"))
            for _ in range(20):
                assert (await call(c, metadata)).body.decode() == f"hi {lab.issuer.url}|user-{i} by jwt"

        await asyncio.gather(*(caller(i) for i in range(8)))


async def test_every_rpc_of_mcp_needs_credentials(lab: Lab) -> None:
    """It walks over the service, so that no RPC can be forgotten."""
    service = mcp_pb2.DESCRIPTOR.services_by_name["MCP"]
    assert len(service.methods) > 15
    async with serving(lab.guard) as served, channel(served.address) as c:
        for method in [m.name for m in service.methods]:
            check(method, await call(c, method=f"/mcp.v1.MCP/{method}"), ABSENT)
        for path in (
            "//mcp.v1.AuthDiscovery/GetMetadata",
            "/mcp.v1.AuthDiscovery/GetMetadata/",
            "/mcp.v1.MCP/InvokeTool/mcp.v1.AuthDiscovery/GetMetadata",
            "/mcp.v1.AuthDiscovery/InvokeTool",
            "/grpc.health.v1.Health/../mcp.v1.MCP/InvokeTool",
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        ):
            check(path, await call(c, method=path), ABSENT)
        # Who is known learns that there is no such method.
        got = await call(c, bearer(lab.token()), "/mcp.v1.MCP/Nothing")
        assert got.code is grpc.StatusCode.UNIMPLEMENTED


async def test_discovery_is_open(lab: Lab) -> None:
    async with serving(lab.guard) as served, channel(served.address) as c:
        got = await auth_pb2_grpc.AuthDiscoveryStub(c).GetMetadata(auth_pb2.GetMetadataRequest())  # type: ignore[no-untyped-call]
    assert got == auth_pb2.ProtectedResourceMetadata(
        resource=RESOURCE,
        authorization_servers=[lab.issuer.url],
        scopes_supported=["read"],
        bearer_methods_supported=["header"],
        resource_name="Lab",
    )
    async with serving(Guard([lab.keys])) as served, channel(served.address) as c:
        assert (await call(c, method="/mcp.v1.AuthDiscovery/GetMetadata")).code is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("kind", "challenge"),
    [("keys", ("ApiKey",)), ("certificates", ()), ("bearer", ("Bearer",)), ("keys and bearer", ("Bearer",))],
)
async def test_challenges_without_metadata(kind: str, challenge: tuple[str, ...]) -> None:
    static = Bearer(StaticTokens({"a": Grant("x")}))
    keys = APIKeys([new_api_key("test", "x")[1]])
    given: Any = {
        "keys": [keys],
        "certificates": [Certificates({}, dns_names=True)],
        "bearer": [static],
        "keys and bearer": [keys, static],
    }[kind]
    async with serving(Guard(given)) as served, channel(served.address) as c:
        got = await call(c)
        assert (got.code, got.challenges) == (grpc.StatusCode.UNAUTHENTICATED, challenge)
        assert got.info is not None
        assert got.info.reason == "CREDENTIALS_MISSING"


async def test_the_baseline(lab: Lab) -> None:
    policy = Policy(baseline=["mcp", "offline_access", "read"], default=Rule(), implies={"admin": ["mcp"]})
    guard = Guard(lab.guard.authenticators, metadata=lab.metadata, policy=policy)
    async with serving(guard) as served, channel(served.address) as c:
        got = await call(c)
        assert got.challenges == (f'Bearer scope="mcp read", {WHERE}',)
        got = await call(c, bearer("wrong"))
        assert got.challenges == (f'Bearer error="invalid_token", scope="mcp read", {WHERE}',)
        got = await call(c, bearer(lab.token(scope="read")))
        assert got.code is grpc.StatusCode.PERMISSION_DENIED
        assert got.challenges == (f'Bearer error="insufficient_scope", scope="mcp read", {WHERE}',)
        assert got.info is not None
        assert got.info.reason == "INSUFFICIENT_SCOPE"
        assert got.info.metadata["scope"] == "mcp read"
        # A key cannot get other scopes.
        got = await call(c, [("x-mcp-api-key", lab.key)])
        assert (got.code, got.challenges, got.info) == (grpc.StatusCode.PERMISSION_DENIED, (), None)
        assert served.seen == []
        assert (await call(c, bearer(lab.token(scope="admin read offline_access")))).code is grpc.StatusCode.OK


def ended(error: grpc.aio.AioRpcError) -> common_pb2.JsonRpcError:
    """The detail of an RPC that ended with its credential."""
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert error.details() == "the credentials have expired or were revoked"
    status, detail = status_pb2.Status(), common_pb2.JsonRpcError()
    status.ParseFromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    assert status.details[0].Unpack(detail)
    return detail


async def test_revocation_ends_streams(lab: Lab) -> None:
    async with serving(lab.guard) as served, channel(served.address) as c:
        metadata = (("x-mcp-api-key", lab.key),)
        stream = rpc(c, "UnaryStream")(b"forever", metadata=metadata, timeout=PATIENCE)
        assert (await stream.read()).startswith(b"first")
        lab.keys.replace([APIKeyRecord(**{**fields(lab.record), "hash": "0" * 64})])
        with pytest.raises(grpc.aio.AioRpcError) as e:
            await stream.read()
        assert ended(e.value).code == -32600
        await until(lambda: served.ended == ["cancelled"])
        check("the revoked key", await call(c, metadata), INVALID)


def fields(record: APIKeyRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in ("id", "hash", "subject", "tenant", "scopes", "expires")}


async def all_of(stream: Any) -> None:
    while await stream.read() is not grpc.aio.EOF:
        pass


@pytest.mark.parametrize("shape", ["UnaryStream", "StreamStream", "StreamUnary"])
async def test_expiry_ends_streams(shape: str) -> None:
    async with serving(Guard([Ending(0.5)])) as served, channel(served.address) as c:
        began = time.monotonic()
        stream = rpc(c, "StreamStream", f"/test.Echo/{shape}")(timeout=PATIENCE)
        await stream.write(b"forever")
        with pytest.raises(grpc.aio.AioRpcError) as e:
            await all_of(stream)
        assert ended(e.value).code == -32600
        assert 0.2 < time.monotonic() - began < PATIENCE / 2


async def test_a_client_that_leaves_ends_its_stream(lab: Lab) -> None:
    """What ends streams at the end of credentials does not stand in the way."""
    async with serving(lab.guard) as served, channel(served.address) as c:
        metadata = (("x-mcp-api-key", lab.key),)
        stream = rpc(c, "UnaryStream")(b"forever", metadata=metadata)
        await stream.read()
        stream.cancel()
        await until(lambda: served.ended == ["cancelled"])


PAGE = "https://app.example.com"


@pytest.mark.parametrize(
    ("origins", "good"),
    [
        ([], True),
        ([PAGE], True),
        ([PAGE, PAGE], False),
        (["https://evil.example"], False),
        (["https://evilapp.example.com"], False),
        (["https://APP.example.com"], False),
        ([PAGE + ":443"], False),
        (["http://app.example.com"], False),
        (["null"], False),
        ([""], False),
    ],
)
async def test_pages_of_others_are_refused_before_all_else(lab: Lab, origins: list[str], good: bool) -> None:
    first = [OriginInterceptor([PAGE])]
    async with serving(lab.guard, first=first) as served, channel(served.address) as c:
        metadata = [("origin", o) for o in origins]
        for method in METHODS:
            got = await attempt(c, method, metadata)
            want = grpc.StatusCode.UNAUTHENTICATED if good else grpc.StatusCode.PERMISSION_DENIED
            assert got.code is want, method
        discovery = await call(c, metadata, "/mcp.v1.AuthDiscovery/GetMetadata")
        assert (discovery.code is grpc.StatusCode.PERMISSION_DENIED) == (not good)


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "https://*.example.com",
        "app.example.com",
        "https://app.example.com/",
        "https://App.example.com",
        "",
        "https://app.example.com:443",
        "http://app.example.com:80",
        "https://u@app.example.com",
        "https://a:b",
    ],
)
def test_what_is_no_origin(origin: str) -> None:
    with pytest.raises(ValueError, match="scheme, host and port"):
        OriginInterceptor([origin])


class Broken:
    scheme = ""

    async def authenticate(self, call: Call) -> Principal | None:
        raise RuntimeError(CANARY)


async def test_an_authenticator_that_fails_lets_nobody_in(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with serving(Guard([Broken()])) as served, channel(served.address) as c:
        check("broken", await call(c), UNAVAILABLE)
        assert served.seen == []
    assert "RuntimeError" in caplog.text
    assert CANARY not in caplog.text


async def test_refusals_are_sampled(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(1000):
        with pytest.raises(Exception, match="missing"):
            await lab.guard.check(Call("/x", ()))
    assert 20 <= caplog.text.count("request refused") <= 30


async def test_headers_that_are_too_large(lab: Lab) -> None:
    """gRPC refuses them, and the connection goes on."""
    async with serving(lab.guard) as served, channel(served.address) as c:
        for size in (33_000, 100_000, 1_000_000):
            got = await call(c, bearer("a" * size))
            assert got.code in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE), size
        assert served.seen == []
        assert (await call(c, bearer(lab.token()))).code is grpc.StatusCode.OK


async def test_a_request_without_end(lab: Lab) -> None:
    guard = Guard(lab.guard.authenticators, body_seconds=0.3)
    async with serving(guard) as served, channel(served.address) as c:
        for path in ("/test.Echo/Unary", "/test.Echo/UnaryStream"):
            stream = rpc(c, "StreamStream", path)(metadata=tuple(bearer(lab.token())), timeout=PATIENCE)
            with pytest.raises(grpc.aio.AioRpcError, match="did not come in time") as e:
                await stream.read()
            assert e.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert served.seen == []


async def test_requests_that_cannot_be_decoded(lab: Lab) -> None:
    async with serving(lab.guard) as served, channel(served.address) as c:
        metadata = tuple(bearer(lab.token()))
        empty = rpc(c, "StreamUnary", "/test.Echo/Unary")(iter([]), metadata=metadata)
        with pytest.raises(grpc.aio.AioRpcError) as e:
            await empty
        assert e.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert isinstance(served, Served)


def test_mistakes() -> None:
    with pytest.raises(ValueError, match="nobody could get in"):
        Guard([])
    with pytest.raises(TypeError, match="Bearer"):
        Guard([StaticTokens({"a": Grant("x")})])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="nobody could get in"):
        Bearer()
    keys = APIKeys([new_api_key("test", "x")[1]])
    guard = Guard.of(keys)
    assert guard is not None
    assert Guard.of(guard) is guard
    assert Guard.of(None) is None
    assert Guard.of([keys]) is not None
    assert not guard.wants_unix_peers


@pytest.mark.parametrize(
    ("resource", "members", "want"),
    [
        ("http://mcp.example.com", {}, "https"),
        ("https://mcp.example.com/x/", {}, "slash"),
        ("https://mcp.example.com//x", {}, "segments"),
        ("https://mcp.example.com/a/../x", {}, "segments"),
        ("https://MCP.example.com", {}, "lower case"),
        ("https://mcp.example.com?x=1", {}, "query"),
        ("https://mcp.example.com#x", {}, "fragment"),
        ("https://u@mcp.example.com", {}, "password"),
        ('https://mcp.example.com/"x', {}, "quotes"),
        ("mcp.example.com", {}, "https"),
        ("https://", {}, "host"),
        (RESOURCE, {"scopes_supported": ["a b"]}, "RFC 6749"),
        (RESOURCE, {"scopes_supported": ["offline_access"]}, "offline_access"),
        (RESOURCE, {"authorization_servers": ["http://as.example"]}, "https"),
        (RESOURCE, {"members": {"bearer_methods_supported": ["body"]}}, "header"),
        (RESOURCE, {"members": {"resource": "x"}}, "arguments"),
        (RESOURCE, {"members": {"resource_name": 1}}, "wrong type"),
    ],
)
def test_metadata_mistakes(resource: str, members: dict[str, Any], want: str) -> None:
    with pytest.raises(ValueError, match=want):
        ResourceMetadata(resource, **members)


def test_metadata() -> None:
    root = ResourceMetadata("https://mcp.example.com/", members={"x_new": {"a": [1]}})
    assert root.url == "https://mcp.example.com/.well-known/oauth-protected-resource"
    assert root.paths == ("/.well-known/oauth-protected-resource",)
    assert (
        root.json() == '{"resource":"https://mcp.example.com/","bearer_methods_supported":["header"],"x_new":{"a":[1]}}'
    )
    assert root.message().extra["x_new"]["a"][0] == 1  # type: ignore[index]
    below = ResourceMetadata(RESOURCE)
    assert below.url == WHERE.split('"')[1]
    assert below.paths[1] == "/.well-known/oauth-protected-resource/base"
    assert ResourceMetadata("http://127.0.0.1:8080").resource == "http://127.0.0.1:8080"
