# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Calls that the server answers with questions (SPEC.md §8)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import mcp.types as types

from mcp_grpc.client.asked import Callbacks
from mcp_grpc.client.convert import model_of, value_of
from mcp_grpc.client.error import CallError, InputNeeded

MAX_ROUNDS = 10
"""How often a server may ask within one call, as in the SDK's own client."""

# Seconds before a server that is only busy is asked again, and how long they grow; as in the SDK's own client.
_BUSY_PAUSE, _LONGEST_PAUSE = 0.05, 0.25


async def in_rounds(
    callbacks: Callbacks, params: dict[str, Any], once: Callable[[dict[str, Any]], Awaitable[Any]]
) -> Any:
    """Answers questions by the callbacks, and gives the outcome that is none.

    Args:
        callbacks: who answers.
        params: those of the first call.
        once: makes a call; its outcome has a field `input_required`.

    Raises:
        InputNeeded: there is no callback for what is asked.
        CallError: a call has failed, or the server asks too often.
        MCPError: a callback has refused.
    """
    pause = _BUSY_PAUSE
    for _ in range(MAX_ROUNDS):
        outcome = await once(params)
        if not outcome.HasField("input_required"):
            return outcome
        asked = value_of(outcome.input_required)
        questions = asked.get("inputRequests") or {}
        if not callbacks.knows(questions):
            raise InputNeeded(model_of(asked, types.InputRequiredResult))
        params = {k: v for k, v in params.items() if k not in ("inputResponses", "requestState")}
        if questions:
            params["inputResponses"] = await callbacks.answers(questions)
        else:
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        if "requestState" in asked:
            params["requestState"] = asked["requestState"]
    raise CallError.plain(grpc.StatusCode.FAILED_PRECONDITION, f"the server asked more than {MAX_ROUNDS} times")
