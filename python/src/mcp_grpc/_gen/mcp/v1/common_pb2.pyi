# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class JsonEncoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JSON_ENCODING_UNSPECIFIED: _ClassVar[JsonEncoding]
    JSON_ENCODING_STRUCT: _ClassVar[JsonEncoding]
    JSON_ENCODING_BYTES: _ClassVar[JsonEncoding]
JSON_ENCODING_UNSPECIFIED: JsonEncoding
JSON_ENCODING_STRUCT: JsonEncoding
JSON_ENCODING_BYTES: JsonEncoding

class Meta(_message.Message):
    __slots__ = ("values", "values_json")
    VALUES_FIELD_NUMBER: _ClassVar[int]
    VALUES_JSON_FIELD_NUMBER: _ClassVar[int]
    values: _struct_pb2.Struct
    values_json: bytes
    def __init__(self, values: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., values_json: _Optional[bytes] = ...) -> None: ...

class RequestMeta(_message.Message):
    __slots__ = ("protocol_version", "client_info", "client_capabilities", "log_level", "progress_token", "traceparent", "tracestate", "baggage", "json_encoding", "extra", "extra_json")
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    CLIENT_INFO_FIELD_NUMBER: _ClassVar[int]
    CLIENT_CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    LOG_LEVEL_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    TRACESTATE_FIELD_NUMBER: _ClassVar[int]
    BAGGAGE_FIELD_NUMBER: _ClassVar[int]
    JSON_ENCODING_FIELD_NUMBER: _ClassVar[int]
    EXTRA_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    protocol_version: str
    client_info: ClientInfo
    client_capabilities: CapabilitySet
    log_level: str
    progress_token: ProgressToken
    traceparent: str
    tracestate: str
    baggage: str
    json_encoding: JsonEncoding
    extra: _struct_pb2.Struct
    extra_json: bytes
    def __init__(self, protocol_version: _Optional[str] = ..., client_info: _Optional[_Union[ClientInfo, _Mapping]] = ..., client_capabilities: _Optional[_Union[CapabilitySet, _Mapping]] = ..., log_level: _Optional[str] = ..., progress_token: _Optional[_Union[ProgressToken, _Mapping]] = ..., traceparent: _Optional[str] = ..., tracestate: _Optional[str] = ..., baggage: _Optional[str] = ..., json_encoding: _Optional[_Union[JsonEncoding, str]] = ..., extra: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ProgressToken(_message.Message):
    __slots__ = ("string_value", "int_value")
    STRING_VALUE_FIELD_NUMBER: _ClassVar[int]
    INT_VALUE_FIELD_NUMBER: _ClassVar[int]
    string_value: str
    int_value: int
    def __init__(self, string_value: _Optional[str] = ..., int_value: _Optional[int] = ...) -> None: ...

class CapabilitySet(_message.Message):
    __slots__ = ("values", "values_json")
    VALUES_FIELD_NUMBER: _ClassVar[int]
    VALUES_JSON_FIELD_NUMBER: _ClassVar[int]
    values: _struct_pb2.Struct
    values_json: bytes
    def __init__(self, values: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., values_json: _Optional[bytes] = ...) -> None: ...

class ClientInfo(_message.Message):
    __slots__ = ("name", "title", "version", "description", "website_url", "icons", "extra_json")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    WEBSITE_URL_FIELD_NUMBER: _ClassVar[int]
    ICONS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    version: str
    description: str
    website_url: str
    icons: _containers.RepeatedCompositeFieldContainer[Icon]
    extra_json: bytes
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., version: _Optional[str] = ..., description: _Optional[str] = ..., website_url: _Optional[str] = ..., icons: _Optional[_Iterable[_Union[Icon, _Mapping]]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ServerInfo(_message.Message):
    __slots__ = ("name", "title", "version", "description", "website_url", "icons", "extra_json")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    WEBSITE_URL_FIELD_NUMBER: _ClassVar[int]
    ICONS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    version: str
    description: str
    website_url: str
    icons: _containers.RepeatedCompositeFieldContainer[Icon]
    extra_json: bytes
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., version: _Optional[str] = ..., description: _Optional[str] = ..., website_url: _Optional[str] = ..., icons: _Optional[_Iterable[_Union[Icon, _Mapping]]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class Icon(_message.Message):
    __slots__ = ("src", "mime_type", "sizes", "theme", "extra_json")
    SRC_FIELD_NUMBER: _ClassVar[int]
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZES_FIELD_NUMBER: _ClassVar[int]
    THEME_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    src: str
    mime_type: str
    sizes: _containers.RepeatedScalarFieldContainer[str]
    theme: str
    extra_json: bytes
    def __init__(self, src: _Optional[str] = ..., mime_type: _Optional[str] = ..., sizes: _Optional[_Iterable[str]] = ..., theme: _Optional[str] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class Annotations(_message.Message):
    __slots__ = ("audience", "priority", "last_modified", "extra_json")
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    LAST_MODIFIED_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    audience: _containers.RepeatedScalarFieldContainer[str]
    priority: float
    last_modified: str
    extra_json: bytes
    def __init__(self, audience: _Optional[_Iterable[str]] = ..., priority: _Optional[float] = ..., last_modified: _Optional[str] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class JsonRpcError(_message.Message):
    __slots__ = ("code", "message", "data", "data_json", "extra_json")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DATA_JSON_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    data: _struct_pb2.Struct
    data_json: bytes
    extra_json: bytes
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., data: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., data_json: _Optional[bytes] = ..., extra_json: _Optional[bytes] = ...) -> None: ...
