# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Clients of MCP over gRPC: `Transport` for the SDK's own client, and `Client`, which is typed and faster."""

from mcp_grpc.client.asked import Callbacks
from mcp_grpc.client.error import CallError, InputNeeded, TaskStarted
from mcp_grpc.client.listening import Notification, ResourceSubscription, ResourceUpdate, Subscription
from mcp_grpc.client.transport import Transport
from mcp_grpc.client.typed import Client

__all__ = [
    "CallError",
    "Callbacks",
    "Client",
    "InputNeeded",
    "Notification",
    "ResourceSubscription",
    "ResourceUpdate",
    "Subscription",
    "TaskStarted",
    "Transport",
]
