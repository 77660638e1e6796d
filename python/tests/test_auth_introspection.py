# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Tokens that are looked up (RFC 7662)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from auth_issuer import GONE, RESOURCE, In, Key
from auth_issuer import Issuer as Server

from mcp_grpc.auth import AuthUnavailableError, Call, Introspection, InvalidCredentialError, Issuer

CALL = Call("/x", ())


class Lab:
    """An endpoint, and what it was asked."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.asked: list[Mapping[str, str]] = []
        self.status, self.answer = 200, active()
        server.token_answer = self.reply

    def reply(self, form: Mapping[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        assert base64.b64decode(authorization.removeprefix("Basic ")) == b"mcp:s%3Acret"
        self.asked.append(form)
        now = int(time.time())
        return self.status, {k: now + v if isinstance(v, In) else v for k, v in self.answer.items()}

    def verifier(self, **changes: Any) -> Introspection:
        issuer = Issuer(self.server.url)
        endpoint = self.server.url + "/token"
        return Introspection(issuer, endpoint, "mcp", "s:cret", **{"resource": RESOURCE, **changes})


def active(**changes: Any) -> dict[str, Any]:
    """What an endpoint says of a good token."""
    said = {"active": True, "sub": "ann", "aud": RESOURCE, "client_id": "app", "scope": "read", "exp": In(600)}
    return {k: v for k, v in (said | changes).items() if v is not GONE}


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with Server([Key.new("k1")]) as server:
        yield Lab(server)


ANY_AUDIENCE = {"allow_missing_audience": True}


@pytest.mark.parametrize(
    ("config", "answer", "good"),
    [
        pytest.param({}, active(), True, id="active"),
        pytest.param({}, {"active": False}, False, id="not active"),
        pytest.param({}, active(active=GONE), False, id="not said whether active"),
        pytest.param({}, active(active="true"), False, id="active in a string"),
        pytest.param({}, active(active=1), False, id="active as a number"),
        pytest.param({}, active(active=False, Active=True), False, id="active in another case"),
        pytest.param({}, active(iss="https://evil.example"), False, id="of another issuer"),
        pytest.param({}, active(aud="https://other.example"), False, id="for another server"),
        pytest.param({}, active(aud=GONE), False, id="for nobody in particular"),
        pytest.param(ANY_AUDIENCE, active(aud=GONE), True, id="for nobody in particular, where that is right"),
        pytest.param(ANY_AUDIENCE, active(aud="x"), False, id="for another server, where that is right"),
        pytest.param({}, active(exp=In(-61)), False, id="expired"),
        pytest.param({}, active(exp=GONE), False, id="without end"),
        pytest.param({}, active(sub=GONE), False, id="nobody's"),
        pytest.param({}, active(Sub="root"), False, id="a claim that looks like sub"),
        pytest.param({}, active(cnf={"x5t#S256": "x"}), False, id="bound to a certificate"),
        pytest.param({}, active(cnf={"jkt": "x"}), False, id="bound by DPoP"),
    ],
)
async def test_answers(lab: Lab, config: Any, answer: dict[str, Any], good: bool) -> None:
    lab.answer, verifier = answer, lab.verifier(**config)
    for _ in range(2):  # from the cache, too
        if good:
            found = await verifier.verify_token("opaque", CALL)
            assert found is not None
            assert (found.id, found.method, found.by_token) == (f"{lab.server.url}|ann", "introspection", True)
        else:
            with pytest.raises(InvalidCredentialError) as e:
                await verifier.verify_token("opaque", CALL)
            assert "opaque" not in str(e.value)
    assert lab.asked == [{"token": "opaque", "token_type_hint": "access_token"}]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (503, '"SECRET"'),
        (401, '{"error":"SECRET"}'),
        (302, "{}"),
        (200, '["SECRET"]'),
        (200, json.dumps(active())[:-1] + ',"active":true}'),
    ],
)
async def test_outages(lab: Lab, status: int, text: str) -> None:
    async def answer(_: str) -> tuple[int, str, bytes]:
        return status, "application/json", text.encode()

    lab.server.answer = answer
    with pytest.raises(AuthUnavailableError) as e:
        await lab.verifier().verify_token("opaque", CALL)
    assert "SECRET" not in str(e.value)


async def test_the_cache_and_floods(lab: Lab) -> None:
    passed, began = [0.0], time.time()
    verifier = lab.verifier(clock=(lambda: passed[0], lambda: began + passed[0]))

    async def good(token: str) -> bool:
        try:
            return await verifier.verify_token(token, CALL) is not None
        except InvalidCredentialError:
            return False

    assert await good("a")
    assert await good("a")
    lab.answer = {"active": False}
    assert await good("a"), "just revoked"
    assert len(lab.asked) == 1
    passed[0] += 60
    assert not await good("a")
    assert not await good("a")
    assert len(lab.asked) == 2
    refused = 0
    for i in range(300):
        try:
            await good(f"flood{i}")
        except AuthUnavailableError:
            refused += 1
    assert refused == 300 + 1 - 100
    assert len(lab.asked) <= 102
    passed[0] += 1
    assert not await good("b"), "it goes on after the flood"


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        ({"endpoint": ""}, "https"),
        ({"endpoint": "http://as.example/introspect"}, "https"),
        ({"client_secret": ""}, "client_secret"),
        ({"resource": ""}, "audience"),
    ],
)
def test_mistakes(changes: dict[str, Any], want: str) -> None:
    good = {"endpoint": "https://as.example/i", "client_id": "mcp", "client_secret": "s", "resource": RESOURCE}
    with pytest.raises(ValueError, match=want):
        Introspection(Issuer("https://as.example"), **(good | changes))
