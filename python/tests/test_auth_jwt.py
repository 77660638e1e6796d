# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Access tokens that are JWTs: what gets in, and what does not (SPEC.md §14.2, RFC 9068)."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from auth_certs import CA
from auth_issuer import GONE, RESOURCE, In, Issuer, Key, b64
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_grpc.auth import Call, CredentialError, InvalidCredentialError, JWTVerifier, Principal
from mcp_grpc.auth import Issuer as Config
from mcp_grpc.auth.jwt_parse import NotJWTError, parse_jwt

CALL = Call("/x", ())
NOW = int(time.time())


def verifier(issuer: Issuer, **changes: Any) -> JWTVerifier:
    """Knows the issuer's keys: nothing is fetched."""
    changes = {"algorithms": [issuer.keys[0].algorithm], "jwks": issuer.jwks()} | changes
    return JWTVerifier([Config(issuer.url, **changes)], resource=RESOURCE)


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer([Key.new("k1", "ES256")])


async def test_the_principal(issuer: Issuer) -> None:
    found = await verifier(issuer).verify_token(issuer.token(), CALL)
    assert found is not None
    assert (found.id, found.client_id, found.scopes) == (f"{issuer.url}|ann", "app", ("read", "write"))
    assert (found.method, found.credential_id) == ("jwt", "token-1")
    assert found.expires is not None
    assert abs(found.expires - time.time() - 600) < 10
    assert found.claims is not None
    assert found.claims["sub"] == "ann"


ID_TOKENS: Mapping[str, Any] = {"insecure_id_tokens": True, "clients": ["app"], "group_scopes": {"staff": ["read"]}}


@pytest.mark.parametrize(
    ("config", "header", "claims"),
    [
        pytest.param({}, {}, {}, id="a token of RFC 9068"),
        pytest.param({}, {"typ": "application/at+jwt"}, {}, id="the type with application/"),
        pytest.param({}, {"typ": "AT+JWT"}, {}, id="the type in capitals"),
        pytest.param({}, {}, {"aud": ["https://other.example", RESOURCE]}, id="one of several audiences"),
        pytest.param(
            {"audiences": ["https://mcp.example.com"]}, {}, {"aud": "https://mcp.example.com/"}, id="the root's slash"
        ),
        pytest.param({}, {}, {"exp": In(-30)}, id="just expired"),
        pytest.param({}, {}, {"iat": In(50), "nbf": In(50)}, id="a little in the future"),
        pytest.param({}, {}, {"iat": GONE}, id="without times but the end"),
        pytest.param({}, {}, {"exp": NOW + 600.5}, id="an end with a fraction"),
        pytest.param({}, {"kid": GONE}, {}, id="no key id where there is one key"),
        pytest.param({}, {}, {"scope": GONE}, id="no scope"),
        pytest.param({"types": ["JWT"]}, {"typ": "JWT"}, {}, id="a plain JWT where it is allowed"),
        pytest.param({"types": [""]}, {"typ": GONE}, {"client_id": GONE, "azp": "app"}, id="no type where allowed"),
        pytest.param({"clients": ["app"]}, {}, {}, id="the client that is allowed"),
        pytest.param({"scope_claim": "scp"}, {}, {"scp": ["read", "write"]}, id="scopes in an array"),
        pytest.param({"tenant_claim": "tid"}, {}, {"tid": "acme"}, id="a tenant"),
        pytest.param({"max_lifetime": 360000}, {}, {"exp": In(350000)}, id="a long life where it is allowed"),
        pytest.param(
            ID_TOKENS,
            {"typ": GONE},
            {"client_id": GONE, "azp": "app", "at_hash": "x", "nonce": "y", "scope": GONE, "groups": ["staff"]},
            id="an ID token where nothing else is to be had",
        ),
    ],
)
async def test_accepted(issuer: Issuer, config: Any, header: Any, claims: Any) -> None:
    assert await verifier(issuer, **config).verify_token(issuer.token(header, **claims), CALL) is not None


