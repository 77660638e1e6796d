# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
from google.protobuf import struct_pb2 as _struct_pb2
from mcp_grpc._gen.mcp.v1 import common_pb2 as _common_pb2
from mcp_grpc._gen.mcp.v1 import input_pb2 as _input_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Task(_message.Message):
    __slots__ = ("task_id", "status", "status_message", "created_at", "last_updated_at", "ttl_ms", "poll_interval_ms", "ttl", "poll_interval", "input_requests", "result", "result_json", "error", "meta", "result_type", "extra_json")
    class InputRequestsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _input_pb2.InputRequest
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_input_pb2.InputRequest, _Mapping]] = ...) -> None: ...
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STATUS_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    TTL_MS_FIELD_NUMBER: _ClassVar[int]
    POLL_INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    POLL_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    INPUT_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RESULT_JSON_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    RESULT_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    status: str
    status_message: str
    created_at: str
    last_updated_at: str
    ttl_ms: int
    poll_interval_ms: int
    ttl: int
    poll_interval: int
    input_requests: _containers.MessageMap[str, _input_pb2.InputRequest]
    result: _struct_pb2.Struct
    result_json: bytes
    error: _common_pb2.JsonRpcError
    meta: _common_pb2.Meta
    result_type: str
    extra_json: bytes
    def __init__(self, task_id: _Optional[str] = ..., status: _Optional[str] = ..., status_message: _Optional[str] = ..., created_at: _Optional[str] = ..., last_updated_at: _Optional[str] = ..., ttl_ms: _Optional[int] = ..., poll_interval_ms: _Optional[int] = ..., ttl: _Optional[int] = ..., poll_interval: _Optional[int] = ..., input_requests: _Optional[_Mapping[str, _input_pb2.InputRequest]] = ..., result: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., result_json: _Optional[bytes] = ..., error: _Optional[_Union[_common_pb2.JsonRpcError, _Mapping]] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., result_type: _Optional[str] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class GetTaskRequest(_message.Message):
    __slots__ = ("task_id", "meta", "extra_json")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    meta: _common_pb2.RequestMeta
    extra_json: bytes
    def __init__(self, task_id: _Optional[str] = ..., meta: _Optional[_Union[_common_pb2.RequestMeta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class GetTaskResponse(_message.Message):
    __slots__ = ("task",)
    TASK_FIELD_NUMBER: _ClassVar[int]
    task: Task
    def __init__(self, task: _Optional[_Union[Task, _Mapping]] = ...) -> None: ...

class UpdateTaskRequest(_message.Message):
    __slots__ = ("task_id", "input_responses", "meta", "extra_json")
    class InputResponsesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _input_pb2.InputResponse
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_input_pb2.InputResponse, _Mapping]] = ...) -> None: ...
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    INPUT_RESPONSES_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    input_responses: _containers.MessageMap[str, _input_pb2.InputResponse]
    meta: _common_pb2.RequestMeta
    extra_json: bytes
    def __init__(self, task_id: _Optional[str] = ..., input_responses: _Optional[_Mapping[str, _input_pb2.InputResponse]] = ..., meta: _Optional[_Union[_common_pb2.RequestMeta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class UpdateTaskResponse(_message.Message):
    __slots__ = ("meta", "result_type", "extra_json")
    META_FIELD_NUMBER: _ClassVar[int]
    RESULT_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    meta: _common_pb2.Meta
    result_type: str
    extra_json: bytes
    def __init__(self, meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., result_type: _Optional[str] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class CancelTaskRequest(_message.Message):
    __slots__ = ("task_id", "meta", "extra_json")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    meta: _common_pb2.RequestMeta
    extra_json: bytes
    def __init__(self, task_id: _Optional[str] = ..., meta: _Optional[_Union[_common_pb2.RequestMeta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class CancelTaskResponse(_message.Message):
    __slots__ = ("meta", "result_type", "extra_json")
    META_FIELD_NUMBER: _ClassVar[int]
    RESULT_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    meta: _common_pb2.Meta
    result_type: str
    extra_json: bytes
    def __init__(self, meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., result_type: _Optional[str] = ..., extra_json: _Optional[bytes] = ...) -> None: ...
