# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from mcp_grpc._gen.mcp.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class InitializeRequest(_message.Message):
    __slots__ = ("protocol_version", "capabilities", "client_info", "meta", "extra_json")
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    CLIENT_INFO_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    protocol_version: str
    capabilities: _common_pb2.CapabilitySet
    client_info: _common_pb2.ClientInfo
    meta: _common_pb2.RequestMeta
    extra_json: bytes
    def __init__(self, protocol_version: _Optional[str] = ..., capabilities: _Optional[_Union[_common_pb2.CapabilitySet, _Mapping]] = ..., client_info: _Optional[_Union[_common_pb2.ClientInfo, _Mapping]] = ..., meta: _Optional[_Union[_common_pb2.RequestMeta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class InitializeResponse(_message.Message):
    __slots__ = ("protocol_version", "capabilities", "server_info", "instructions", "session_id", "meta", "extra_json")
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    SERVER_INFO_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    protocol_version: str
    capabilities: _common_pb2.CapabilitySet
    server_info: _common_pb2.ServerInfo
    instructions: str
    session_id: str
    meta: _common_pb2.Meta
    extra_json: bytes
    def __init__(self, protocol_version: _Optional[str] = ..., capabilities: _Optional[_Union[_common_pb2.CapabilitySet, _Mapping]] = ..., server_info: _Optional[_Union[_common_pb2.ServerInfo, _Mapping]] = ..., instructions: _Optional[str] = ..., session_id: _Optional[str] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class DiscoverRequest(_message.Message):
    __slots__ = ("meta", "extra_json")
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    meta: _common_pb2.RequestMeta
    extra_json: bytes
    def __init__(self, meta: _Optional[_Union[_common_pb2.RequestMeta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class DiscoverResponse(_message.Message):
    __slots__ = ("supported_versions", "capabilities", "instructions", "ttl_ms", "cache_scope", "meta", "result_type", "extra_json")
    SUPPORTED_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    TTL_MS_FIELD_NUMBER: _ClassVar[int]
    CACHE_SCOPE_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    RESULT_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    supported_versions: _containers.RepeatedScalarFieldContainer[str]
    capabilities: _common_pb2.CapabilitySet
    instructions: str
    ttl_ms: int
    cache_scope: str
    meta: _common_pb2.Meta
    result_type: str
    extra_json: bytes
    def __init__(self, supported_versions: _Optional[_Iterable[str]] = ..., capabilities: _Optional[_Union[_common_pb2.CapabilitySet, _Mapping]] = ..., instructions: _Optional[str] = ..., ttl_ms: _Optional[int] = ..., cache_scope: _Optional[str] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., result_type: _Optional[str] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class PingRequest(_message.Message):
    __slots__ = ("meta",)
    META_FIELD_NUMBER: _ClassVar[int]
    meta: _common_pb2.RequestMeta
    def __init__(self, meta: _Optional[_Union[_common_pb2.RequestMeta, _Mapping]] = ...) -> None: ...

class PingResponse(_message.Message):
    __slots__ = ("server_time",)
    SERVER_TIME_FIELD_NUMBER: _ClassVar[int]
    server_time: _timestamp_pb2.Timestamp
    def __init__(self, server_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ShutdownRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ShutdownResponse(_message.Message):
    __slots__ = ("accepted",)
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    accepted: bool
    def __init__(self, accepted: _Optional[bool] = ...) -> None: ...
