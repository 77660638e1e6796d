# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Tokens in headers, static ones, and how several credentials go together (SPEC.md §14.2)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from mcp_grpc.auth import (
    AuthUnavailableError,
    Bearer,
    Call,
    CredentialError,
    Grant,
    InvalidCredentialError,
    MalformedCredentialError,
    Principal,
    StaticTokens,
)
from mcp_grpc.auth.authenticator import authenticate, check_presentation
from mcp_grpc.auth.bearer import MAX_TOKEN_BYTES, bearer_token
from mcp_grpc.auth.error import AbsentCredentialError
from mcp_grpc.auth.principal import CLOCK_SKEW, Revocation

LONG = "a" * MAX_TOKEN_BYTES
MALFORMED = MalformedCredentialError


def shown(*values: str) -> Call:
    return Call("/test.Echo/Unary", tuple(("authorization", v) for v in values), "ipv4:127.0.0.1:1")


@pytest.mark.parametrize(
    ("value", "want"),
    [
        ("Bearer abc", "abc"),
        ("bEARER abc", "abc"),
        ("Bearer aZ09-._~+/==", "aZ09-._~+/=="),
        ("Basic abc", None),
        ("BearerX abc", None),
        ("DPoP abc", None),
        ("", None),
        ("Bearer", MALFORMED),
        ("Bearer ", MALFORMED),
        ("Bearer ==", MALFORMED),
        ("Bearer  abc", MALFORMED),
        ("Bearer\tabc", MALFORMED),
        ("Bearer abc ", MALFORMED),
        ("Bearer abc def", MALFORMED),
        ("Bearer abc, Bearer def", MALFORMED),
        ("Bearer a=b", MALFORMED),
        ('Bearer "abc"', MALFORMED),
        ("Bearer äbc", MALFORMED),
        ("Bearer abc\n", MALFORMED),
        ("Bearer " + LONG, LONG),
        ("Bearer " + LONG + "a", InvalidCredentialError),
    ],
)
def test_bearer_token(value: str, want: Any) -> None:
    if isinstance(want, type):
        with pytest.raises(want):
            bearer_token(shown(value))
    else:
        assert bearer_token(shown(value)) == want


def test_no_header_is_no_token() -> None:
    assert bearer_token(shown()) is None


A, K = ("authorization", "Bearer a"), ("x-mcp-api-key", "a")


@pytest.mark.parametrize(
    ("metadata", "bad"),
    [
        ((), False),
        ((A,), False),
        ((K,), False),
        ((A, A), True),
        ((("authorization", "Basic a"), A), True),
        ((K, K), True),
        ((A, K), True),
        ((("authorization", ""), K), True),
        ((("authorization-bin", b"a"),), True),
        ((("x-mcp-api-key-bin", b"a"),), True),
        ((("cookie", "access_token=a"),), False),
    ],
)
def test_presentation(metadata: Any, bad: bool) -> None:
    call = Call("/x", metadata)
    if bad:
        with pytest.raises(MalformedCredentialError):
            check_presentation(call)
    else:
        check_presentation(call)


class Fixed:
    """Gives what it holds."""

    scheme = ""

    def __init__(self, result: Principal | CredentialError | None = None) -> None:
        self._result = result

    async def authenticate(self, call: Call) -> Principal | None:
        if isinstance(self._result, CredentialError):
            raise self._result
        return self._result


TOKEN, KEY = Principal("ann", "jwt"), Principal("bob", "api-key")
CERT, PEER = Principal("proxy", "certificate"), Principal("uid:1", "unix-peer")
BAD = InvalidCredentialError("bad")


def expired(seconds: float) -> Principal:
    return Principal("cid", "api-key", expires=time.time() - seconds)


def revoked() -> Principal:
    revocation = Revocation()
    revocation.revoke()
    return Principal("dan", "api-key", revocation=revocation)


