# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""What clients show, to whom, and what they make of challenges (SPEC.md §14.3, §14.7)."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import AsyncIterator, Mapping
from typing import Any

import grpc
import pytest
from auth_certs import CA
from auth_issuer import RESOURCE, Issuer, Key
from auth_server import call, rpc, serving
from google.protobuf import any_pb2
from google.rpc import error_details_pb2
from hypothesis import given
from hypothesis import strategies as st

from mcp_grpc.auth import (
    APIKey,
    APIKeys,
    Bearer,
    BearerToken,
    Call,
    Challenge,
    ClientCredentials,
    ClientTLS,
    Grant,
    Guard,
    JWTVerifier,
    Policy,
    ResourceMetadata,
    Rule,
    StaticTokens,
    Target,
    channel,
    new_api_key,
    parse_challenge,
    read_challenge,
    resource_of,
    server_credentials,
)
from mcp_grpc.auth import Issuer as Config
from mcp_grpc.auth.challenge import status_details
from mcp_grpc.auth.fetch import FetchError
from mcp_grpc.auth.jwt_parse import parse_jwt

TOKEN = BearerToken("secret")


@pytest.mark.parametrize(
    ("target", "tls", "want"),
    [
        ("127.0.0.1:80", False, Target("127.0.0.1:80", secure=False, local=True)),
        ("http://127.0.0.1:80/", False, Target("127.0.0.1:80", secure=False, local=True)),
        ("http://[::1]:80", False, Target("[::1]:80", secure=False, local=True)),
        ("localhost:80", False, Target("localhost:80", secure=False, local=True)),
        ("mcp.example.com:80", True, Target("mcp.example.com:80", secure=True, local=False)),
        ("https://mcp.example.com", False, Target("mcp.example.com:443", secure=True, local=False)),
        ("http://mcp.example.com", False, Target("mcp.example.com:80", secure=False, local=False)),
        ("unix:/tmp/x", False, Target("unix:/tmp/x", secure=False, local=True)),
        ("http://mcp.example.com", True, None),
        ("mcp.example.com", False, None),
        ("ftp://mcp.example.com:1", False, None),
        ("https://mcp.example.com/path", False, None),
        ("https://user@mcp.example.com", False, None),
        ("dns:///x:1", False, None),
        ("x:99999", False, None),
        ("", False, None),
    ],
)
def test_targets(target: str, tls: bool, want: Target | None) -> None:
    if want is None:
        with pytest.raises(ValueError, match="target"):
            Target.of(target, tls=tls)
    else:
        assert Target.of(target, tls=tls) == want


@pytest.mark.parametrize("target", ["http://mcp.example.com", "192.0.2.1:80", "127.0.0.1.evil.example:80"])
async def test_no_credentials_in_clear(target: str) -> None:
    with pytest.raises(ValueError, match="in clear"):
        channel(target, auth=TOKEN)
    with pytest.raises(ValueError, match="in clear"):
        channel(target, auth=TOKEN, intercept=False)
    await channel(target).close()
    await channel(target, auth=TOKEN, insecure=True).close()
    await channel(target, auth=TOKEN, tls=ClientTLS()).close() if "://" not in target else None


@pytest.mark.parametrize("token", ["", "a b", "a\n", 'a"', "ä"])
def test_what_is_no_credential(token: str) -> None:
    with pytest.raises(ValueError, match="is none"):
        BearerToken(token)
    if token != 'a"' and token != "a b":
        with pytest.raises(ValueError, match="is none"):
            APIKey(token)


async def test_tokens_that_are_given_for_each_call() -> None:
    given_out = iter(["first", "second", "not a token"])

    async def give() -> str:
        return next(given_out)

    auth = BearerToken(give)
    assert await auth.metadata() == (("authorization", "Bearer first"),)
    assert await auth.metadata() == (("authorization", "Bearer second"),)
    with pytest.raises(ValueError, match="is none") as e:
        await auth.metadata()
    assert "not a token" not in str(e.value)


