# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Multi round-trip requests for clients of the legacy era: SPEC.md §8, last bullet.

A handler that needs input returns an ``InputRequiredResult``. A modern client gets that and calls again; a legacy one
is asked by requests in its session, and the handler is called again with the answers.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp_types import (
    INTERNAL_ERROR,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    InputRequiredResult,
    InputResponseRequestParams,
)
from mcp_types.methods import INPUT_REQUIRED_METHODS, is_input_required
from pydantic import BaseModel

from mcp_grpc.server.context import CallContext, current_call

if TYPE_CHECKING:
    from mcp.server import Server as LowLevelServer

# How often a handler may ask anew: one that never stops must not hold a call for ever.
_MAX_ROUNDS = 16

_CAPABILITIES = {"elicitation/create": "elicitation", "sampling/createMessage": "sampling", "roots/list": "roots"}


class LegacyServer:
    """A user's server as a legacy session sees it: none of its results asks for input."""

    def __init__(self, server: LowLevelServer[Any]) -> None:
        self._server = server

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    def get_request_handler(self, method: str) -> Any:
        """The handler of a method, which asks the client itself."""
        entry = self._server.get_request_handler(method)
        if entry is None or method not in INPUT_REQUIRED_METHODS:
            return entry
        handler: Any = entry.handler

        async def asking(context: ServerRequestContext[Any, Any], params: Any) -> Any:
            for _ in range(_MAX_ROUNDS):
                result = await handler(context, params)
                if not is_input_required(result):
                    return result
                params = await _answered(context, params, result)
            raise MCPError(INTERNAL_ERROR, f"the server has asked {_MAX_ROUNDS} times, and is not done")

        return replace(entry, handler=asking)


async def _answered(context: ServerRequestContext[Any, Any], params: BaseModel, result: Any) -> BaseModel:
    """The params of the next round, with the client's answers."""
    required = InputRequiredResult.model_validate(result)
    call = current_call()
    assert call is not None
    asked = required.input_requests or {}
    for request in asked.values():
        _need(context, request.method)
    answers: list[Any] = await _all(call, list(asked.values()))
    update = InputResponseRequestParams.model_validate(
        {"inputResponses": dict(zip(asked, answers, strict=True)), "requestState": required.request_state}
    )
    return params.model_copy(update={"input_responses": update.input_responses, "request_state": update.request_state})


async def _all(call: CallContext, requests: list[Any]) -> list[Any]:
    if not requests:
        await asyncio.sleep(0.05)  # "try again"; the server has not said when
        return []
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_ask(call, request)) for request in requests]
    except BaseExceptionGroup as group_error:
        raise group_error.exceptions[0] from None
    return [task.result() for task in tasks]


async def _ask(call: CallContext, request: BaseModel) -> dict[str, Any]:
    message = request.model_dump(by_alias=True, mode="json", exclude_none=True)
    return await call.send_raw_request(message["method"], message.get("params"))


def _need(context: ServerRequestContext[Any, Any], method: str) -> None:
    """Refuse to ask for what the client has not declared; -32021."""
    name = _CAPABILITIES.get(method)
    declared = cast("Any", context.session.client_capabilities)
    if name is not None and getattr(declared, name, None) is None:
        raise MCPError(
            MISSING_REQUIRED_CLIENT_CAPABILITY,
            f"the client has not declared {name}",
            {"requiredCapabilities": {name: {}}},
        )
