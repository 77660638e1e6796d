# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
from google.protobuf import struct_pb2 as _struct_pb2
from mcp_grpc._gen.mcp.v1 import catalog_pb2 as _catalog_pb2
from mcp_grpc._gen.mcp.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Content(_message.Message):
    __slots__ = ("text", "blob", "resource", "resource_link", "tool_use", "tool_result", "other_json", "role", "message_extra_json")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BLOB_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_LINK_FIELD_NUMBER: _ClassVar[int]
    TOOL_USE_FIELD_NUMBER: _ClassVar[int]
    TOOL_RESULT_FIELD_NUMBER: _ClassVar[int]
    OTHER_JSON_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    text: TextContent
    blob: BlobContent
    resource: EmbeddedResource
    resource_link: _catalog_pb2.Resource
    tool_use: ToolUseContent
    tool_result: ToolResultContent
    other_json: bytes
    role: str
    message_extra_json: bytes
    def __init__(self, text: _Optional[_Union[TextContent, _Mapping]] = ..., blob: _Optional[_Union[BlobContent, _Mapping]] = ..., resource: _Optional[_Union[EmbeddedResource, _Mapping]] = ..., resource_link: _Optional[_Union[_catalog_pb2.Resource, _Mapping]] = ..., tool_use: _Optional[_Union[ToolUseContent, _Mapping]] = ..., tool_result: _Optional[_Union[ToolResultContent, _Mapping]] = ..., other_json: _Optional[bytes] = ..., role: _Optional[str] = ..., message_extra_json: _Optional[bytes] = ...) -> None: ...

class TextContent(_message.Message):
    __slots__ = ("text", "mime_type", "uri", "annotations", "meta", "extra_json")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    ANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    text: str
    mime_type: str
    uri: str
    annotations: _common_pb2.Annotations
    meta: _common_pb2.Meta
    extra_json: bytes
    def __init__(self, text: _Optional[str] = ..., mime_type: _Optional[str] = ..., uri: _Optional[str] = ..., annotations: _Optional[_Union[_common_pb2.Annotations, _Mapping]] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class BlobContent(_message.Message):
    __slots__ = ("data", "mime_type", "uri", "type", "annotations", "meta", "extra_json")
    DATA_FIELD_NUMBER: _ClassVar[int]
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    mime_type: str
    uri: str
    type: str
    annotations: _common_pb2.Annotations
    meta: _common_pb2.Meta
    extra_json: bytes
    def __init__(self, data: _Optional[bytes] = ..., mime_type: _Optional[str] = ..., uri: _Optional[str] = ..., type: _Optional[str] = ..., annotations: _Optional[_Union[_common_pb2.Annotations, _Mapping]] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class EmbeddedResource(_message.Message):
    __slots__ = ("resource", "annotations", "meta", "extra_json")
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    ANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    resource: Content
    annotations: _common_pb2.Annotations
    meta: _common_pb2.Meta
    extra_json: bytes
    def __init__(self, resource: _Optional[_Union[Content, _Mapping]] = ..., annotations: _Optional[_Union[_common_pb2.Annotations, _Mapping]] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ToolUseContent(_message.Message):
    __slots__ = ("id", "name", "input", "input_json", "meta", "extra_json")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    INPUT_JSON_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    input: _struct_pb2.Struct
    input_json: bytes
    meta: _common_pb2.Meta
    extra_json: bytes
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., input: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., input_json: _Optional[bytes] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ToolResultContent(_message.Message):
    __slots__ = ("tool_use_id", "content", "structured_content", "structured_content_json", "is_error", "meta", "extra_json")
    TOOL_USE_ID_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    STRUCTURED_CONTENT_FIELD_NUMBER: _ClassVar[int]
    STRUCTURED_CONTENT_JSON_FIELD_NUMBER: _ClassVar[int]
    IS_ERROR_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    tool_use_id: str
    content: _containers.RepeatedCompositeFieldContainer[Content]
    structured_content: _struct_pb2.Struct
    structured_content_json: bytes
    is_error: bool
    meta: _common_pb2.Meta
    extra_json: bytes
    def __init__(self, tool_use_id: _Optional[str] = ..., content: _Optional[_Iterable[_Union[Content, _Mapping]]] = ..., structured_content: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., structured_content_json: _Optional[bytes] = ..., is_error: _Optional[bool] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...