async def test_a_token_that_is_refused_is_given_anew() -> None:
    given_out = ["old", "old", "secret"]

    async def give() -> str:
        return given_out[0] if len(given_out) == 1 else given_out.pop(0)

    async with (
        serving(Guard([Bearer(StaticTokens({"secret": Grant("ann")}))])) as served,
        channel(served.address, auth=BearerToken(give)) as c,
    ):
        assert (await call(c)).code is grpc.StatusCode.UNAUTHENTICATED, "the same token again is not worth a call"
        assert (await call(c)).code is grpc.StatusCode.OK
        assert served.seen == ["static-token|ann by static-token"]


async def test_every_shape_of_call_has_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:1")  # would read along: it is not asked for this machine
    key, record = new_api_key("test", "bob")
    guard = Guard([Bearer(StaticTokens({"secret": Grant("ann")})), APIKeys([record])])
    async with serving(guard) as served:
        for auth, who in ((TOKEN, "static-token|ann"), (APIKey(key), "api-key|bob")):
            async with channel(served.address, auth=auth) as c:
                assert (await call(c)).body.startswith(f"hi {who} ".encode())
                assert [r async for r in rpc(c, "UnaryStream")(b"x")][1] == b"x"
                assert await rpc(c, "StreamUnary")(iter([b"a", b"b"])) == b"a,b"
                assert [r async for r in rpc(c, "StreamStream")(iter([b"a"]))] == [b"a"]
        assert [s.partition(" ")[0] for s in served.seen] == ["static-token|ann"] * 4 + ["api-key|bob"] * 4
        async with channel(served.address, auth=TOKEN, intercept=False) as c:
            assert (await call(c)).code is grpc.StatusCode.UNAUTHENTICATED


async def test_tls_with_a_private_ca() -> None:
    ca = CA("ours")
    own = ca.server()
    guard = Guard([Bearer(StaticTokens({"secret": Grant("ann")}))])
    async with serving(guard, credentials=server_credentials(own.pem, own.key)) as served:
        async with channel(f"https://{served.address}", auth=TOKEN, tls=ClientTLS(ca.pem)) as c:
            assert (await call(c)).code is grpc.StatusCode.OK
        async with channel(served.address, tls=ClientTLS(ca.pem, server_name="localhost"), auth=TOKEN) as c:
            assert (await call(c)).code is grpc.StatusCode.OK
        async with channel(served.address, tls=ClientTLS(ca.pem, server_name="other.example"), auth=TOKEN) as c:
            assert (await call(c)).code is grpc.StatusCode.UNAVAILABLE
        async with channel(f"https://{served.address}", auth=TOKEN) as c:  # the CAs of the system
            assert (await call(c)).code is grpc.StatusCode.UNAVAILABLE
    with pytest.raises(ValueError, match="go together"):
        channel("x:1", tls=ClientTLS(ca.pem, own.pem))


