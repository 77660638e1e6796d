# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
from mcp_grpc._gen.mcp.v1 import common_pb2 as _common_pb2
from mcp_grpc._gen.mcp.v1 import envelope_pb2 as _envelope_pb2
from mcp_grpc._gen.mcp.v1 import task_pb2 as _task_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SubscriptionFilter(_message.Message):
    __slots__ = ("tools_list_changed", "prompts_list_changed", "resources_list_changed", "resource_subscriptions", "task_ids", "extra_json")
    TOOLS_LIST_CHANGED_FIELD_NUMBER: _ClassVar[int]
    PROMPTS_LIST_CHANGED_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_LIST_CHANGED_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    TASK_IDS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    tools_list_changed: bool
    prompts_list_changed: bool
    resources_list_changed: bool
    resource_subscriptions: _containers.RepeatedScalarFieldContainer[str]
    task_ids: _containers.RepeatedScalarFieldContainer[str]
    extra_json: bytes
    def __init__(self, tools_list_changed: _Optional[bool] = ..., prompts_list_changed: _Optional[bool] = ..., resources_list_changed: _Optional[bool] = ..., resource_subscriptions: _Optional[_Iterable[str]] = ..., task_ids: _Optional[_Iterable[str]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ListenRequest(_message.Message):
    __slots__ = ("meta", "notifications", "extra_json")
    META_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    meta: _common_pb2.RequestMeta
    notifications: SubscriptionFilter
    extra_json: bytes
    def __init__(self, meta: _Optional[_Union[_common_pb2.RequestMeta, _Mapping]] = ..., notifications: _Optional[_Union[SubscriptionFilter, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ListenResponse(_message.Message):
    __slots__ = ("acknowledged", "tools_list_changed", "prompts_list_changed", "resources_list_changed", "resource_updated", "task", "other", "completed")
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    TOOLS_LIST_CHANGED_FIELD_NUMBER: _ClassVar[int]
    PROMPTS_LIST_CHANGED_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_LIST_CHANGED_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_UPDATED_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    acknowledged: SubscriptionAcknowledged
    tools_list_changed: ListChanged
    prompts_list_changed: ListChanged
    resources_list_changed: ListChanged
    resource_updated: ResourceUpdated
    task: _task_pb2.Task
    other: _envelope_pb2.Envelope
    completed: ListenCompleted
    def __init__(self, acknowledged: _Optional[_Union[SubscriptionAcknowledged, _Mapping]] = ..., tools_list_changed: _Optional[_Union[ListChanged, _Mapping]] = ..., prompts_list_changed: _Optional[_Union[ListChanged, _Mapping]] = ..., resources_list_changed: _Optional[_Union[ListChanged, _Mapping]] = ..., resource_updated: _Optional[_Union[ResourceUpdated, _Mapping]] = ..., task: _Optional[_Union[_task_pb2.Task, _Mapping]] = ..., other: _Optional[_Union[_envelope_pb2.Envelope, _Mapping]] = ..., completed: _Optional[_Union[ListenCompleted, _Mapping]] = ...) -> None: ...

class SubscriptionAcknowledged(_message.Message):
    __slots__ = ("notifications", "meta", "extra_json")
    NOTIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    notifications: SubscriptionFilter
    meta: _common_pb2.Meta
    extra_json: bytes
    def __init__(self, notifications: _Optional[_Union[SubscriptionFilter, _Mapping]] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ListChanged(_message.Message):
    __slots__ = ("meta", "extra_json")
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    meta: _common_pb2.Meta
    extra_json: bytes
    def __init__(self, meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ResourceUpdated(_message.Message):
    __slots__ = ("uri", "meta", "extra_json")
    URI_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    uri: str
    meta: _common_pb2.Meta
    extra_json: bytes
    def __init__(self, uri: _Optional[str] = ..., meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., extra_json: _Optional[bytes] = ...) -> None: ...

class ListenCompleted(_message.Message):
    __slots__ = ("meta", "result_type", "extra_json")
    META_FIELD_NUMBER: _ClassVar[int]
    RESULT_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    meta: _common_pb2.Meta
    result_type: str
    extra_json: bytes
    def __init__(self, meta: _Optional[_Union[_common_pb2.Meta, _Mapping]] = ..., result_type: _Optional[str] = ..., extra_json: _Optional[bytes] = ...) -> None: ...
