# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
from google.protobuf import struct_pb2 as _struct_pb2
from mcp_grpc._gen.mcp.v1 import catalog_pb2 as _catalog_pb2
from mcp_grpc._gen.mcp.v1 import common_pb2 as _common_pb2
from mcp_grpc._gen.mcp.v1 import content_pb2 as _content_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TaskMetadata(_message.Message):
    __slots__ = ("ttl", "extra_json")
    TTL_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    ttl: int
    extra_json: bytes
    def __init__(self, ttl: _Optional[int] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class InputRequired(_message.Message):
    __slots__ = ("input_requests", "request_state", "meta", "extra_json")
    class InputRequestsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: InputRequest
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[InputRequest, _Mapping]] = ...) -> None: ...
    INPUT_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_STATE_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    input_requests: _containers.MessageMap[str, InputRequest]
    request_state: str
    meta: _common_pb2.Meta
    extra_json: bytes
    def __init__(self, input_requests: _Optional[_Mapping[str, InputRequest]] = ..., request_state: _Optional[str] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class InputRequest(_message.Message):
    __slots__ = ("elicitation", "sampling", "roots", "other_json", "extra_json")
    ELICITATION_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    OTHER_JSON_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    elicitation: ElicitRequest
    sampling: CreateMessageRequest
    roots: ListRootsRequest
    other_json: bytes
    extra_json: bytes
    def __init__(self, elicitation: _Optional[_Union[ElicitRequest, _Mapping]] = ..., sampling: _Optional[_Union[CreateMessageRequest, _Mapping]] = ..., roots: _Optional[_Union[ListRootsRequest, _Mapping]] = ..., other_json: _Optional[bytes] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class InputResponse(_message.Message):
    __slots__ = ("elicitation", "sampling", "roots", "other_json")
    ELICITATION_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    OTHER_JSON_FIELD_NUMBER: _ClassVar[int]
    elicitation: ElicitResult
    sampling: CreateMessageResult
    roots: ListRootsResult
    other_json: bytes
    def __init__(self, elicitation: _Optional[_Union[ElicitResult, _Mapping]] = ..., sampling: _Optional[_Union[CreateMessageResult, _Mapping]] = ..., roots: _Optional[_Union[ListRootsResult, _Mapping]] = ..., other_json: _Optional[bytes] = ...) -> None: ...

class ElicitRequest(_message.Message):
    __slots__ = ("mode", "message", "requested_schema", "requested_schema_json", "url", "elicitation_id", "task", "meta", "extra_json")
    MODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_SCHEMA_JSON_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    ELICITATION_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    mode: str
    message: str
    requested_schema: _struct_pb2.Struct
    requested_schema_json: bytes
    url: str
    elicitation_id: str
    task: TaskMetadata
    meta: _common_pb2.Meta
    extra_json: bytes
    def __init__(self, mode: _Optional[str] = ..., message: _Optional[str] = ..., requested_schema: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., requested_schema_json: _Optional[bytes] = ..., url: _Optional[str] = ..., elicitation_id: _Optional[str] = ..., task: _Optional[_Union[TaskMetadata, _Mapping]] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ElicitResult(_message.Message):
    __slots__ = ("action", "content", "content_json", "meta", "extra_json")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_JSON_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    action: str
    content: _struct_pb2.Struct
    content_json: bytes
    meta: _common_pb2.Meta
    extra_json: bytes
    def __init__(self, action: _Optional[str] = ..., content: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., content_json: _Optional[bytes] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class CreateMessageRequest(_message.Message):
    __slots__ = ("messages", "max_tokens", "model_preferences", "system_prompt", "include_context", "temperature", "stop_sequences", "metadata", "metadata_json", "tools", "tool_choice", "task", "meta", "extra_json")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MODEL_PREFERENCES_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_PROMPT_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    STOP_SEQUENCES_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    METADATA_JSON_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    TOOL_CHOICE_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[SamplingMessage]
    max_tokens: int
    model_preferences: ModelPreferences
    system_prompt: str
    include_context: str
    temperature: float
    stop_sequences: _containers.RepeatedScalarFieldContainer[str]
    metadata: _struct_pb2.Struct
    metadata_json: bytes
    tools: _containers.RepeatedCompositeFieldContainer[_catalog_pb2.Tool]
    tool_choice: ToolChoice
    task: TaskMetadata
    meta: _common_pb2.Meta
    extra_json: bytes
    def __init__(self, messages: _Optional[_Iterable[_Union[SamplingMessage, _Mapping]]] = ..., max_tokens: _Optional[int] = ..., model_preferences: _Optional[_Union[ModelPreferences, _Mapping]] = ..., system_prompt: _Optional[str] = ..., include_context: _Optional[str] = ..., temperature: _Optional[float] = ..., stop_sequences: _Optional[_Iterable[str]] = ..., metadata: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., metadata_json: _Optional[bytes] = ..., tools: _Optional[_Iterable[_Union[_catalog_pb2.Tool, _Mapping]]] = ..., tool_choice: _Optional[_Union[ToolChoice, _Mapping]] = ..., task: _Optional[_Union[TaskMetadata, _Mapping]] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class SamplingMessage(_message.Message):
    __slots__ = ("role", "content", "content_is_array", "meta", "extra_json")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_IS_ARRAY_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    role: str
    content: _containers.RepeatedCompositeFieldContainer[_content_pb2.Content]
    content_is_array: bool
    meta: _common_pb2.Meta
    extra_json: bytes
    def __init__(self, role: _Optional[str] = ..., content: _Optional[_Iterable[_Union[_content_pb2.Content, _Mapping]]] = ..., content_is_array: _Optional[bool] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ModelPreferences(_message.Message):
    __slots__ = ("hints", "cost_priority", "speed_priority", "intelligence_priority", "extra_json")
    HINTS_FIELD_NUMBER: _ClassVar[int]
    COST_PRIORITY_FIELD_NUMBER: _ClassVar[int]
    SPEED_PRIORITY_FIELD_NUMBER: _ClassVar[int]
    INTELLIGENCE_PRIORITY_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    hints: _containers.RepeatedCompositeFieldContainer[ModelHint]
    cost_priority: float
    speed_priority: float
    intelligence_priority: float
    extra_json: bytes
    def __init__(self, hints: _Optional[_Iterable[_Union[ModelHint, _Mapping]]] = ..., cost_priority: _Optional[float] = ..., speed_priority: _Optional[float] = ..., intelligence_priority: _Optional[float] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ModelHint(_message.Message):
    __slots__ = ("name", "extra_json")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    name: str
    extra_json: bytes
    def __init__(self, name: _Optional[str] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ToolChoice(_message.Message):
    __slots__ = ("mode", "extra_json")
    MODE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    mode: str
    extra_json: bytes
    def __init__(self, mode: _Optional[str] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class CreateMessageResult(_message.Message):
    __slots__ = ("role", "content", "content_is_array", "model", "stop_reason", "meta", "extra_json")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_IS_ARRAY_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    STOP_REASON_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    role: str
    content: _containers.RepeatedCompositeFieldContainer[_content_pb2.Content]
    content_is_array: bool
    model: str
    stop_reason: str
    meta: _common_pb2.Meta
    extra_json: bytes
    def __init__(self, role: _Optional[str] = ..., content: _Optional[_Iterable[_Union[_content_pb2.Content, _Mapping]]] = ..., content_is_array: _Optional[bool] = ..., model: _Optional[str] = ..., stop_reason: _Optional[str] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ListRootsRequest(_message.Message):
    __slots__ = ("meta", "no_params", "extra_json")
    META_FIELD_NUMBER: _ClassVar[int]
    NO_PARAMS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    meta: _common_pb2.Meta
    no_params: bool
    extra_json: bytes
    def __init__(self, meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., no_params: _Optional[bool] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ListRootsResult(_message.Message):
    __slots__ = ("roots", "meta", "extra_json")
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    roots: _containers.RepeatedCompositeFieldContainer[Root]
    meta: _common_pb2.Meta
    extra_json: bytes
    def __init__(self, roots: _Optional[_Iterable[_Union[Root, _Mapping]]] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class Root(_message.Message):
    __slots__ = ("uri", "name", "meta", "extra_json")
    URI_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    uri: str
    name: str
    meta: _common_pb2.Meta
    extra_json: bytes
    def __init__(self, uri: _Optional[str] = ..., name: _Optional[str] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...
