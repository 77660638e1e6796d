# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Keys of issuers: floods, rotation, withdrawal, outages (notes of RFC 8725; SPEC.md §14.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from auth_issuer import RESOURCE, Issuer, Key, b64
from auth_server import until
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from mcp_grpc.auth import AuthUnavailableError, Call, InvalidCredentialError, JWTVerifier
from mcp_grpc.auth import Issuer as Config
from mcp_grpc.auth.fetch import _MAX_BYTES, Fetcher, FetchError
from mcp_grpc.auth.jwks import KeySet
from mcp_grpc.auth.jwks_store import FETCH_INTERVAL, KEY_REFRESH, KEY_TTL
from mcp_grpc.auth.jwt_parse import ParsedJWT

CALL = Call("/x", ())
REFUSED = (InvalidCredentialError, AuthUnavailableError)


class Clock:
    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        return 1000 + self.passed

    def now(self) -> float:
        return 1_700_000_000 + self.passed


class Lab:
    """An issuer, and a verifier that reaches it, on one clock."""

    def __init__(self, issuer: Issuer, clock: Clock, jwks_url: str = "") -> None:
        self.issuer, self.clock = issuer, clock
        issuer.now = clock.now
        config = Config(issuer.url, algorithms=["EdDSA"], jwks_url=jwks_url)
        self.verifier = JWTVerifier([config], resource=RESOURCE, clock=(clock.monotonic, clock.now))

    async def good(self, token: str) -> bool:
        try:
            return await self.verifier.verify_token(token, CALL) is not None
        except REFUSED:
            return False


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with Issuer([Key.new("k1")]) as issuer:
        made = Lab(issuer, Clock())
        yield made
        await made.verifier.close()


def strange_keys(evil: Issuer) -> Callable[[int], str]:
    return lambda i: evil.token({"kid": f"random{i}"})


def wrong_signatures(evil: Issuer) -> Callable[[int], str]:
    tokens = [evil.token(jti=str(i)) for i in range(3)]
    return lambda i: tokens[i % 3]


def garbage(evil: Issuer) -> Callable[[int], str]:
    token = evil.token().rpartition(".")[0] + ".AAAA"
    return lambda i: token


@pytest.mark.parametrize("kind", [strange_keys, wrong_signatures, garbage])
async def test_floods_cause_few_fetches(lab: Lab, kind: Callable[[Issuer], Callable[[int], str]]) -> None:
    evil = Issuer([Key.new("k1")], url=lab.issuer.url, now=lab.clock.now)
    bad = kind(evil)
    for i in range(1000):
        with pytest.raises(REFUSED):
            await lab.verifier.verify_token(bad(i), CALL)
    assert lab.issuer.fetches <= 3
    assert await lab.good(lab.issuer.token()), "a good token in the flood"
    # The issuer rotates while the flood goes on.
    lab.issuer.keys = [Key.new("k2")]
    began, i = lab.clock.passed, 1000
    while not await lab.good(lab.issuer.token()):
        assert lab.clock.passed - began <= FETCH_INTERVAL + 1, "the new key is not known"
        for _ in range(10):
            i += 1
            with pytest.raises(REFUSED):
                await lab.verifier.verify_token(bad(i), CALL)
        lab.clock.passed += 0.5


@pytest.mark.parametrize(
    ("kids", "old_too"), [(["next", "old"], True), (["next"], False), (["old*"], False)], ids=["both", "cut", "reused"]
)
async def test_rotation(lab: Lab, kids: list[str], old_too: bool) -> None:
    old = Key.new("old")
    keys = {"old": old, "next": Key.new("next"), "old*": Key.new("old")}
    lab.issuer.keys = [old]
    before = lab.issuer.token()
    assert await lab.good(before)
    lab.issuer.keys = [keys[k] for k in kids]
    assert await lab.good(lab.issuer.token()), "the new key's token"
    assert await lab.good(before) == old_too, "the old key's token, which was cached"


async def test_withdrawn_keys_die(lab: Lab) -> None:
    stolen = lab.issuer.token(exp=int(lab.clock.now()) + 7200)
    assert await lab.good(stolen)
    lab.issuer.keys = [Key.new("next")]  # nothing else asks for the keys
    while await lab.good(stolen):
        assert lab.clock.passed <= KEY_REFRESH + 120, "a withdrawn key is good for ever"
        fetches = lab.issuer.fetches
        lab.clock.passed += 60
        if lab.clock.passed >= KEY_REFRESH:
            await lab.good(stolen)  # causes a fetch beside it
            await until(lambda n=fetches: lab.issuer.fetches > n)  # type: ignore[misc]
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"alg": "none"}, {}),
        ({"alg": "RS256"}, {}),
        ({"typ": "JWT"}, {}),
        ({"jku": "https://evil.example"}, {}),
        ({"kid": "k" * 129}, {}),
        ({}, {"aud": "https://other.example"}),
        ({}, {"exp": 1}),
        ({}, {"sub": ""}),
        ({}, {"cnf": {"jkt": "x"}}),
    ],
)
async def test_what_claims_give_away_causes_no_fetch(lab: Lab, header: Any, claims: Any) -> None:
    with pytest.raises(InvalidCredentialError):
        await lab.verifier.verify_token(lab.issuer.token(header, **claims), CALL)
    assert lab.issuer.requests.total() == 0


