# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Questions of the server, and who answers them (SPEC.md §8)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import mcp.types as types
import pytest
from interop_forms import ANSWERS, elicit
from mcp.shared.exceptions import MCPError
from scripted import scripted

from mcp_grpc._gen.mcp.v1.tool_pb2 import CallToolRequest, InvokeToolResponse
from mcp_grpc.client import Callbacks, CallError, Client, InputNeeded
from mcp_grpc.client.rounds import MAX_ROUNDS
from mcp_grpc.codec import from_value, to_value

PATIENCE = 30.0
FORM = {"type": "object", "properties": {"name": {"type": "string"}}}
QUESTION = {"method": "elicitation/create", "params": {"message": "Who?", "requestedSchema": FORM}}

Answer = Callable[[dict[str, Any], dict[str, str]], dict[str, Any]]


def asking(questions: dict[str, Any], state: str | None = None) -> dict[str, Any]:
    asked: dict[str, Any] = {"resultType": "input_required", "inputRequests": questions}
    if not questions:
        del asked["inputRequests"]
    if state is not None:
        asked["requestState"] = state
    return asked


@asynccontextmanager
async def served(answer: Answer, callbacks: Callbacks | None) -> AsyncIterator[Client]:
    """Serves one tool, whose results are JSON values."""

    async def invoke(request: CallToolRequest, context: Any) -> InvokeToolResponse:
        value = answer(to_value(request), dict(context.invocation_metadata()))
        return from_value(value, InvokeToolResponse)

    async with scripted(None, None, invoke) as target, Client(target, callbacks=callbacks, timeout=PATIENCE) as client:
        yield client


def done(words: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": words}], "resultType": "complete"}


async def test_declares_what_there_are_callbacks_for() -> None:
    seen: list[dict[str, Any]] = []

    def answer(params: dict[str, Any], metadata: dict[str, str]) -> dict[str, Any]:
        seen.append(params["_meta"]["io.modelcontextprotocol/clientCapabilities"])
        return done("x")

    for callbacks in (None, Callbacks(elicit=elicit), ANSWERS):
        async with served(answer, callbacks) as client:
            await client.call_tool("t")
    assert [sorted(capabilities) for capabilities in seen] == [
        [],
        ["elicitation"],
        ["elicitation", "roots", "sampling"],
    ]


async def test_answers_under_the_same_keys_and_keeps_the_state() -> None:
    rounds: list[dict[str, Any]] = []

    def answer(params: dict[str, Any], metadata: dict[str, str]) -> dict[str, Any]:
        rounds.append(params)
        if len(rounds) == 1:
            return asking({"who": QUESTION, "where": {"method": "roots/list"}}, "state \u2028")
        if len(rounds) == 2:
            return asking({}, "busy")
        return done("x")

    async with served(answer, ANSWERS) as client:
        await client.call_tool("t", {"a": 1})
    first, second, third = rounds
    assert "requestState" not in first
    assert second["requestState"] == "state \u2028"
    assert second["inputResponses"]["who"] == {"action": "accept", "content": {"name": "Ada's name"}}
    assert second["inputResponses"]["where"]["roots"][0]["uri"] == "file:///home"
    assert (third["requestState"], "inputResponses" in third) == ("busy", False)
    assert first["arguments"] == second["arguments"] == third["arguments"] == {"a": 1}


async def test_hands_out_questions_that_nobody_answers() -> None:
    def answer(params: dict[str, Any], metadata: dict[str, str]) -> dict[str, Any]:
        return done("x") if "inputResponses" in params else asking({"who": QUESTION}, "s")

    async with served(answer, None) as client:
        with pytest.raises(InputNeeded) as needed:
            await client.call_tool("t")
        result = needed.value.result
        assert result.request_state == "s"
        assert result.input_requests is not None
        assert isinstance(result.input_requests["who"], types.ElicitRequest)
        answers: dict[str, types.InputResponse] = {"who": types.ElicitResult(action="decline")}
        again = await client.call_tool("t", input_responses=answers, request_state=result.request_state)
        assert again.content


async def test_does_not_answer_for_ever() -> None:
    calls = 0

    def answer(params: dict[str, Any], metadata: dict[str, str]) -> dict[str, Any]:
        nonlocal calls
        calls += 1
        return asking({"who": QUESTION})

    async with served(answer, ANSWERS) as client:
        with pytest.raises(CallError) as failure:
            await client.call_tool("t")
    assert failure.value.status is grpc.StatusCode.FAILED_PRECONDITION
    assert calls == MAX_ROUNDS


async def _refuses(_: types.ElicitRequestParams) -> types.ElicitResult:
    raise MCPError(-1, "not now", {"why": "asleep"})


async def _breaks(_: types.ElicitRequestParams) -> types.ElicitResult:
    raise KeyError("secret")


@pytest.mark.parametrize(
    ("callback", "code", "message"), [(_refuses, -1, "not now"), (_breaks, -32603, "internal error")]
)
async def test_raises_what_a_callback_refuses_with(
    callback: Callable[[types.ElicitRequestParams], Awaitable[types.ElicitResult]], code: int, message: str
) -> None:
    async with served(lambda *_: asking({"who": QUESTION}), Callbacks(elicit=callback)) as client:
        with pytest.raises(MCPError) as refusal:
            await client.call_tool("t")
    assert (refusal.value.code, refusal.value.message) == (code, message)


async def test_says_that_a_question_or_an_answer_is_malformed() -> None:
    odd = {"method": "elicitation/create", "params": {"message": 7}}
    async with served(lambda *_: asking({"who": odd}), ANSWERS) as client:
        with pytest.raises(MCPError) as refusal:
            await client.call_tool("t")
        assert refusal.value.code == -32602
    async with served(lambda *_: {"content": [{"type": "text", "text": 7}]}, None) as client:
        with pytest.raises(CallError, match="malformed answer") as failure:
            await client.call_tool("t")
        assert failure.value.status is grpc.StatusCode.INTERNAL
