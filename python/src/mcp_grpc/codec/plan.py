# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Which member each field is: the table of SPEC.md §5.5, read from the descriptors.

Rule R1 gives nearly all of it. What it does not give stands in the four tables here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

STRUCT = "google.protobuf.Struct"


class Shape(Enum):
    """Which of its three twins a Content has, by the place where it stands (§5.4.2)."""

    BLOCK = 0
    CONTENTS = 1
    PROMPT_MESSAGE = 2


_SHAPES = {
    "mcp.v1.ReadResourceResponse.contents": Shape.CONTENTS,
    "mcp.v1.EmbeddedResource.resource": Shape.CONTENTS,
    "mcp.v1.GetPromptResponse.messages": Shape.PROMPT_MESSAGE,
}

_MEMBERS = {
    "mcp.v1.RequestMeta.protocol_version": "io.modelcontextprotocol/protocolVersion",
    "mcp.v1.RequestMeta.client_info": "io.modelcontextprotocol/clientInfo",
    "mcp.v1.RequestMeta.client_capabilities": "io.modelcontextprotocol/clientCapabilities",
    "mcp.v1.RequestMeta.log_level": "io.modelcontextprotocol/logLevel",
}

# Always written: MCP has no object without them, and the fields cannot tell absent from empty.
_REQUIRED = {
    "mcp.v1.CallToolResult.content",
    "mcp.v1.CreateMessageRequest.messages",
    "mcp.v1.DiscoverResponse.supported_versions",
    "mcp.v1.GetPromptResponse.messages",
    "mcp.v1.JsonRpcError.code",
    "mcp.v1.JsonRpcError.message",
    "mcp.v1.ListPromptsResponse.prompts",
    "mcp.v1.ListResourceTemplatesResponse.resource_templates",
    "mcp.v1.ListResourcesResponse.resources",
    "mcp.v1.ListRootsResult.roots",
    "mcp.v1.ListToolsResponse.tools",
    "mcp.v1.ReadResourceResponse.contents",
    "mcp.v1.ToolResultContent.content",
}

# No member of their own: they have no twin, or the shape of their message looks after them (§5.4).
_UNMAPPED = {
    "mcp.v1.BlobContent": {"data", "type"},
    "mcp.v1.CallToolProgress": {"percentage"},
    "mcp.v1.CompleteRequest": {
        "ref",
        "ref_type",
        "ref_title",
        "ref_extra_json",
        "argument_name",
        "value",
        "argument_extra_json",
    },
    "mcp.v1.CompleteResponse": {"values", "total", "has_more", "completion_extra_json"},
    "mcp.v1.CreateMessageResult": {"content", "content_is_array"},
    "mcp.v1.GetPromptResponse": {"input_required"},
    "mcp.v1.InitializeResponse": {"session_id"},
    "mcp.v1.ListRootsRequest": {"no_params"},
    "mcp.v1.PingResponse": {"server_time"},
    "mcp.v1.ReadResourceResponse": {"input_required"},
    "mcp.v1.RequestMeta": {"json_encoding"},
    "mcp.v1.SamplingMessage": {"content", "content_is_array"},
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field, or a pair x and x_json, that is one member of the twin."""

    descriptor: FieldDescriptor
    name: str
    member: str
    text: str | None
    """The name of the _json half of a pair."""
    required: bool
    shape: Shape
    repeated: bool
    """Whether it is an array; a map is not."""
    is_map: bool
    presence: bool

    @property
    def element(self) -> FieldDescriptor:
        """What stands in the field: the value of a map, else the field itself."""
        if self.is_map:
            return map_value(self.descriptor)
        return self.descriptor


@dataclass(frozen=True, slots=True)
class Plan:
    """How the fields of one message map to members."""

    fields: tuple[Field, ...]
    by_member: dict[str, Field]
    extra: bool
    """Whether all other members can stand in the Struct ``extra``."""
    extra_json: bool
    """Whether all other members can stand in ``extra_json``."""


@cache
def plan_of(descriptor: Descriptor) -> Plan:
    """The plan of a message type."""
    fields = tuple(_field(descriptor, field) for field in descriptor.fields if _is_mapped(descriptor, field))
    return Plan(
        fields,
        {field.member: field for field in fields},
        extra="extra" in descriptor.fields_by_name,
        extra_json="extra_json" in descriptor.fields_by_name,
    )


def map_value(field: FieldDescriptor) -> FieldDescriptor:
    """The field of the values of a map."""
    assert field.message_type is not None
    return field.message_type.fields_by_name["value"]


def message_name(field: FieldDescriptor) -> str:
    """The full name of the message that a field holds; empty if it holds none."""
    return field.message_type.full_name if field.message_type is not None else ""


def is_map(field: FieldDescriptor) -> bool:
    """Whether a field is a map."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def is_struct(field: FieldDescriptor | None) -> bool:
    """Whether a field is one Struct."""
    return field is not None and message_name(field) == STRUCT and not field.is_repeated


def text_half(descriptor: Descriptor, field: FieldDescriptor) -> str | None:
    """The name of the x_json field of a Struct field x."""
    name = f"{field.name}_json"
    return name if is_struct(field) and name in descriptor.fields_by_name else None


def _is_mapped(descriptor: Descriptor, field: FieldDescriptor) -> bool:
    if field.name in {"extra", "extra_json"} or field.name in _UNMAPPED.get(descriptor.full_name, ()):
        return False
    half = descriptor.fields_by_name.get(field.name.removesuffix("_json"))
    return not (field.name.endswith("_json") and is_struct(half))


def _field(descriptor: Descriptor, field: FieldDescriptor) -> Field:
    return Field(
        descriptor=field,
        name=field.name,
        member=_member(descriptor, field),
        text=text_half(descriptor, field),
        required=field.full_name in _REQUIRED,
        shape=_SHAPES.get(field.full_name, Shape.BLOCK),
        repeated=field.is_repeated and not is_map(field),
        is_map=is_map(field),
        presence=field.has_presence,
    )


def _member(descriptor: Descriptor, field: FieldDescriptor) -> str:
    if field.full_name in _MEMBERS:
        return _MEMBERS[field.full_name]
    if descriptor.full_name == "mcp.v1.ProtectedResourceMetadata":
        return field.name  # its twin is of RFC 9728
    return "_meta" if field.name == "meta" else field.json_name


_NO_TWIN = {
    f"mcp.v1.{name}"
    for name in (
        "Hello",
        "CallFrame",
        "ReplyFrame",
        "CancelFrame",
        "FrameError",
        "JsonRpcRequest",
        "JsonRpcResponse",
        "JsonRpcNotification",
        "ResourceEvent",
        "ListenResponse",
        "ShutdownRequest",
        "ShutdownResponse",
        "GetMetadataRequest",
    )
}


def has_twin(message: Message) -> bool:
    """Whether a message stands for one value of JSON."""
    descriptor = message.DESCRIPTOR
    return descriptor.full_name not in _NO_TWIN and descriptor.file.package == "mcp.v1"
