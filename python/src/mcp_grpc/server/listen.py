# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Subscriptions: SPEC.md §9.3 and §9.4."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mcp_types import PROTOCOL_VERSION_META_KEY
from mcp_types.version import LATEST_MODERN_VERSION

from mcp_grpc._gen.mcp.v1.resource_pb2 import ReadResourceResponse, ResourceEvent
from mcp_grpc._gen.mcp.v1.subscription_pb2 import ListenCompleted, ListenResponse
from mcp_grpc.codec import METHODS_BY_RPC, CodecError, from_value
from mcp_grpc.server.context import CallContext
from mcp_grpc.server.envelope import RequestKey, notification
from mcp_grpc.server.failure import failure_from, method_not_found
from mcp_grpc.server.header import Headers
from mcp_grpc.server.scope import Scope
from mcp_grpc.server.service import Service

_METHOD = "subscriptions/listen"
_ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
_UPDATED = "notifications/resources/updated"
_SUBSCRIPTION_ID = "io.modelcontextprotocol/subscriptionId"

_FIELDS = {
    _ACKNOWLEDGED: "acknowledged",
    "notifications/tools/list_changed": "tools_list_changed",
    "notifications/prompts/list_changed": "prompts_list_changed",
    "notifications/resources/list_changed": "resources_list_changed",
    _UPDATED: "resource_updated",
    "notifications/tasks": "task",
}


async def run_listen(service: Service, scope: Scope, context: CallContext, key: RequestKey) -> dict[str, Any]:
    """Run a subscription until its handler ends it or the server drains, and give its result."""
    handler = asyncio.ensure_future(service.run(scope, context, _METHOD))
    drain = asyncio.ensure_future(service.draining.wait())
    try:
        await asyncio.wait({handler, drain}, return_when=asyncio.FIRST_COMPLETED)
        if handler.done():
            return handler.result()
        return {"_meta": {_SUBSCRIPTION_ID: key}, "resultType": "complete"}
    finally:
        await _cancelled(handler, drain)


async def _cancelled(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)


async def listen_rpc(
    service: Service, headers: Headers, request: Any, write: Callable[[ListenResponse], Awaitable[None]]
) -> None:
    """The RPC ``Listen``."""
    scope = service.scope(METHODS_BY_RPC["Listen"], request, headers)
    if scope.session is not None:
        raise method_not_found(_METHOD)
    encoding = request.meta.json_encoding

    async def tell(method: str, params: Mapping[str, Any] | None) -> None:
        await write(_event(method, params, encoding))

    key = "listen"
    context = CallContext(headers, key, scope.params, None, tell)
    result = await run_listen(service, scope, context, key)
    completed = service.message(result, ListenCompleted, request)
    assert isinstance(completed, ListenCompleted)
    await write(ListenResponse(completed=completed))


def _event(method: str, params: Mapping[str, Any] | None, encoding: Any) -> ListenResponse:
    event = ListenResponse()
    field = _FIELDS.get(method)
    if field is not None:
        try:
            part: Any = getattr(event, field)
            part.CopyFrom(from_value(dict(params or {}), type(part), encoding))
            part.SetInParent()
        except CodecError:
            event.Clear()
        else:
            return event
    event.other.CopyFrom(notification(method, params, encoding))
    return event


class _Watch:
    """What is known of a resource that is watched."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.honoured = asyncio.get_running_loop().create_future()
        self.changed = asyncio.Event()

    async def tell(self, method: str, params: Mapping[str, Any] | None) -> None:
        if method == _ACKNOWLEDGED and not self.honoured.done():
            wanted = (params or {}).get("notifications") or {}
            self.honoured.set_result(self.uri in (wanted.get("resourceSubscriptions") or ()))
        elif method == _UPDATED and (params or {}).get("uri") == self.uri:
            self.changed.set()


async def subscribe_rpc(
    service: Service,
    headers: Headers,
    request: Any,
    stands: Callable[[], Awaitable[None]],
    write: Callable[[ResourceEvent], Awaitable[None]],
) -> None:
    """The RPC ``SubscribeResource``, in both eras.

    Args:
        service: What all RPCs share.
        headers: The metadata of the RPC.
        request: The SubscribeResourceRequest.
        stands: Sends the response headers.
        write: Sends an event.
    """
    scope = service.scope(METHODS_BY_RPC["SubscribeResource"], request, headers)
    watch = _Watch(request.uri)
    # Subscriptions are the modern era's, whose method sessions do not have: it is the server's own request there.
    listening = _as_modern(scope, request.uri)
    context = CallContext(headers, service.new_id(), listening.params, None, watch.tell)
    with scope.session.use() if scope.session is not None else contextlib.nullcontext():
        handler = asyncio.ensure_future(run_listen(service, listening, context, "subscription"))
        changed: asyncio.Future[Any] = watch.honoured
        try:
            await asyncio.wait({handler, changed}, return_when=asyncio.FIRST_COMPLETED)
            if not watch.honoured.done():
                handler.result()
            if not watch.honoured.done() or not watch.honoured.result():
                raise method_not_found(_METHOD)
            await stands()
            while not handler.done():
                changed = asyncio.ensure_future(watch.changed.wait())
                await asyncio.wait({handler, changed}, return_when=asyncio.FIRST_COMPLETED)
                if watch.changed.is_set():
                    watch.changed.clear()
                    await write(await _fresh(service, scope, headers, request))
                else:
                    handler.result()
        finally:
            await _cancelled(handler, changed)


def _as_modern(scope: Scope, uri: str) -> Scope:
    meta = dict(scope.params.get("_meta", {}))
    if scope.session is not None:
        meta[PROTOCOL_VERSION_META_KEY] = LATEST_MODERN_VERSION
        meta["io.modelcontextprotocol/clientCapabilities"] = {}
    params = {"_meta": meta, "notifications": {"resourceSubscriptions": [uri]}}
    return Scope(LATEST_MODERN_VERSION if scope.session is not None else scope.version, None, params)


async def _fresh(service: Service, scope: Scope, headers: Headers, request: Any) -> ResourceEvent:
    """An event with what reading the resource gives now."""
    event = ResourceEvent(uri=request.uri)
    event.at.GetCurrentTime()
    params: dict[str, Any] = {"uri": request.uri}
    if "_meta" in scope.params:
        params["_meta"] = scope.params["_meta"]
    reading = Scope(scope.version, scope.session, params)
    try:
        context = CallContext(headers, service.new_id(), params, scope.session)
        result = await service.run(reading, context, "resources/read")
        update = service.message(result, ReadResourceResponse, request)
        assert isinstance(update, ReadResourceResponse)
        event.update.CopyFrom(update)
        event.update.SetInParent()
    except Exception as error:
        failure = failure_from(error, "resources/read")
        event.error.CopyFrom(failure.error or type(event.error)(code=failure.code, message=failure.message))
    return event