@pytest.mark.parametrize(
    ("config", "header", "claims"),
    [
        pytest.param({}, {"alg": "none"}, {}, id="alg none"),
        pytest.param({}, {"alg": "nOnE"}, {}, id="alg nOnE"),
        pytest.param({}, {"alg": GONE}, {}, id="no alg"),
        pytest.param({}, {"alg": ["ES256"]}, {}, id="alg in an array"),
        pytest.param({}, {"alg": "ES384"}, {}, id="another algorithm of the family"),
        pytest.param({}, {"alg": "RS256"}, {}, id="another family"),
        pytest.param({}, {"alg": "HS256"}, {}, id="a symmetric algorithm"),
        pytest.param({}, {"typ": "JWT"}, {}, id="an ID token's type"),
        pytest.param({}, {"typ": GONE}, {}, id="no type"),
        pytest.param({}, {"typ": "logout+jwt"}, {}, id="a logout token"),
        pytest.param({}, {"typ": "oauth-id-jag+jwt"}, {}, id="an ID-JAG"),
        pytest.param({}, {"typ": "dpop+jwt"}, {}, id="a DPoP proof"),
        pytest.param({}, {"typ": "client-authentication+jwt"}, {}, id="a client assertion"),
        pytest.param({}, {"typ": "at+jwt2"}, {}, id="a type that begins right"),
        pytest.param({}, {"jwk": {"kty": "oct", "k": "AA"}}, {}, id="a key in the header"),
        pytest.param({}, {"jku": "https://evil.example/keys"}, {}, id="where a key is"),
        pytest.param({}, {"x5u": "https://evil.example/cert"}, {}, id="where a certificate is"),
        pytest.param({}, {"x5c": ["AA"]}, {}, id="a certificate"),
        pytest.param({}, {"crit": ["b64"], "b64": False}, {}, id="a critical extension"),
        pytest.param({}, {"b64": False}, {}, id="a payload that is not encoded"),
        pytest.param({}, {"zip": "DEF"}, {}, id="compression"),
        pytest.param({}, {"cty": "JWT"}, {}, id="a nested token"),
        pytest.param({}, {"Alg": "none"}, {}, id="a member that looks like alg"),
        pytest.param({}, {"kid": ["k1"]}, {}, id="a key id in an array"),
        pytest.param({}, {"kid": ""}, {}, id="an empty key id"),
        pytest.param({}, {"kid": "k" * 129}, {}, id="a very long key id"),
        pytest.param({}, {"kid": "../../dev/null"}, {}, id="a path for key id"),
        pytest.param({}, {"kid": "' OR 1=1 --"}, {}, id="SQL for key id"),
        pytest.param({}, {"kid": "\x00"}, {}, id="a null byte for key id"),
        pytest.param({}, {}, {"aud": GONE}, id="no audience"),
        pytest.param({}, {}, {"aud": ""}, id="an empty audience"),
        pytest.param({}, {}, {"aud": []}, id="an empty array of audiences"),
        pytest.param({}, {}, {"aud": 1}, id="a number for audience"),
        pytest.param({}, {}, {"aud": [RESOURCE, 1]}, id="a number among audiences"),
        pytest.param({}, {}, {"aud": "https://other.example"}, id="another audience"),
        pytest.param({}, {}, {"aud": "https://mcp.example.com"}, id="a prefix of the audience"),
        pytest.param({}, {}, {"aud": RESOURCE + "/x"}, id="an audience below ours"),
        pytest.param({}, {}, {"aud": RESOURCE + "/"}, id="the audience with a slash"),
        pytest.param({}, {}, {"aud": "https://MCP.example.com/base"}, id="the audience in capitals"),
        pytest.param({}, {}, {"aud": "https://mcp.example.com:443/base"}, id="the audience with its port"),
        pytest.param({}, {}, {"aud": "https://mcp.example.com/%62ase"}, id="the audience with an escape"),
        pytest.param({}, {}, {"aud": "http://mcp.example.com/base"}, id="the audience over http"),
        pytest.param({}, {}, {"exp": In(-61)}, id="expired"),
        pytest.param({}, {}, {"exp": GONE}, id="no end"),
        pytest.param({}, {}, {"exp": (NOW + 600) * 1000}, id="an end in milliseconds"),
        pytest.param({}, {}, {"exp": str(NOW + 600)}, id="an end in a string"),
        pytest.param({}, {}, {"exp": 1e300}, id="an end out of this world"),
        pytest.param({}, {}, {"exp": True}, id="an end that is true"),
        pytest.param({}, {}, {"exp": 0}, id="an end at 0"),
        pytest.param({}, {}, {"exp": -1}, id="an end before 1970"),
        pytest.param({}, {}, {"exp": In(24 * 3600 + 900)}, id="a life that is too long"),
        pytest.param({}, {}, {"nbf": In(900)}, id="not yet valid"),
        pytest.param({}, {}, {"nbf": "0"}, id="not yet valid, in a string"),
        pytest.param({}, {}, {"iat": In(900)}, id="issued in the future"),
        pytest.param({}, {}, {"sub": GONE}, id="no subject"),
        pytest.param({}, {}, {"sub": ""}, id="an empty subject"),
        pytest.param({}, {}, {"sub": 1}, id="a number for subject"),
        pytest.param({}, {}, {"sub": "ann\nroot"}, id="a subject with a line break"),
        pytest.param({}, {}, {"sub": "ann\ud800"}, id="a subject with half a character"),
        pytest.param({}, {}, {"Aud": "https://other.example"}, id="a claim that looks like aud"),
        pytest.param({}, {}, {"SUB": "root"}, id="a claim that looks like sub"),
        pytest.param({}, {}, {"iſs": "https://evil.example"}, id="a claim that folds to iss"),
        pytest.param({}, {}, {"scope": ["read", 1]}, id="scopes in an array with a number"),
        pytest.param({}, {}, {"scope": "read\twrite"}, id="scopes with a tab between"),
        pytest.param({}, {}, {"scope": "read\u00a0write"}, id="scopes with a no-break space"),
        pytest.param({}, {}, {"scope": "read  write"}, id="scopes with two spaces"),
        pytest.param({}, {}, {"scope": {"read": True}}, id="scopes in an object"),
        pytest.param({}, {}, {"cnf": {"jkt": "x"}}, id="bound by DPoP"),
        pytest.param({}, {}, {"cnf": {"jkt": "x", "x5t#S256": "y"}}, id="bound by both"),
        pytest.param({}, {}, {"cnf": {}}, id="bound to nothing"),
        pytest.param({}, {}, {"cnf": None}, id="bound to null"),
        pytest.param({}, {}, {"cnf": "x"}, id="bound in a way that is none"),
        pytest.param({}, {}, {"cnf": {"x5t#S256": "x"}}, id="bound to a certificate that is not there"),
        pytest.param({"types": ["JWT"]}, {"typ": "JWT"}, {"nonce": "x"}, id="an ID token where plain JWTs are allowed"),
        pytest.param({"types": ["JWT"]}, {"typ": "JWT"}, {"at_hash": "x"}, id="an ID token with a hash"),
        pytest.param({"types": ["JWT"]}, {"typ": "JWT"}, {"client_id": GONE}, id="a plain JWT without client"),
        pytest.param({"clients": ["other"]}, {}, {}, id="a client that is not allowed"),
        pytest.param({"tenant_claim": "tid"}, {}, {}, id="no tenant"),
    ],
)
async def test_refused(issuer: Issuer, config: Any, header: Any, claims: Any) -> None:
    with pytest.raises(InvalidCredentialError):
        await verifier(issuer, **config).verify_token(issuer.token(header, **claims), CALL)


