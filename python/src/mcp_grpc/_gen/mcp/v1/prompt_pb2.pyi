# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
from google.protobuf import struct_pb2 as _struct_pb2
from mcp_grpc._gen.mcp.v1 import catalog_pb2 as _catalog_pb2
from mcp_grpc._gen.mcp.v1 import common_pb2 as _common_pb2
from mcp_grpc._gen.mcp.v1 import content_pb2 as _content_pb2
from mcp_grpc._gen.mcp.v1 import input_pb2 as _input_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListPromptsRequest(_message.Message):
    __slots__ = ("meta", "cursor", "extra_json")
    META_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    meta: _common_pb2.RequestMeta
    cursor: str
    extra_json: bytes
    def __init__(self, meta: _Optional[_Union[_common_pb2.RequestMeta, _Mapping]] = ..., cursor: _Optional[str] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ListPromptsResponse(_message.Message):
    __slots__ = ("prompts", "next_cursor", "ttl_ms", "cache_scope", "meta", "result_type", "extra_json")
    PROMPTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    TTL_MS_FIELD_NUMBER: _ClassVar[int]
    CACHE_SCOPE_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    RESULT_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    prompts: _containers.RepeatedCompositeFieldContainer[_catalog_pb2.Prompt]
    next_cursor: str
    ttl_ms: int
    cache_scope: str
    meta: _common_pb2.Meta
    result_type: str
    extra_json: bytes
    def __init__(self, prompts: _Optional[_Iterable[_Union[_catalog_pb2.Prompt, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., ttl_ms: _Optional[int] = ..., cache_scope: _Optional[str] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., result_type: _Optional[str] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class GetPromptRequest(_message.Message):
    __slots__ = ("name", "arguments", "arguments_json", "meta", "input_responses", "request_state", "extra_json")
    class InputResponsesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _input_pb2.InputResponse
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_input_pb2.InputResponse, _Mapping]] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_JSON_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    INPUT_RESPONSES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_STATE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    name: str
    arguments: _struct_pb2.Struct
    arguments_json: bytes
    meta: _common_pb2.RequestMeta
    input_responses: _containers.MessageMap[str, _input_pb2.InputResponse]
    request_state: str
    extra_json: bytes
    def __init__(self, name: _Optional[str] = ..., arguments: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., arguments_json: _Optional[bytes] = ..., meta: _Optional[_Union[_common_pb2.RequestMeta, _Mapping]] = ..., input_responses: _Optional[_Mapping[str, _input_pb2.InputResponse]] = ..., request_state: _Optional[str] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class GetPromptResponse(_message.Message):
    __slots__ = ("description", "messages", "meta", "result_type", "input_required", "extra_json")
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    RESULT_TYPE_FIELD_NUMBER: _ClassVar[int]
    INPUT_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    description: str
    messages: _containers.RepeatedCompositeFieldContainer[_content_pb2.Content]
    meta: _common_pb2.Meta
    result_type: str
    input_required: _input_pb2.InputRequired
    extra_json: bytes
    def __init__(self, description: _Optional[str] = ..., messages: _Optional[_Iterable[_Union[_content_pb2.Content, _Mapping]]] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., result_type: _Optional[str] = ..., input_required: _Optional[_Union[_input_pb2.InputRequired, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...
