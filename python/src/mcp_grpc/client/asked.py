# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""What a server asks its client, and who answers (SPEC.md §6.6, §8)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import mcp.types as types
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel, ValidationError

logger = logging.getLogger(__name__)

Elicit = Callable[[types.ElicitRequestParams], Awaitable[types.ElicitResult]]
Sample = Callable[
    [types.CreateMessageRequestParams], Awaitable[types.CreateMessageResult | types.CreateMessageResultWithTools]
]
ListRoots = Callable[[], Awaitable[types.ListRootsResult]]


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """Who answers what a server asks. A callback that is None means that the client cannot do it, and says so.

    They are called on the event loop, also several at a time, and may raise `MCPError` to refuse.
    """

    elicit: Elicit | None = None
    """Asks the user."""
    sample: Sample | None = None
    """Has a model complete messages."""
    list_roots: ListRoots | None = None
    """Names the roots of the client."""

    def capabilities(self) -> types.ClientCapabilities:
        """Gives what a client with these callbacks declares."""
        return types.ClientCapabilities(
            elicitation=types.ElicitationCapability(
                form=types.FormElicitationCapability(), url=types.UrlElicitationCapability()
            )
            if self.elicit
            else None,
            sampling=types.SamplingCapability() if self.sample else None,
            roots=types.RootsCapability() if self.list_roots else None,
        )

    async def answer(self, method: str, params: Any) -> dict[str, Any]:
        """Gives the result of a server's request as a JSON value.

        Raises:
            MCPError: -32601 for what nobody answers, -32602 for params of the wrong form, -32603 for a callback
                that raised something else, or what the callback raised.
        """
        try:
            return _value(await self._call(method, params))
        except MCPError:
            raise
        except ValidationError:
            raise MCPError(types.INVALID_PARAMS, f"{method}: params of the wrong form") from None
        except Exception:
            logger.exception("the callback for %s raised", method)
            raise MCPError(types.INTERNAL_ERROR, "internal error") from None

    async def _call(self, method: str, params: Any) -> BaseModel:
        if method == "ping":
            return types.EmptyResult()
        if method == "elicitation/create" and self.elicit:
            return await self.elicit(types.ElicitRequest.model_validate({"method": method, "params": params}).params)
        if method == "sampling/createMessage" and self.sample:
            request = types.CreateMessageRequest.model_validate({"method": method, "params": params})
            return await self.sample(request.params)
        if method == "roots/list" and self.list_roots:
            return await self.list_roots()
        raise MCPError(types.METHOD_NOT_FOUND, f"this client does not answer {method!r}")

    def knows(self, questions: dict[str, Any]) -> bool:
        """Whether there is a callback for each of the questions."""
        have = {
            "elicitation/create": self.elicit,
            "sampling/createMessage": self.sample,
            "roots/list": self.list_roots,
        }
        return all(isinstance(q, dict) and have.get(q.get("method", "")) is not None for q in questions.values())

    async def answers(self, questions: dict[str, Any]) -> dict[str, Any]:
        """Gives the `inputResponses` to `inputRequests`; asked at the same time. The first refusal counts."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = {k: group.create_task(self.answer(q["method"], q.get("params"))) for k, q in questions.items()}
        except ExceptionGroup as refusals:
            raise refusals.exceptions[0] from None
        return {key: task.result() for key, task in tasks.items()}


def _value(result: BaseModel) -> dict[str, Any]:
    return result.model_dump(by_alias=True, mode="json", exclude_none=True)