def symmetric(key: bytes, body: str) -> str:
    signed = b64(b'{"alg":"HS256","kid":"k1","typ":"at+jwt"}') + "." + body
    return f"{signed}.{b64(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def wrong_bytes(issuer: Issuer) -> list[tuple[str, str, bool]]:
    """What is no proper JWT, or is signed by somebody else; and whether another verifier may know it."""
    good = issuer.token()
    head, body, signature = good.split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    unused_bit = signature[:-1] + alphabet[alphabet.index(signature[-1]) ^ 1]
    header, full = json.dumps(issuer.header()), json.dumps(issuer.claims())
    public = issuer.keys[0].private.public_key()
    der, pem = (
        public.public_bytes(e, serialization.PublicFormat.SubjectPublicKeyInfo)
        for e in (serialization.Encoding.DER, serialization.Encoding.PEM)
    )
    stranger = Issuer([Key.new("k1", "ES256")], url=issuer.url)
    nested = '{"a":' * 3000 + "1" + "}" * 3000
    return [
        ("opaque", "abc", True),
        ("dots", ".....", True),
        ("many dots", "." * 8000, True),
        ("two segments", f"{head}.{body}", True),
        ("encrypted", good + ".a.b", True),
        ("the header is not JSON", f"YWJj.{body}.{signature}", True),
        ("the header is an array", f"{b64(b'[]')}.{body}.{signature}", True),
        ("the header is null", f"{b64(b'null')}.{body}.{signature}", True),
        ("another issuer", issuer.token(iss="https://evil.example"), True),
        ("the issuer with a slash", issuer.token(iss=issuer.url + "/"), True),
        ("the issuer over http", issuer.token(iss=issuer.url.replace("https", "http")), True),
        ("a prefix of the issuer", issuer.token(iss=issuer.url[:-1]), True),
        ("no issuer", issuer.token(iss=GONE), True),
        ("not signed", f"{head}.{body}.", False),
        ("padding", f"{head}.{body}.{signature}=", False),
        ("a changed bit that nobody reads", f"{head}.{body}.{unused_bit}", False),
        ("half a signature", f"{head}.{body}.{signature[:43]}", False),
        ("garbage for signature", f"{head}.{body}.AAAA", False),
        ("the key of somebody else with our id", stranger.token(), False),
        ("signed with the public key, DER", symmetric(der, body), False),
        ("signed with the public key, PEM", symmetric(pem, body), False),
        ("claims that are not JSON", issuer.raw(header, "abc"), False),
        ("claims that are null", issuer.raw(header, "null"), False),
        ("claims in an array", issuer.raw(header, "[]"), False),
        ("two subjects", issuer.raw(header, '{"sub":"root",' + full[1:]), False),
        ("two audiences", issuer.raw(header, '{"aud":"https://other.example",' + full[1:]), False),
        ("two algorithms", issuer.raw('{"alg":"none",' + header[1:], full), True),
        ("something behind the claims", issuer.raw(header, full + "{}"), False),
        ("NaN", issuer.raw(header, '{"x":NaN,' + full[1:]), False),
        ("deep claims", issuer.raw(header, nested), False),
        ("a long number", issuer.raw(header, '{"x":' + "9" * 5000 + "," + full[1:]), False),
    ]


