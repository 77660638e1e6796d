# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Credentials on the multiplexed stream of the typed client, and servers that refuse them."""

from __future__ import annotations

import grpc
import pytest
from scripted import Stream, refusing, said, scripted, serve_calls, words_of

from mcp_grpc.auth.challenge import Challenge
from mcp_grpc.auth.client_auth import ClientAuth
from mcp_grpc.client import CallError, Client
from mcp_grpc.codec import RpcFailure, frame_error

PATIENCE = 30.0


class _Tokens(ClientAuth):
    """Has a better token after each refusal, three in all."""

    def __init__(self) -> None:
        self.token = 0
        self.challenges: list[Challenge] = []

    async def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer t{self.token}"),)

    async def refused(self, challenge: Challenge) -> bool:
        self.challenges.append(challenge)
        self.token += 1
        return self.token < 4


async def test_opens_the_stream_again_with_a_better_token() -> None:
    tokens = _Tokens()

    async def connect(stream: Stream) -> None:
        if stream.metadata["authorization"] == "Bearer t0":
            # Of streams, grpc.aio may lose the headers: the details say the same.
            challenge = Challenge("invalid_token", ("a", "b"))
            failure = RpcFailure(grpc.StatusCode.UNAUTHENTICATED, "who?", None, (challenge.info(),))
            await stream.fail(failure, (("www-authenticate", challenge.header()),))
        await stream.hello()
        await serve_calls(stream)

    async with scripted(connect) as target, Client(target, timeout=PATIENCE, auth=tokens) as client:
        assert words_of(await client.call_tool("a")) == "a"
    assert tokens.challenges == [Challenge("invalid_token", ("a", "b"))]


async def test_makes_a_call_on_another_stream_that_needs_more_scopes() -> None:
    tokens = _Tokens()
    opened: list[str] = []

    async def connect(stream: Stream) -> None:
        opened.append(stream.metadata["authorization"])
        await stream.hello()
        while (call := await stream.read()) is not None:
            if call.call.call_tool.name == "admin" and opened == ["Bearer t0"]:
                data = {"reason": "insufficient_scope", "scope": "admin"}
                refusal = RpcFailure.of(-32600, "no", data, grpc.StatusCode.PERMISSION_DENIED)
                await stream.answer(call, error=frame_error(refusal))
            elif call.HasField("call"):
                await stream.answer(call, call_tool=said(call.call.call_tool.name))

    async with scripted(connect) as target, Client(target, timeout=PATIENCE, auth=tokens) as client:
        assert words_of(await client.call_tool("a")) == "a"
        assert words_of(await client.call_tool("admin")) == "admin"
        assert words_of(await client.call_tool("b")) == "b"
    assert opened == ["Bearer t0", "Bearer t1"]
    assert tokens.challenges == [Challenge("insufficient_scope", ("admin",))]


async def test_a_call_that_is_denied_is_not_made_again() -> None:
    denial = RpcFailure.of(-32600, "no", {"reason": "access_denied"}, grpc.StatusCode.PERMISSION_DENIED)
    connect, calls = refusing(denial)
    async with scripted(connect) as target, Client(target, timeout=PATIENCE, auth=_Tokens()) as client:
        with pytest.raises(CallError) as failure:
            await client.call_tool("a")
    assert failure.value.data == {"reason": "access_denied"}
    assert len(calls) == 1


async def test_says_why_a_stream_was_refused_every_time() -> None:
    """A write that meets the end of the RPC hides the status in gRPC."""

    async def connect(stream: Stream) -> None:
        await stream.fail(RpcFailure(grpc.StatusCode.UNAUTHENTICATED, "who?"), (("www-authenticate", "Bearer"),))

    async with scripted(connect) as target, Client(target, timeout=PATIENCE) as client:
        for _ in range(150):
            with pytest.raises(CallError, match="who") as failure:
                await client.ping()
            assert failure.value.status is grpc.StatusCode.UNAUTHENTICATED


class _NoTokens(ClientAuth):
    def __init__(self, error: Exception) -> None:
        self.error = error

    async def metadata(self) -> tuple[tuple[str, str], ...]:
        raise self.error


@pytest.mark.parametrize("multiplexed", [True, False])
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OSError("secret"), grpc.StatusCode.UNAVAILABLE),
        (PermissionError("secret"), grpc.StatusCode.UNAUTHENTICATED),
        (ValueError("secret"), grpc.StatusCode.UNAUTHENTICATED),
    ],
)
async def test_a_call_without_credentials_fails(error: Exception, status: grpc.StatusCode, multiplexed: bool) -> None:
    async with Client("127.0.0.1:1", auth=_NoTokens(error), multiplexed=multiplexed) as client:
        with pytest.raises(CallError) as failure:
            await client.ping()
    assert failure.value.status is status
    assert "secret" not in str(failure.value)