def text(status: int, kind: str, body: str) -> Callable[[str], Awaitable[tuple[int, str, bytes]]]:
    async def answer(_: str) -> tuple[int, str, bytes]:
        return status, kind, body.encode()

    return answer


JSON = "application/json"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(text(500, JSON, "SECRET"), id="500"),
        pytest.param(text(302, JSON, ""), id="a redirect"),
        pytest.param(text(200, "text/html", "<html>SECRET"), id="HTML"),
        pytest.param(text(200, JSON, "SECRET"), id="JSON that is none"),
        pytest.param(text(200, JSON, "[" * 5000), id="deep JSON"),
        pytest.param(text(200, JSON, '{"keys":[]}'), id="no keys"),
        pytest.param(text(200, JSON, '{"keys":["' + "a" * _MAX_BYTES + '"]}'), id="a huge answer"),
        pytest.param(text(200, JSON, json.dumps({"keys": [{}] * 101})), id="too many keys"),
    ],
)
async def test_outages_cost_nobody_a_good_token(lab: Lab, answer: Any) -> None:
    long = lab.issuer.token(exp=int(lab.clock.now()) + 7200)

    async def unavailable(token: str) -> None:
        with pytest.raises(AuthUnavailableError) as e:
            await lab.verifier.verify_token(token, CALL)
        assert "SECRET" not in str(e.value)

    lab.issuer.answer = answer
    await unavailable(long)
    requests = lab.issuer.requests.total()
    for _ in range(100):
        await unavailable(long)
    assert lab.issuer.requests.total() == requests, "an issuer that is down was asked again at once"
    lab.issuer.answer = None
    lab.clock.passed += 30
    assert await lab.good(long), "when it is back"
    lab.issuer.answer = answer
    assert await lab.good(lab.issuer.token(jti="another")), "a known key"
    lab.clock.passed += KEY_REFRESH + 60
    assert await lab.good(long), "a known key, after a while"
    lab.clock.passed += KEY_TTL
    await unavailable(long)


@pytest.mark.parametrize(("padding", "good"), [(_MAX_BYTES - 1000, True), (_MAX_BYTES, False)])
async def test_answers_are_bounded(lab: Lab, padding: int, good: bool) -> None:
    async def padded(target: str) -> tuple[int, str, bytes]:
        document = (
            lab.issuer.jwks() if target == "/keys" else {"issuer": lab.issuer.url, "jwks_uri": lab.issuer.url + "/keys"}
        )
        return 200, JSON, json.dumps({**document, "x": "a" * padding}).encode()

    lab.issuer.answer = padded
    assert await lab.good(lab.issuer.token()) == good


async def test_redirects_are_not_followed(lab: Lab) -> None:
    """Not even to where all is well."""

    async def moved(target: str) -> tuple[int, str, bytes]:
        if target == "/elsewhere":
            return 200, JSON, json.dumps(lab.issuer.jwks()).encode()
        if target == "/keys":
            return 302, JSON, b""
        return 200, JSON, json.dumps({"issuer": lab.issuer.url, "jwks_uri": lab.issuer.url + "/keys"}).encode()

    lab.issuer.answer, lab.issuer.location = moved, "/elsewhere"
    assert not await lab.good(lab.issuer.token())
    assert lab.issuer.requests["/elsewhere"] == 0


