# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
from mcp_grpc._gen.mcp.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CompleteRequest(_message.Message):
    __slots__ = ("ref", "argument_name", "value", "ref_type", "ref_title", "context", "meta", "ref_extra_json", "argument_extra_json", "extra_json")
    REF_FIELD_NUMBER: _ClassVar[int]
    ARGUMENT_NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    REF_TYPE_FIELD_NUMBER: _ClassVar[int]
    REF_TITLE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    REF_EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    ARGUMENT_EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    ref: str
    argument_name: str
    value: str
    ref_type: str
    ref_title: str
    context: CompletionContext
    meta: _common_pb2.RequestMeta
    ref_extra_json: bytes
    argument_extra_json: bytes
    extra_json: bytes
    def __init__(self, ref: _Optional[str] = ..., argument_name: _Optional[str] = ..., value: _Optional[str] = ..., ref_type: _Optional[str] = ..., ref_title: _Optional[str] = ..., context: _Optional[_Union[CompletionContext, _Mapping]] = ..., meta: _Optional[_Union[_common_pb2.RequestMeta, _Mapping]] = ..., ref_extra_json: _Optional[bytes] = ..., argument_extra_json: _Optional[bytes] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class CompletionContext(_message.Message):
    __slots__ = ("arguments", "extra_json")
    class ArgumentsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    arguments: _containers.ScalarMap[str, str]
    extra_json: bytes
    def __init__(self, arguments: _Optional[_Mapping[str, str]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class CompleteResponse(_message.Message):
    __slots__ = ("values", "total", "has_more", "meta", "result_type", "completion_extra_json", "extra_json")
    VALUES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    HAS_MORE_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    RESULT_TYPE_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    total: int
    has_more: bool
    meta: _common_pb2.Meta
    result_type: str
    completion_extra_json: bytes
    extra_json: bytes
    def __init__(self, values: _Optional[_Iterable[str]] = ..., total: _Optional[int] = ..., has_more: _Optional[bool] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., result_type: _Optional[str] = ..., completion_extra_json: _Optional[bytes] = ..., extra_json: _Optional[bytes] = ...) -> None: ...