class Server:
    """An authorization server that gives tokens, and a server that takes them."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.forms: list[Mapping[str, str]] = []
        self.refusal: tuple[int, dict[str, Any]] | None = None
        self.lifetime = 600
        issuer.token_answer = self.answer
        verifier = JWTVerifier([Config(issuer.url, algorithms=["EdDSA"])], resource=RESOURCE)
        policy = Policy(baseline=["mcp"], default=Rule())
        metadata = ResourceMetadata(RESOURCE, authorization_servers=[issuer.url])
        self.guard = Guard([Bearer(verifier)], metadata=metadata, policy=policy)

    def answer(self, form: Mapping[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        self.forms.append(form)
        if self.refusal is not None:
            return self.refusal
        if base64.b64decode(authorization.removeprefix("Basic ")) != b"app:s%2Bcret":
            return 401, {"error": "invalid_client"}
        token = self.issuer.token(scope=form.get("scope", ""), jti=str(len(self.forms)))
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime}

    def client(self, secret: str = "s+cret", **changes: Any) -> ClientCredentials:
        return ClientCredentials(self.issuer.url, "app", secret, resource=RESOURCE, **changes)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Issuer([Key.new("k1")]) as issuer:
        yield Server(issuer)


async def test_client_credentials(server: Server) -> None:
    auth = server.client(scopes=["mcp"])
    async with serving(server.guard) as served, channel(served.address, auth=auth) as c:
        for _ in range(3):
            assert (await call(c)).code is grpc.StatusCode.OK
    assert server.forms == [{"grant_type": "client_credentials", "resource": RESOURCE, "scope": "mcp"}]


async def test_step_up(server: Server) -> None:
    """A call without the scope is repeated with it, and one that is refused for ever is not."""
    auth = server.client(scopes=["read"])
    async with serving(server.guard) as served, channel(served.address, auth=auth) as c:
        assert (await call(c)).code is grpc.StatusCode.OK
        assert [f["scope"] for f in server.forms] == ["read", "read mcp"]
        server.issuer.url = "https://other.example"  # whose tokens nobody takes
        auth._until = 0.0
        assert (await call(c)).code is grpc.StatusCode.UNAUTHENTICATED
        assert len(server.forms) == 4, "one more token for the call, and no more"
    assert not await auth.refused(Challenge("insufficient_scope", ("mcp", "read")))
    assert len(server.forms) == 4, "scopes that it had were asked for again"


async def test_tokens_are_fetched_before_they_end(server: Server) -> None:
    server.lifetime = 40
    auth = server.client()
    await auth.metadata()
    await auth.metadata()
    assert len(server.forms) == 1
    auth._until -= 21  # of 40 seconds, half of which it is used
    await auth.metadata()
    assert len(server.forms) == 2


@pytest.mark.parametrize(
    ("refusal", "want"),
    [
        ((400, {"error": "invalid_scope", "error_description": "SECRET"}), PermissionError),
        ((401, {"error": "invalid_client"}), PermissionError),
        ((403, {"error": 1}), PermissionError),
        ((429, {}), FetchError),
        ((500, {"error": "SECRET"}), FetchError),
        ((200, {}), FetchError),
        ((200, {"access_token": "a b", "token_type": "Bearer"}), FetchError),
        ((200, {"access_token": "a", "token_type": "DPoP"}), FetchError),
        ((302, {}), FetchError),
    ],
)
async def test_no_token(server: Server, refusal: tuple[int, dict[str, Any]], want: type[Exception]) -> None:
    server.refusal = refusal
    with pytest.raises(want) as e:
        await server.client().metadata()
    assert "SECRET" not in str(e.value)


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://other.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": "http://evil.example/token"},
        {"token_endpoint": "file:///token"},
    ],
)
async def test_the_wrong_authorization_server(server: Server, document: dict[str, Any]) -> None:
    """The client's secret does not go there."""
    url = server.issuer.url
    found = {"issuer": url, "token_endpoint": url + "/token"} | document

    async def answer(target: str) -> tuple[int, str, bytes]:
        return 200, "application/json", json.dumps(found).encode()

    server.issuer.answer = answer
    with pytest.raises(PermissionError):
        await server.client().metadata()
    assert set(server.issuer.requests) == {"/.well-known/oauth-authorization-server"}


async def test_no_authorization_server() -> None:
    with pytest.raises(FetchError):
        await ClientCredentials("http://127.0.0.1:1", "a", "b", resource=RESOURCE).metadata()
    with pytest.raises(ValueError, match="https"):
        ClientCredentials("http://as.example", "a", "b", resource=RESOURCE)
    with pytest.raises(ValueError, match="https"):
        ClientCredentials("https://as.example", "a", "b", resource="x")


@pytest.mark.parametrize(
    ("resource", "issuer", "good"),
    [
        ("{url}", "https://as.example", True),
        ("{url}/", "https://as.example", True),
        ("{url}/base", "https://as.example", False),
        ("https://mcp.example.com", "https://as.example", False),
        ("http://127.0.0.1:1", "https://as.example", False),
        ("{url}", "https://other.example", False),
        ("", "https://as.example", False),
    ],
)
async def test_what_to_ask_tokens_for(resource: str, issuer: str, good: bool) -> None:
    authenticators = [Bearer(StaticTokens({"secret": Grant("ann")}))]
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{s.getsockname()[1]}"
    resource = resource.format(url=f"http://{address}")
    metadata = ResourceMetadata(resource, authorization_servers=["https://as.example"]) if resource else None
    async with serving(Guard(authenticators, metadata=metadata), address):
        for target in (address, f"http://{address}"):
            if good:
                assert await resource_of(target, issuer=issuer) == resource
            else:
                with pytest.raises(PermissionError):
                    await resource_of(target, issuer=issuer)