async def test_one_that_hangs(lab: Lab) -> None:
    async def hang(_: str) -> tuple[int, str, bytes]:
        await asyncio.sleep(60)
        return 200, JSON, b""

    lab.issuer.answer = hang
    with pytest.raises(FetchError, match="in time"):
        await Fetcher(timeout=0.2).get(lab.issuer.url + "/keys")
    # Who waits for the keys may leave, and does not take the fetch along.
    waiting = asyncio.create_task(lab.good(lab.issuer.token()))
    await until(lambda: lab.issuer.requests.total() > 1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    other = asyncio.create_task(lab.verifier.verify_token(lab.issuer.token(), CALL))
    await asyncio.sleep(0)
    await lab.verifier.close()
    with pytest.raises(AuthUnavailableError):
        await other


async def test_no_proxy_is_asked_for_this_machine(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert await lab.good(lab.issuer.token())


async def test_one_fetch_for_all() -> None:
    async with Issuer([Key.new("k1")]) as issuer:
        lab = Lab(issuer, Clock(), issuer.url + "/keys")
        assert all(await asyncio.gather(*(lab.good(issuer.token(jti=str(i))) for i in range(100))))
        assert issuer.fetches == 1


@pytest.mark.parametrize(
    ("document", "good"),
    [
        ({}, True),
        ({"issuer": "https://evil.example"}, False),
        ({"issuer": None}, False),
        ({"jwks_uri": None}, False),
        ({"jwks_uri": "https://evil.example/keys"}, False),
        ({"jwks_uri": "http://169.254.169.254/keys"}, False),
        ({"jwks_uri": "file:///etc/passwd"}, False),
    ],
)
async def test_discovery(lab: Lab, document: dict[str, Any], good: bool) -> None:
    async def answer(target: str) -> tuple[int, str, bytes]:
        if target == "/keys":
            return 200, JSON, json.dumps(lab.issuer.jwks()).encode()
        if target != "/.well-known/openid-configuration":
            return 404, JSON, b"{}"
        found = {"issuer": lab.issuer.url, "jwks_uri": lab.issuer.url + "/keys"} | document
        return 200, JSON, json.dumps(found).encode()

    lab.issuer.answer = answer
    assert await lab.good(lab.issuer.token()) == good
    if not good:
        with pytest.raises(AuthUnavailableError):
            await lab.verifier.verify_token(lab.issuer.token(), CALL)


async def test_discovery_does_not_lead_to_another_host(lab: Lab) -> None:
    async with Issuer(lab.issuer.keys) as other:

        async def answer(target: str) -> tuple[int, str, bytes]:
            found = {"issuer": lab.issuer.url, "jwks_uri": other.url + "/keys"}
            return 200, JSON, json.dumps(found).encode()

        lab.issuer.answer = answer
        with pytest.raises(AuthUnavailableError):
            await lab.verifier.verify_token(lab.issuer.token(), CALL)
        assert other.requests.total() == 0


def test_a_key_is_for_its_own_algorithm() -> None:
    private = rsa.generate_private_key(65537, 2048)
    signature = private.sign(b"signed", padding.PKCS1v15(), hashes.SHA384())
    token = ParsedJWT("RS384", "k1", "at+jwt", {}, b"signed", signature)
    key = Key("k1", "RS256", private).jwk()
    undeclared = {name: value for name, value in key.items() if name != "alg"}
    family = ["RS256", "RS384"]
    assert KeySet({"keys": [undeclared]}, family).verifies(token)
    assert not KeySet({"keys": [undeclared | {"alg": "RS256"}]}, family).verifies(token)


KEY = Key.new("good", "ES256").jwk()
OTHER = Key.new("other", "ES256").jwk()
SHORT = {"kty": "RSA", "kid": "b", "n": "_" * 171, "e": "AQAB"}


@pytest.mark.parametrize(
    ("keys", "has", "only"),
    [
        pytest.param([KEY], ["good"], True, id="one key"),
        pytest.param([KEY | {"alg": "ES256"}], ["good"], True, id="its algorithm"),
        pytest.param([KEY | {"alg": "ES384"}], None, False, id="another algorithm"),
        pytest.param([KEY | {"use": "enc"}], None, False, id="for encryption"),
        pytest.param([KEY | {"d": "AA"}], None, False, id="a private key"),
        pytest.param([KEY, {"kty": "RSA", "kid": "b", "n": "AA", "e": "AQAB"}], ["good"], True, id="a broken one"),
        pytest.param([KEY, SHORT], ["good"], True, id="a short RSA key"),
        pytest.param([KEY, {"kty": "oct", "kid": "good", "k": "AAAA"}], ["good"], True, id="a symmetric one"),
        pytest.param([KEY, {"kty": "PQC", "kid": "b"}, 1, "x", None], ["good"], True, id="what nobody knows"),
        pytest.param([{"kty": "oct", "kid": "a", "k": "AAAA"}], None, False, id="a symmetric one alone"),
        pytest.param([KEY, OTHER], ["good", "other"], False, id="two"),
        pytest.param([KEY | {"crv": "P-384"}], None, False, id="another curve"),
    ],
)
def test_key_sets(keys: list[Any], has: list[str] | None, only: bool) -> None:
    if has is None:
        with pytest.raises(ValueError, match="no key"):
            KeySet({"keys": keys}, ["ES256"])
        return
    found = KeySet({"keys": keys}, ["ES256"])
    assert all(found.has(kid) for kid in has)
    assert found.has("") == only
    assert not found.has("b")


@pytest.mark.parametrize(("bits", "good"), [(1024, False), (2040, False), (2048, True)])
def test_short_rsa_keys(bits: int, good: bool) -> None:
    key = Key("k1", "RS256", rsa.generate_private_key(65537, bits)).jwk()
    if good:
        assert KeySet({"keys": [key]}, ["RS256"]).has("k1")
        return
    with pytest.raises(ValueError, match="no key"):
        KeySet({"keys": [key]}, ["RS256"])


def test_header_of_flood_tokens() -> None:
    """The flood's tokens differ from good ones by their signature alone."""
    evil = Issuer([Key.new("k1")])
    assert evil.token().split(".")[0] == b64(json.dumps(evil.header()).encode())