@pytest.mark.parametrize("row", range(31))
async def test_wrong_bytes(issuer: Issuer, row: int) -> None:
    rows = wrong_bytes(issuer)
    assert len(rows) == 31
    name, token, unknown = rows[row]
    if unknown:
        assert await verifier(issuer).verify_token(token, CALL) is None, name
    else:
        with pytest.raises(InvalidCredentialError):
            await verifier(issuer).verify_token(token, CALL)


async def test_issuers_are_apart() -> None:
    a = Issuer([Key.new("k1", "ES256")], url="https://a.example")
    b = Issuer([Key.new("k1", "ES256")], url="https://b.example")
    both = JWTVerifier(
        [Config(i.url, jwks=i.jwks(), algorithms=["ES256"]) for i in (a, b)],
        resource=RESOURCE,
    )
    for _ in range(2):  # from the cache, too
        for i in (a, b):
            found = await both.verify_token(i.token(), CALL)
            assert found is not None
            assert found.id == f"{i.url}|ann"
        for i, other in ((a, b), (b, a)):
            with pytest.raises(InvalidCredentialError):
                await both.verify_token(i.token(iss=other.url), CALL)


@pytest.mark.parametrize("signed", ["RS256", "PS256", "ES256", "EdDSA"])
async def test_algorithms(signed: str) -> None:
    """Each family with a key of its own, and under the name of another."""
    issuer = Issuer([Key.new("k1", signed)])
    for allowed in ("RS256", "PS256", "ES256", "EdDSA"):
        for header in ({}, {"alg": allowed}):
            found: Principal | None = None
            with contextlib.suppress(InvalidCredentialError, ValueError):
                found = await verifier(issuer, algorithms=[allowed]).verify_token(issuer.token(header), CALL)
            assert (found is not None) == (signed == allowed), (signed, allowed)


