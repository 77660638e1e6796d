# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""The RPCs and their MCP methods: the table of SPEC.md §3.2."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.message import Message

from mcp_grpc._gen.mcp.v1 import (
    completion_pb2,
    prompt_pb2,
    resource_pb2,
    session_pb2,
    subscription_pb2,
    task_pb2,
    tool_pb2,
)


@dataclass(frozen=True, slots=True)
class Method:
    """An RPC and the MCP method that it is.

    Attributes:
        rpc: The RPC's name, for example ``CallTool``.
        name: The method, for example ``tools/call``.
        request: The message of its params.
        response: The message of its result, or of one event.
        modern: Whether the modern era has the method.
        legacy: Whether the legacy era has it.
        name_field: The field of the request that ``mcp-name`` repeats (§7.1).
        streams: Whether the RPC is server-streaming.
        frame: Its field in a CallFrame and a ReplyFrame, if it can be called by one (§4.6).
    """

    rpc: str
    name: str
    request: type[Message]
    response: type[Message]
    modern: bool = True
    legacy: bool = True
    name_field: str | None = None
    streams: bool = False
    frame: str | None = None


_METHODS = (
    Method("Initialize", "initialize", session_pb2.InitializeRequest, session_pb2.InitializeResponse, modern=False),
    Method(
        "Discover",
        "server/discover",
        session_pb2.DiscoverRequest,
        session_pb2.DiscoverResponse,
        legacy=False,
        frame="discover",
    ),
    Method("ListTools", "tools/list", tool_pb2.ListToolsRequest, tool_pb2.ListToolsResponse, frame="list_tools"),
    Method("CallTool", "tools/call", tool_pb2.CallToolRequest, tool_pb2.CallToolEvent, name_field="name", streams=True),
    Method(
        "InvokeTool",
        "tools/call",
        tool_pb2.CallToolRequest,
        tool_pb2.InvokeToolResponse,
        name_field="name",
        frame="call_tool",
    ),
    Method(
        "ListResources",
        "resources/list",
        resource_pb2.ListResourcesRequest,
        resource_pb2.ListResourcesResponse,
        frame="list_resources",
    ),
    Method(
        "ListResourceTemplates",
        "resources/templates/list",
        resource_pb2.ListResourceTemplatesRequest,
        resource_pb2.ListResourceTemplatesResponse,
        frame="list_resource_templates",
    ),
    Method(
        "ReadResource",
        "resources/read",
        resource_pb2.ReadResourceRequest,
        resource_pb2.ReadResourceResponse,
        name_field="uri",
        frame="read_resource",
    ),
    Method(
        "SubscribeResource",
        "subscriptions/listen",
        resource_pb2.SubscribeResourceRequest,
        resource_pb2.ResourceEvent,
        name_field="uri",
        streams=True,
    ),
    Method(
        "Listen",
        "subscriptions/listen",
        subscription_pb2.ListenRequest,
        subscription_pb2.ListenResponse,
        legacy=False,
        streams=True,
    ),
    Method(
        "ListPrompts",
        "prompts/list",
        prompt_pb2.ListPromptsRequest,
        prompt_pb2.ListPromptsResponse,
        frame="list_prompts",
    ),
    Method(
        "GetPrompt",
        "prompts/get",
        prompt_pb2.GetPromptRequest,
        prompt_pb2.GetPromptResponse,
        name_field="name",
        frame="get_prompt",
    ),
    Method(
        "Complete",
        "completion/complete",
        completion_pb2.CompleteRequest,
        completion_pb2.CompleteResponse,
        frame="complete",
    ),
    Method(
        "GetTask",
        "tasks/get",
        task_pb2.GetTaskRequest,
        task_pb2.GetTaskResponse,
        name_field="task_id",
        frame="get_task",
    ),
    Method(
        "UpdateTask",
        "tasks/update",
        task_pb2.UpdateTaskRequest,
        task_pb2.UpdateTaskResponse,
        name_field="task_id",
        frame="update_task",
    ),
    Method(
        "CancelTask",
        "tasks/cancel",
        task_pb2.CancelTaskRequest,
        task_pb2.CancelTaskResponse,
        name_field="task_id",
        frame="cancel_task",
    ),
    Method("Ping", "ping", session_pb2.PingRequest, session_pb2.PingResponse, frame="ping"),
)

METHODS_BY_RPC: dict[str, Method] = {method.rpc: method for method in _METHODS}

# Of the two RPCs of tools/call the unary one, and of the two of subscriptions/listen Listen.
METHODS_BY_NAME: dict[str, Method] = {
    method.name: method for method in _METHODS if method.rpc not in {"CallTool", "SubscribeResource"}
}

METHODS_BY_FRAME: dict[str, Method] = {method.frame: method for method in _METHODS if method.frame}
