# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Subscriptions: `Listen`, and `SubscribeResource` (SPEC.md §9.3, §9.4)."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mcp.types as types
from mcp.types.jsonrpc import JSONRPCNotification

from mcp_grpc._gen.mcp.v1.resource_pb2 import ResourceEvent
from mcp_grpc._gen.mcp.v1.subscription_pb2 import ListenResponse
from mcp_grpc.client.convert import malformed, model_of, resource_result, value_of
from mcp_grpc.client.error import CallError
from mcp_grpc.client.link import RpcStream
from mcp_grpc.codec import CodecError, RpcFailure, envelope_to_value, status_of

Notification = (
    types.ToolListChangedNotification
    | types.PromptListChangedNotification
    | types.ResourceListChangedNotification
    | types.ResourceUpdatedNotification
    | JSONRPCNotification
)
"""What a subscription tells. One without a type of its own is a `JSONRPCNotification`; so are those about tasks."""

_KINDS: dict[str, tuple[str, Any]] = {
    "tools_list_changed": ("notifications/tools/list_changed", types.ToolListChangedNotification),
    "prompts_list_changed": ("notifications/prompts/list_changed", types.PromptListChangedNotification),
    "resources_list_changed": ("notifications/resources/list_changed", types.ResourceListChangedNotification),
    "resource_updated": ("notifications/resources/updated", types.ResourceUpdatedNotification),
    "task": ("notifications/tasks", JSONRPCNotification),
}


class Subscription:
    """What the server tells of changes, as an async iterator; `Client.listen` makes it.

    The loop ends when the server ends the subscription in good order. It raises `CallError` when the
    subscription is lost. Nothing is replayed: a client that listens again lists or reads again, too.
    """

    def __init__(self, call: RpcStream, honored: types.SubscriptionFilter) -> None:
        self._call = call
        self.honored = honored
        """The part of the filter that the server tells of."""

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Notification:
        while True:
            message = await self._call.read()
            if message is None or message.HasField("completed"):
                raise StopAsyncIteration
            if (told := _notification_of(message)) is not None:
                return told


async def acknowledged(call: RpcStream) -> Subscription:
    """Waits until the subscription stands; raises `CallError`."""
    first = await call.read()
    if first is None or not first.HasField("acknowledged"):
        raise malformed("the subscription does not begin with what it honours")
    params = value_of(first.acknowledged)
    return Subscription(call, model_of(params.get("notifications", {}), types.SubscriptionFilter))


def _notification_of(message: ListenResponse) -> Notification | None:
    """Gives the notification of an event, None for one of a kind that is not known."""
    kind = message.WhichOneof("kind")
    if kind == "other":
        try:
            value = envelope_to_value(message.other)
        except CodecError as e:
            raise malformed(str(e)) from e
        return model_of(value, JSONRPCNotification)
    if kind not in _KINDS:
        return None
    method, model = _KINDS[kind]
    value = {"jsonrpc": "2.0", "method": method, "params": value_of(getattr(message, kind))}
    told: Notification = model_of(value, model)
    return told


@dataclass(frozen=True)
class ResourceUpdate:
    """A change of a resource that `Client.subscribe` watches."""

    uri: str
    at: datetime.datetime
    """When the server learnt of the change, by its clock, in UTC."""
    contents: types.ReadResourceResult | None
    """What reading the resource gave after the change; None if `error` is set."""
    error: CallError | None
    """Why the resource could not be read. The subscription goes on."""


class ResourceSubscription:
    """The changes of one resource, as an async iterator that ends as `Subscription`; `Client.subscribe` makes it."""

    def __init__(self, call: RpcStream, lost: Callable[[CallError], object]) -> None:
        self._call = call
        self._lost = lost

    def __aiter__(self) -> ResourceSubscription:
        return self

    async def __anext__(self) -> ResourceUpdate:
        try:
            message = await self._call.read()
        except CallError as e:
            self._lost(e)
            raise
        if message is None:
            raise StopAsyncIteration
        return _update_of(message)


def _update_of(message: ResourceEvent) -> ResourceUpdate:
    at = message.at.ToDatetime(datetime.UTC)
    kind = message.WhichOneof("kind")
    try:
        if kind == "update":
            return ResourceUpdate(message.uri, at, resource_result(value_of(message.update), message.uri), None)
        if kind == "error":
            status = status_of(message.error.code)
            failure = RpcFailure(status, message.error.message, message.error, ())
            return ResourceUpdate(message.uri, at, None, CallError.of(failure))
    except CallError as e:
        return ResourceUpdate(message.uri, at, None, e)
    return ResourceUpdate(message.uri, at, None, malformed("a change without contents"))