async def test_the_cache_ends_with_the_token(issuer: Issuer) -> None:
    clock = [0.0, 1_700_000_000.0]
    issuer = Issuer(issuer.keys, now=lambda: clock[1])
    checked = JWTVerifier(
        [Config(issuer.url, jwks=issuer.jwks(), algorithms=["ES256"])],
        resource=RESOURCE,
        clock=(lambda: clock[0], lambda: clock[1]),
    )
    token = issuer.token(exp=int(clock[1]) + 30)
    for seconds, good in ((0, True), (29, True), (60, True), (1, False)):
        clock[0] += seconds
        clock[1] += seconds
        if good:
            assert await checked.verify_token(token, CALL) is not None
        else:
            with pytest.raises(InvalidCredentialError):
                await checked.verify_token(token, CALL)


async def test_bound_tokens(issuer: Issuer) -> None:
    ca = CA("clients")
    own, other = ca.issue(), ca.issue()
    der = x509.load_pem_x509_certificate(own.pem).public_bytes(serialization.Encoding.DER)
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
    token, checked = issuer.token(cnf={"x5t#S256": thumbprint}), verifier(issuer)

    def over(pem: bytes | None) -> Call:
        tls = {"transport_security_type": [b"ssl"]} | ({"x509_pem_cert": [pem]} if pem else {})
        return Call("/x", (), "ipv4:127.0.0.1:1", tls)

    for _ in range(2):
        assert await checked.verify_token(token, over(own.pem)) is not None
        for call in (over(other.pem), over(None), CALL):
            with pytest.raises(InvalidCredentialError):
                await checked.verify_token(token, call)


@pytest.mark.parametrize(
    ("config", "want"),
    [
        ({"url": ""}, "https"),
        ({"url": "*"}, "https"),
        ({"url": "http://as.example"}, "https"),
        ({"url": "https://as.example?x"}, "query"),
        ({"url": "https://u:p@as.example"}, "password"),
        ({"url": "https://AS.example"}, "lower case"),
        ({"jwks_url": "http://as.example/keys"}, "https"),
        ({"jwks_url": "https://as.example/keys", "jwks": {}}, "one of them"),
        ({"jwks": {"x": 1}}, "JWK Set"),
        ({"jwks": {"keys": []}}, "no key"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AA"}]}}, "no key"),
        ({"audiences": [""]}, "audiences"),
        ({"audiences": "https://mcp.example.com"}, "audiences"),
        ({"algorithms": ["HS256"]}, "ES256"),
        ({"algorithms": ["RS256", "none"]}, "one family"),
        ({"algorithms": ["RS256", "ES256"]}, "one family"),
        ({"algorithms": []}, "one family"),
        ({"insecure_id_tokens": True}, "clients"),
        ({"group_scopes": {"a": ["b c"]}}, "RFC 6749"),
        ({"max_lifetime": -1}, "positive"),
    ],
)
def test_mistakes(config: Any, want: str) -> None:
    with pytest.raises(ValueError, match=want):
        JWTVerifier([Config(**({"url": "https://as.example"} | config))], resource=RESOURCE)


def test_mistakes_of_several_issuers() -> None:
    good = Config("https://as.example")
    for issuers, resource in (([], RESOURCE), ([good], ""), ([good, good], RESOURCE)):
        with pytest.raises(ValueError, match="JWT"):
            JWTVerifier(issuers, resource=resource)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(),
        st.lists(st.binary(max_size=60), min_size=3, max_size=3).map(lambda s: ".".join(b64(x) for x in s)),
        st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8), max_size=4).map(
            lambda d: ".".join([b64(json.dumps(d).encode())] * 2 + ["AA"])
        ),
    )
)
def test_anything_is_parsed_or_refused(token: str) -> None:
    try:
        parsed = parse_jwt(token)
        Config("https://as.example", algorithms=["EdDSA"]).check(parsed, [RESOURCE], NOW)
    except (NotJWTError, CredentialError):
        pass
