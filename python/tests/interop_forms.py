# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The three forms in which the Python clients call a server, behind one set of methods."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import mcp
import mcp.types as types
from interop_peer import PATIENCE

from mcp_grpc.client import Callbacks, Client, Transport

MODERN = "2026-07-28"
LEGACY = "2025-11-25"
FORMS = ("typed", "multiplexed", "envelope")


async def elicit(params: types.ElicitRequestParams) -> types.ElicitResult:
    """Accepts, with a text for every property that has to be one."""
    schema = getattr(params, "requested_schema", None) or {}
    content: dict[str, Any] = {}
    for name, of in schema.get("properties", {}).items():
        if of.get("type") == "boolean":
            content[name] = True
        elif of.get("type") == "string":
            content[name] = f"Ada's {name}"
    return types.ElicitResult(action="accept", content=content)


async def sample(params: types.CreateMessageRequestParams) -> types.CreateMessageResult:
    """Completes."""
    text = types.TextContent(type="text", text="completion")
    return types.CreateMessageResult(role="assistant", model="model", stop_reason="endTurn", content=text)


async def list_roots() -> types.ListRootsResult:
    """Has one root."""
    return types.ListRootsResult.model_validate({"roots": [{"name": "home", "uri": "file:///home"}]})


ANSWERS = Callbacks(elicit=elicit, sample=sample, list_roots=list_roots)


@asynccontextmanager
async def typed_client(url: str, version: str, form: str, **options: Any) -> AsyncIterator[Client]:
    """Opens a typed client whose calls are RPCs of their own, or share a stream."""
    options.setdefault("timeout", PATIENCE)
    async with Client(url, version=version, multiplexed=form == "multiplexed", **options) as client:
        yield client


@asynccontextmanager
async def sdk_client(
    url: str, version: str, callbacks: Callbacks | None = None, on_log: Any = None, on_message: Any = None, **more: Any
) -> AsyncIterator[mcp.Client]:
    """Opens the SDK's own client on our transport."""
    answers: dict[str, Any] = {}
    if callbacks is not None:
        answers = {
            "elicitation_callback": lambda _, params: elicit(params),
            "sampling_callback": lambda _, params: sample(params),
            "list_roots_callback": lambda _: list_roots(),
        }
    mode = "legacy" if version == LEGACY else version
    if on_log is not None and version == MODERN:
        answers["log_level"] = "debug"
    async with mcp.Client(
        Transport(url, **more),
        mode=mode,
        read_timeout_seconds=PATIENCE,
        logging_callback=on_log,
        message_handler=on_message,
        cache=None,
        **answers,
    ) as client:
        assert client.protocol_version == version
        yield client


@asynccontextmanager
async def any_client(
    url: str, version: str, form: str, *, answering: bool = False, on_log: Any = None, **more: Any
) -> AsyncIterator[Any]:
    """Opens a client of one of the forms: they have their methods in common."""
    callbacks = ANSWERS if answering else None
    if form == "envelope":
        async with sdk_client(url, version, callbacks, on_log, **more) as client:
            yield client
        return
    options = {"callbacks": callbacks, "logging_callback": on_log, "log_level": "debug", **more}
    async with typed_client(url, version, form, **options) as typed:
        yield typed


def collecting() -> tuple[list[Any], Callable[..., Any]]:
    """Gives a list, and a callback that adds what it hears to it."""
    heard: list[Any] = []

    async def hear(*what: Any) -> None:
        heard.append(what if len(what) > 1 else what[0])

    return heard, hear


async def until(condition: Callable[[], object]) -> None:
    """Waits until a condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)
