# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
from google.protobuf import struct_pb2 as _struct_pb2
from mcp_grpc._gen.mcp.v1 import common_pb2 as _common_pb2
from mcp_grpc._gen.mcp.v1 import completion_pb2 as _completion_pb2
from mcp_grpc._gen.mcp.v1 import prompt_pb2 as _prompt_pb2
from mcp_grpc._gen.mcp.v1 import resource_pb2 as _resource_pb2
from mcp_grpc._gen.mcp.v1 import session_pb2 as _session_pb2
from mcp_grpc._gen.mcp.v1 import task_pb2 as _task_pb2
from mcp_grpc._gen.mcp.v1 import tool_pb2 as _tool_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Envelope(_message.Message):
    __slots__ = ("method", "event_id", "request", "response", "notification", "hello", "call", "reply", "cancel", "batch")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATION_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    method: str
    event_id: str
    request: JsonRpcRequest
    response: JsonRpcResponse
    notification: JsonRpcNotification
    hello: Hello
    call: CallFrame
    reply: ReplyFrame
    cancel: CancelFrame
    batch: _containers.RepeatedCompositeFieldContainer[Envelope]
    def __init__(self, method: _Optional[str] = ..., event_id: _Optional[str] = ..., request: _Optional[_Union[JsonRpcRequest, _Mapping]] = ..., response: _Optional[_Union[JsonRpcResponse, _Mapping]] = ..., notification: _Optional[_Union[JsonRpcNotification, _Mapping]] = ..., hello: _Optional[_Union[Hello, _Mapping]] = ..., call: _Optional[_Union[CallFrame, _Mapping]] = ..., reply: _Optional[_Union[ReplyFrame, _Mapping]] = ..., cancel: _Optional[_Union[CancelFrame, _Mapping]] = ..., batch: _Optional[_Iterable[_Union[Envelope, _Mapping]]] = ...) -> None: ...

