# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The typed client in sessions of the legacy era, on a server of this package (SPEC.md §6)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from everything import Context, Result, text
from mcp import types
from serving import LEGACY, SECONDS, Served, Subject, serving

from mcp_grpc.auth.challenge import Challenge
from mcp_grpc.auth.client_auth import ClientAuth
from mcp_grpc.auth.denial import InsufficientScope
from mcp_grpc.client import Callbacks, CallError, Client


def client_of(served: Served, **options: Any) -> Client:
    return Client(f"127.0.0.1:{served.server.port}", version=LEGACY, timeout=SECONDS, **options)


def end_sessions(served: Served) -> None:
    sessions = served.server._service.sessions
    for session in list(sessions._sessions.values()):
        sessions.end(session)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("multiplexed", [True, False])
async def test_calls_that_lose_their_session_at_once_are_all_made_in_another(multiplexed: bool) -> None:
    async with serving() as served, client_of(served, multiplexed=multiplexed) as client:
        await client.ping()
        stream = client._caller._mux._stream
        assert (stream is not None) == multiplexed
        end_sessions(served)
        await until(lambda: stream is None or stream.lost)
        calls = [client.call_tool("greet", {"name": str(i)}) for i in range(20)]
        assert len(await asyncio.gather(*calls)) == 20
        assert len(served.server._service.sessions._sessions) == 1


async def test_who_learns_late_that_a_session_is_lost_leaves_the_next_one_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving() as served, client_of(served) as client:
        await client.ping()
        stream = client._caller._mux._stream
        assert stream is not None
        end_sessions(served)
        await until(lambda: stream.lost)
        refused, heard = asyncio.Event(), asyncio.Event()
        unary = client._link.unary

        async def late(rpc: str, *arguments: Any) -> Any:
            try:
                return await unary(rpc, *arguments)
            except CallError:
                refused.set()
                await heard.wait()
                raise

        monkeypatch.setattr(client._link, "unary", late)
        by_rpc = asyncio.create_task(client.call_tool("greet", {"name": "Ann"}, metadata=[("x", "y")]))
        await refused.wait()
        held = asyncio.create_task(client.call_tool("hold"))
        await served.subject.until(lambda: served.subject.held == 1)
        heard.set()
        await by_rpc
        served.subject.released.set()
        await held
        assert len(served.server._service.sessions._sessions) == 1


class Scoped(ClientAuth):
    """Has a better token each time that it is asked for one."""

    def __init__(self) -> None:
        self.asked = 0

    async def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.asked}"),)

    async def refused(self, challenge: Challenge) -> bool:
        self.asked += 1
        return True


@pytest.mark.parametrize("listens", [True, False])
async def test_a_call_that_needs_more_scopes_leaves_the_sessions_stream_alone(listens: bool) -> None:
    needed = 1

    async def strict(ctx: Context, params: types.CallToolRequestParams) -> Result:
        nonlocal needed
        needed -= 1
        if needed >= 0:
            raise InsufficientScope("more")
        return text("done")

    async def elicit(params: types.ElicitRequestParams) -> types.ElicitResult:
        return types.ElicitResult(action="accept", content={"username": "Ann"})

    subject = Subject()
    subject.add_tool("strict", strict)
    callbacks = Callbacks(elicit=elicit) if listens else None
    auth = Scoped()
    async with serving(subject) as served, client_of(served, auth=auth, callbacks=callbacks) as client:
        held = asyncio.create_task(client.call_tool("hold"))
        await subject.until(lambda: subject.held == 1)
        assert (await client.call_tool("strict")).content == [types.TextContent(text="done")]
        assert auth.asked == 1
        if listens:
            asked = await client.call_tool("test_elicitation", {"message": "who?"})
            assert "accept" in str(asked.content[0])
        subject.released.set()
        await held
        await client.call_tool("greet", {"name": "Ann"})


async def test_who_waits_for_a_session_waits_no_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as served, client_of(served) as client:
        opening, unary = asyncio.Event(), client._link.unary

        async def held(rpc: str, *arguments: Any) -> Any:
            if rpc == "Initialize":
                opening.set()
                await served.subject.released.wait()
            return await unary(rpc, *arguments)

        monkeypatch.setattr(client._link, "unary", held)
        patient = asyncio.create_task(client.ping())
        await opening.wait()
        with pytest.raises(CallError) as failure:
            await client.call_tool("greet", {"name": "Ann"}, timeout=0.1)
        assert failure.value.status is grpc.StatusCode.DEADLINE_EXCEEDED
        served.subject.released.set()
        await patient
