# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""The RPC ``Send``: one JSON-RPC message, and what belongs to it (SPEC.md §4.4)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope
from mcp_grpc.codec import CodecError, RpcFailure
from mcp_grpc.server.envelope import check_envelope, error_envelope, key_of, params_of
from mcp_grpc.server.exchange import Exchange
from mcp_grpc.server.failure import draining, invalid_request

if TYPE_CHECKING:
    from mcp_grpc.server.rpc import Rpc

_NAMES = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
}


async def send_rpc(rpc: Rpc, envelope: Envelope) -> None:
    """Serve one ``Send``.

    Raises:
        RpcFailure: What it fails with if it has no response to give.
    """
    exchange = Exchange(rpc.service, rpc.headers, single=True, opened=rpc.opened)
    exchange.learn(envelope)
    if envelope.batch:
        raise invalid_request("Send takes one message, not a batch")
    try:
        check_envelope(envelope, rpc.service.limits.json)
        rpc.headers.check_mirror(envelope.method, _name_of(envelope))
    except RpcFailure as failure:
        exchange.spoil(envelope)
        key = key_of(envelope)
        if key is None:
            raise
        await rpc.write(error_envelope(key, failure, exchange.encoding))
        return
    match envelope.WhichOneof("kind"):
        case "request":
            await _request(rpc, exchange, envelope)
        case "notification":
            await exchange.notification(envelope)
        case "response":
            exchange.response(envelope)
        case None if rpc.headers.session_id is not None:
            await _session_stream(rpc, exchange)
        case _:
            raise invalid_request("envelope of an unknown kind, or without one")


async def _request(rpc: Rpc, exchange: Exchange, envelope: Envelope) -> None:
    try:
        exchange.session = rpc.service.sessions.named(rpc.headers)
    except RpcFailure:
        exchange.session = None  # it matters to legacy messages only, which say so
    running = exchange.begin(envelope)
    serving = asyncio.ensure_future(_serve(exchange, envelope, running)) if running is not None else None
    if serving is None:
        exchange.out.close()
    try:
        await _write_all(rpc, exchange)
        if serving is not None:
            await serving
    finally:
        exchange.hush()
        if serving is not None:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


async def _serve(exchange: Exchange, envelope: Envelope, running: Any) -> None:
    try:
        await exchange.request(envelope, running)
    finally:
        exchange.out.close()


async def _write_all(rpc: Rpc, exchange: Exchange) -> None:
    async for batch in exchange.out.batches():
        for envelope in batch:
            await rpc.write(envelope)


async def _session_stream(rpc: Rpc, exchange: Exchange) -> None:
    """Serve the session's stream until the client, the session or the server goes (§6.5)."""
    session = rpc.service.sessions.named(rpc.headers)
    if session is None:
        raise invalid_request("envelope without kind")
    exchange.join(session, owned=False)
    drain = asyncio.ensure_future(rpc.service.draining.wait())
    stopped = asyncio.ensure_future(exchange.stopped.wait())
    drain.add_done_callback(lambda waited: None if waited.cancelled() else exchange.out.close(draining()))
    stopped.add_done_callback(lambda waited: None if waited.cancelled() else exchange.out.close())
    try:
        await rpc.begin()  # the stream stands
        await _write_all(rpc, exchange)
    finally:
        exchange.leave()
        drain.cancel()
        stopped.cancel()


def _name_of(envelope: Envelope) -> str:
    """What ``mcp-name`` mirrors."""
    member = _NAMES.get(envelope.method)
    if member is None or envelope.WhichOneof("kind") != "request":
        return ""
    try:
        params = params_of(envelope.request)
    except CodecError:
        return ""  # refused when it is served
    name = params.get(member) if isinstance(params, dict) else None
    return name if isinstance(name, str) else ""