async def test_who_cannot_be_asked() -> None:
    with pytest.raises(OSError, match="UNAVAILABLE"):
        await resource_of("127.0.0.1:1", issuer="https://as.example")
    with pytest.raises(ValueError, match="Unix"):
        await resource_of("unix:/tmp/x", issuer="https://as.example")


@pytest.mark.parametrize(
    ("header", "want"),
    [
        ("Bearer", Challenge()),
        ('Bearer error="invalid_token"', Challenge("invalid_token")),
        ('bearer scope="a b", resource_metadata="https://x/y"', Challenge("", ("a", "b"), "https://x/y")),
        ('Basic realm="Bearer error=\\"x\\", y", Bearer error="invalid_token"', Challenge("invalid_token")),
        ('Bearer error="invalid_token", Basic realm="x"', Challenge("invalid_token")),
        ('Bearer error=invalid_token,scope="a"', Challenge("invalid_token", ("a",))),
        ('Bearer realm="a, b", error = "invalid_token"', Challenge("invalid_token")),
        ('Bearer error="one", error="two"', Challenge("one")),
        ('DPoP algs="ES256", Bearer', Challenge()),
        ('Basic realm="x"', None),
        ("ApiKey", None),
        ('"Bearer"', None),
        ("", None),
    ],
)
def test_challenges_are_read(header: str, want: Challenge | None) -> None:
    assert parse_challenge(header) == want


_SCOPE = st.text("abcdefghijklmnop:/.!#[]", min_size=1)
_CHALLENGES = st.builds(
    Challenge,
    st.sampled_from(["", "invalid_token", "insufficient_scope"]),
    st.lists(_SCOPE, unique=True, max_size=4).map(tuple),
    st.sampled_from(["", "https://mcp.example.com/.well-known/oauth-protected-resource/a=b,c"]),
)


@given(_CHALLENGES)
def test_challenges_survive(challenge: Challenge) -> None:
    assert parse_challenge(challenge.header()) == challenge
    trailers = status_details(grpc.StatusCode.UNAUTHENTICATED, "x", challenge.info())
    assert read_challenge((), trailers) == challenge
    packed = any_pb2.Any()
    packed.Pack(challenge.info())
    assert read_challenge(None, None, [packed]) == challenge
    assert read_challenge(None, None, [challenge.info()]) == challenge


@given(st.text())
def test_any_header_is_read(header: str) -> None:
    parse_challenge(header)
    parse_challenge("Bearer " + header)


def test_the_header_comes_first() -> None:
    trailers = status_details(grpc.StatusCode.UNAUTHENTICATED, "x", Challenge("invalid_token").info())
    assert read_challenge([("www-authenticate", "Bearer")], trailers) == Challenge()
    assert read_challenge([("www-authenticate", "Basic")], trailers) == Challenge("invalid_token")
    assert (
        read_challenge([("grpc-status-details-bin", b"\xff\xff")], [("grpc-status-details-bin", b"\xff\xff")]) is None
    )
    foreign = error_details_pb2.ErrorInfo(reason="INVALID_TOKEN", domain="other")
    assert read_challenge((), status_details(grpc.StatusCode.UNAUTHENTICATED, "x", foreign)) is None
    assert read_challenge((), (), [any_pb2.Any(type_url="x/google.rpc.ErrorInfo", value=b"\xff")]) is None


def test_secrets_do_not_show_in_reprs() -> None:
    secret = "c2VjcmV0LXZhbHVl"
    call = Call("/mcp.v1.MCP/Ping", (("authorization", f"Bearer {secret}"), ("x-mcp-api-key", secret)))
    token = parse_jwt(f"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.{secret}")
    record = new_api_key("test", "ann")[1]
    for shown in (call, token, ClientTLS(key=secret.encode()), record, BearerToken(secret), APIKey(secret)):
        text = repr(shown) + str(shown)
        assert secret not in text
        assert repr(base64.b64decode(secret)) not in text
        assert record.hash not in text
        assert "eyJzdWIiOiJhIn0" not in text
