# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
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

class ListResourcesRequest(_message.Message):
    __slots__ = ("meta", "cursor", "extra_json")
    META_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    meta: _common_pb2.RequestMeta
    cursor: str
    extra_json: bytes
    def __init__(self, meta: _Optional[_Union[_common_pb2.RequestMeta, _Mapping]] = ..., cursor: _Optional[str] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ListResourcesResponse(_message.Message):
    __slots__ = ("resources", "next_cursor", "ttl_ms", "cache_scope", "meta", "result_type", "extra_json")
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    TTL_MS_FIELD_NUMBER: _ClassVar[int]
    CACHE_SCOPE_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    RESULT_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    resources: _containers.RepeatedCompositeFieldContainer[_catalog_pb2.Resource]
    next_cursor: str
    ttl_ms: int
    cache_scope: str
    meta: _common_pb2.Meta
    result_type: str
    extra_json: bytes
    def __init__(self, resources: _Optional[_Iterable[_Union[_catalog_pb2.Resource, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., ttl_ms: _Optional[int] = ..., cache_scope: _Optional[str] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., result_type: _Optional[str] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ListResourceTemplatesRequest(_message.Message):
    __slots__ = ("meta", "cursor", "extra_json")
    META_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    meta: _common_pb2.RequestMeta
    cursor: str
    extra_json: bytes
    def __init__(self, meta: _Optional[_Union[_common_pb2.RequestMeta, _Mapping]] = ..., cursor: _Optional[str] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ListResourceTemplatesResponse(_message.Message):
    __slots__ = ("resource_templates", "next_cursor", "ttl_ms", "cache_scope", "meta", "result_type", "extra_json")
    RESOURCE_TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    TTL_MS_FIELD_NUMBER: _ClassVar[int]
    CACHE_SCOPE_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    RESULT_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    resource_templates: _containers.RepeatedCompositeFieldContainer[_catalog_pb2.ResourceTemplate]
    next_cursor: str
    ttl_ms: int
    cache_scope: str
    meta: _common_pb2.Meta
    result_type: str
    extra_json: bytes
    def __init__(self, resource_templates: _Optional[_Iterable[_Union[_catalog_pb2.ResourceTemplate, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., ttl_ms: _Optional[int] = ..., cache_scope: _Optional[str] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., result_type: _Optional[str] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ReadResourceRequest(_message.Message):
    __slots__ = ("uri", "meta", "input_responses", "request_state", "extra_json")
    class InputResponsesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _input_pb2.InputResponse
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_input_pb2.InputResponse, _Mapping]] = ...) -> None: ...
    URI_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    INPUT_RESPONSES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_STATE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    uri: str
    meta: _common_pb2.RequestMeta
    input_responses: _containers.MessageMap[str, _input_pb2.InputResponse]
    request_state: str
    extra_json: bytes
    def __init__(self, uri: _Optional[str] = ..., meta: _Optional[_Union[_common_pb2.RequestMeta, _Mapping]] = ..., input_responses: _Optional[_Mapping[str, _input_pb2.InputResponse]] = ..., request_state: _Optional[str] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ReadResourceResponse(_message.Message):
    __slots__ = ("contents", "ttl_ms", "cache_scope", "meta", "result_type", "input_required", "extra_json")
    CONTENTS_FIELD_NUMBER: _ClassVar[int]
    TTL_MS_FIELD_NUMBER: _ClassVar[int]
    CACHE_SCOPE_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    RESULT_TYPE_FIELD_NUMBER: _ClassVar[int]
    INPUT_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    contents: _containers.RepeatedCompositeFieldContainer[_content_pb2.Content]
    ttl_ms: int
    cache_scope: str
    meta: _common_pb2.Meta
    result_type: str
    input_required: _input_pb2.InputRequired
    extra_json: bytes
    def __init__(self, contents: _Optional[_Iterable[_Union[_content_pb2.Content, _Mapping]]] = ..., ttl_ms: _Optional[int] = ..., cache_scope: _Optional[str] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., result_type: _Optional[str] = ..., input_required: _Optional[_Union[_input_pb2.InputRequired, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class SubscribeResourceRequest(_message.Message):
    __slots__ = ("uri", "meta")
    URI_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    uri: str
    meta: _common_pb2.RequestMeta
    def __init__(self, uri: _Optional[str] = ..., meta: _Optional[_Union[_common_pb2.RequestMeta, _Mapping]] = ...) -> None: ...

class ResourceEvent(_message.Message):
    __slots__ = ("uri", "at", "update", "error")
    URI_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    uri: str
    at: _timestamp_pb2.Timestamp
    update: ReadResourceResponse
    error: _common_pb2.JsonRpcError
    def __init__(self, uri: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update: _Optional[_Union[ReadResourceResponse, _Mapping]] = ..., error: _Optional[_Union[_common_pb2.JsonRpcError, _Mapping]] = ...) -> None: ...