@pytest.mark.parametrize(
    ("given", "caller", "holder"),
    [
        ([None, None], AbsentCredentialError, ""),
        ([None, TOKEN], "ann", ""),
        ([CERT], "proxy", ""),
        ([CERT, TOKEN], "ann", "proxy"),
        ([TOKEN, CERT], "ann", "proxy"),
        ([TOKEN, KEY], MalformedCredentialError, ""),
        ([CERT, PEER], MalformedCredentialError, ""),
        ([TOKEN, BAD], InvalidCredentialError, ""),
        ([BAD, TOKEN], InvalidCredentialError, ""),
        ([AuthUnavailableError("down"), TOKEN], AuthUnavailableError, ""),
        ([lambda: expired(CLOCK_SKEW + 1)], InvalidCredentialError, ""),
        ([lambda: expired(CLOCK_SKEW / 2)], "cid", ""),
        ([revoked()], InvalidCredentialError, ""),
    ],
)
async def test_credentials_combine(given: Any, caller: Any, holder: str) -> None:
    # What is about the time is made now, not when the tests were collected.
    authenticators = [Fixed(g() if callable(g) else g) for g in given]
    if isinstance(caller, type):
        with pytest.raises(caller):
            await authenticate(Call("/x", ()), authenticators)
        return
    found = await authenticate(Call("/x", ()), authenticators)
    assert found.subject == caller
    assert (found.connection.subject if found.connection else "") == holder
    assert TOKEN.connection is None, "a shared principal was changed"


@pytest.mark.parametrize(
    ("peer", "local"),
    [
        ("ipv4:127.0.0.1:80", True),
        ("ipv4:127.1.2.3:80", True),
        ("ipv6:[::1]:80", True),
        ("ipv6:%5B::1%5D:80", True),
        ("ipv6:[::ffff:127.0.0.1]:80", True),
        ("unix:", True),
        ("unix:/tmp/x", True),
        ("ipv4:192.0.2.1:80", False),
        ("ipv4:127.0.0.1.evil.example:80", False),
        ("ipv6:[2001:db8::1]:80", False),
        ("vsock:1:2", False),
        ("", False),
    ],
)
async def test_static_tokens_are_for_this_machine(peer: str, local: bool) -> None:
    bearer = Bearer(StaticTokens({"secret": Grant("dev")}))
    call = Call("/x", (("authorization", "Bearer secret"),), peer)
    if not local:
        with pytest.raises(InvalidCredentialError, match="outside"):
            await bearer.authenticate(call)
        bearer = Bearer(StaticTokens({"secret": Grant("dev")}, insecure_everywhere=True))
    found = await bearer.authenticate(call)
    assert found is not None
    assert found.id == "static-token|dev"


@pytest.mark.parametrize("token", ["other", "secre", "secretx", "SECRET"])
async def test_static_tokens_that_are_wrong(token: str) -> None:
    with pytest.raises(InvalidCredentialError):
        await Bearer(StaticTokens({"secret": Grant("dev")})).authenticate(shown("Bearer " + token))


@pytest.mark.parametrize(
    ("tokens", "want"),
    [
        ({}, "none"),
        ({"top secret": Grant("dev")}, "letters"),
        ({"": Grant("dev")}, "letters"),
        ({LONG + "a": Grant("dev")}, "letters"),
        ({"secret": Grant()}, "subject"),
    ],
)
def test_static_token_mistakes(tokens: dict[str, Grant], want: str) -> None:
    with pytest.raises(ValueError, match=want) as e:
        StaticTokens(tokens)
    assert "top secret" not in str(e.value)


def test_principal_ids_are_apart() -> None:
    ids = [
        Principal("a", "jwt", issuer="https://i").id,
        Principal("a", "jwt", issuer="https://i", tenant="t").id,
        Principal("t|a", "jwt", issuer="https://i").id,
        Principal("t%7Ca", "jwt", issuer="https://i").id,
        Principal("a", "api-key").id,
        Principal("a", "api-key", tenant="https://i").id,
    ]
    assert len(set(ids)) == len(ids), ids


def test_grants_check_scopes() -> None:
    with pytest.raises(ValueError, match="RFC 6749"):
        Grant("a", scopes=("a b",))