class JsonRpcRequest(_message.Message):
    __slots__ = ("id", "params", "params_json", "int_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    PARAMS_JSON_FIELD_NUMBER: _ClassVar[int]
    INT_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    params: _struct_pb2.Struct
    params_json: bytes
    int_id: int
    def __init__(self, id: _Optional[str] = ..., params: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., params_json: _Optional[bytes] = ..., int_id: _Optional[int] = ...) -> None: ...

class JsonRpcResponse(_message.Message):
    __slots__ = ("id", "result", "error", "result_json", "int_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    RESULT_JSON_FIELD_NUMBER: _ClassVar[int]
    INT_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    result: _struct_pb2.Struct
    error: _common_pb2.JsonRpcError
    result_json: bytes
    int_id: int
    def __init__(self, id: _Optional[str] = ..., result: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., error: _Optional[_Union[_common_pb2.JsonRpcError, _Mapping]] = ..., result_json: _Optional[bytes] = ..., int_id: _Optional[int] = ...) -> None: ...

class JsonRpcNotification(_message.Message):
    __slots__ = ("params", "params_json")
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    PARAMS_JSON_FIELD_NUMBER: _ClassVar[int]
    params: _struct_pb2.Struct
    params_json: bytes
    def __init__(self, params: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., params_json: _Optional[bytes] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("frames", "batch", "max_calls", "gzip")
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    MAX_CALLS_FIELD_NUMBER: _ClassVar[int]
    GZIP_FIELD_NUMBER: _ClassVar[int]
    frames: bool
    batch: bool
    max_calls: int
    gzip: bool
    def __init__(self, frames: _Optional[bool] = ..., batch: _Optional[bool] = ..., max_calls: _Optional[int] = ..., gzip: _Optional[bool] = ...) -> None: ...

class CallFrame(_message.Message):
    __slots__ = ("call_id", "timeout_ms", "call_tool", "list_tools", "list_resources", "list_resource_templates", "read_resource", "list_prompts", "get_prompt", "complete", "discover", "get_task", "update_task", "cancel_task", "ping", "stream")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    CALL_TOOL_FIELD_NUMBER: _ClassVar[int]
    LIST_TOOLS_FIELD_NUMBER: _ClassVar[int]
    LIST_RESOURCES_FIELD_NUMBER: _ClassVar[int]
    LIST_RESOURCE_TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    READ_RESOURCE_FIELD_NUMBER: _ClassVar[int]
    LIST_PROMPTS_FIELD_NUMBER: _ClassVar[int]
    GET_PROMPT_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    DISCOVER_FIELD_NUMBER: _ClassVar[int]
    GET_TASK_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TASK_FIELD_NUMBER: _ClassVar[int]
    CANCEL_TASK_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    call_id: int
    timeout_ms: int
    call_tool: _tool_pb2.CallToolRequest
    list_tools: _tool_pb2.ListToolsRequest
    list_resources: _resource_pb2.ListResourcesRequest
    list_resource_templates: _resource_pb2.ListResourceTemplatesRequest
    read_resource: _resource_pb2.ReadResourceRequest
    list_prompts: _prompt_pb2.ListPromptsRequest
    get_prompt: _prompt_pb2.GetPromptRequest
    complete: _completion_pb2.CompleteRequest
    discover: _session_pb2.DiscoverRequest
    get_task: _task_pb2.GetTaskRequest
    update_task: _task_pb2.UpdateTaskRequest
    cancel_task: _task_pb2.CancelTaskRequest
    ping: _session_pb2.PingRequest
    stream: bool
    def __init__(self, call_id: _Optional[int] = ..., timeout_ms: _Optional[int] = ..., call_tool: _Optional[_Union[_tool_pb2.CallToolRequest, _Mapping]] = ..., list_tools: _Optional[_Union[_tool_pb2.ListToolsRequest, _Mapping]] = ..., list_resources: _Optional[_Union[_resource_pb2.ListResourcesRequest, _Mapping]] = ..., list_resource_templates: _Optional[_Union[_resource_pb2.ListResourceTemplatesRequest, _Mapping]] = ..., read_resource: _Optional[_Union[_resource_pb2.ReadResourceRequest, _Mapping]] = ..., list_prompts: _Optional[_Union[_prompt_pb2.ListPromptsRequest, _Mapping]] = ..., get_prompt: _Optional[_Union[_prompt_pb2.GetPromptRequest, _Mapping]] = ..., complete: _Optional[_Union[_completion_pb2.CompleteRequest, _Mapping]] = ..., discover: _Optional[_Union[_session_pb2.DiscoverRequest, _Mapping]] = ..., get_task: _Optional[_Union[_task_pb2.GetTaskRequest, _Mapping]] = ..., update_task: _Optional[_Union[_task_pb2.UpdateTaskRequest, _Mapping]] = ..., cancel_task: _Optional[_Union[_task_pb2.CancelTaskRequest, _Mapping]] = ..., ping: _Optional[_Union[_session_pb2.PingRequest, _Mapping]] = ..., stream: _Optional[bool] = ...) -> None: ...

class ReplyFrame(_message.Message):
    __slots__ = ("call_id", "error", "event", "call_tool", "list_tools", "list_resources", "list_resource_templates", "read_resource", "list_prompts", "get_prompt", "complete", "discover", "get_task", "update_task", "cancel_task", "ping", "gzip")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    CALL_TOOL_FIELD_NUMBER: _ClassVar[int]
    LIST_TOOLS_FIELD_NUMBER: _ClassVar[int]
    LIST_RESOURCES_FIELD_NUMBER: _ClassVar[int]
    LIST_RESOURCE_TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    READ_RESOURCE_FIELD_NUMBER: _ClassVar[int]
    LIST_PROMPTS_FIELD_NUMBER: _ClassVar[int]
    GET_PROMPT_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    DISCOVER_FIELD_NUMBER: _ClassVar[int]
    GET_TASK_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TASK_FIELD_NUMBER: _ClassVar[int]
    CANCEL_TASK_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    GZIP_FIELD_NUMBER: _ClassVar[int]
    call_id: int
    error: FrameError
    event: _tool_pb2.CallToolEvent
    call_tool: _tool_pb2.InvokeToolResponse
    list_tools: _tool_pb2.ListToolsResponse
    list_resources: _resource_pb2.ListResourcesResponse
    list_resource_templates: _resource_pb2.ListResourceTemplatesResponse
    read_resource: _resource_pb2.ReadResourceResponse
    list_prompts: _prompt_pb2.ListPromptsResponse
    get_prompt: _prompt_pb2.GetPromptResponse
    complete: _completion_pb2.CompleteResponse
    discover: _session_pb2.DiscoverResponse
    get_task: _task_pb2.GetTaskResponse
    update_task: _task_pb2.UpdateTaskResponse
    cancel_task: _task_pb2.CancelTaskResponse
    ping: _session_pb2.PingResponse
    gzip: bytes
    def __init__(self, call_id: _Optional[int] = ..., error: _Optional[_Union[FrameError, _Mapping]] = ..., event: _Optional[_Union[_tool_pb2.CallToolEvent, _Mapping]] = ..., call_tool: _Optional[_Union[_tool_pb2.InvokeToolResponse, _Mapping]] = ..., list_tools: _Optional[_Union[_tool_pb2.ListToolsResponse, _Mapping]] = ..., list_resources: _Optional[_Union[_resource_pb2.ListResourcesResponse, _Mapping]] = ..., list_resource_templates: _Optional[_Union[_resource_pb2.ListResourceTemplatesResponse, _Mapping]] = ..., read_resource: _Optional[_Union[_resource_pb2.ReadResourceResponse, _Mapping]] = ..., list_prompts: _Optional[_Union[_prompt_pb2.ListPromptsResponse, _Mapping]] = ..., get_prompt: _Optional[_Union[_prompt_pb2.GetPromptResponse, _Mapping]] = ..., complete: _Optional[_Union[_completion_pb2.CompleteResponse, _Mapping]] = ..., discover: _Optional[_Union[_session_pb2.DiscoverResponse, _Mapping]] = ..., get_task: _Optional[_Union[_task_pb2.GetTaskResponse, _Mapping]] = ..., update_task: _Optional[_Union[_task_pb2.UpdateTaskResponse, _Mapping]] = ..., cancel_task: _Optional[_Union[_task_pb2.CancelTaskResponse, _Mapping]] = ..., ping: _Optional[_Union[_session_pb2.PingResponse, _Mapping]] = ..., gzip: _Optional[bytes] = ...) -> None: ...

class FrameError(_message.Message):
    __slots__ = ("code", "message", "error")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    error: _common_pb2.JsonRpcError
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., error: _Optional[_Union[_common_pb2.JsonRpcError, _Mapping]] = ...) -> None: ...

class CancelFrame(_message.Message):
    __slots__ = ("call_id",)
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    call_id: int
    def __init__(self, call_id: _Optional[int] = ...) -> None: ...
