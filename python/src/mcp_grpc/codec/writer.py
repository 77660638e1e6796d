# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""ToJSON: the JSON twin of a message (SPEC.md §5.3)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from mcp_grpc._gen.mcp.v1.common_pb2 import CapabilitySet, Meta, ProgressToken
from mcp_grpc.codec.errors import BothTwinsError, CodecError, MalformedError
from mcp_grpc.codec.plan import STRUCT, Field, Shape, has_twin, plan_of
from mcp_grpc.codec.struct import struct_text
from mcp_grpc.codec.text import check, loads, members, number_text, quote

# What writes messages of a special shape (§5.4), by their full name, and Content by its place.
WRITERS: dict[str, Callable[[Any], str]] = {}
CONTENT_WRITERS: dict[Shape, Callable[[Any], str]] = {}


def to_json(message: Message) -> str:
    """The JSON text that is the twin of a message (§5.3, ToJSON).

    Raises:
        BothTwinsError: A field and its ``_json`` twin are both set.
        NotJsonError: A ``_json`` field is not JSON in UTF-8.
        MalformedError: The message says what JSON cannot: a member both in a field and in ``extra_json``, a oneof
            that must be set and is not, a number that is not finite; or it has no twin.
    """
    return write(message)


def to_value(message: Message) -> Any:
    """The Python value of :func:`to_json`'s text, as :func:`~mcp_grpc.codec.text.loads` gives it."""
    return loads(write(message))


def write(message: Message) -> str:
    """The twin of any message."""
    if isinstance(message, Meta | CapabilitySet):
        return _free(message)
    if isinstance(message, ProgressToken):
        return _progress_token(message)
    if not has_twin(message):
        raise MalformedError(f"{message.DESCRIPTOR.full_name} has no twin in JSON, convert what it holds")
    return WRITERS.get(message.DESCRIPTOR.full_name, plain)(message)


def plain(message: Message) -> str:
    """The twin of a message without a special shape."""
    out = ObjectWriter.of(message)
    out.fields(message)
    return out.end()


class ObjectWriter:
    """Writes one object; the members of ``extra_json`` come last."""

    def __init__(self, extra: str | bytes = b"", name: str = "extra_json") -> None:
        try:
            self._extra = members(check(extra)) if extra else []
        except CodecError as error:
            raise error.at(name) from None
        self._held = {member.key for member in self._extra}
        self._parts: list[str] = []

    @classmethod
    def of(cls, message: Any) -> ObjectWriter:
        """The writer of the twin of a message."""
        plan = plan_of(message.DESCRIPTOR)
        text: str | bytes = message.extra_json if plan.extra_json else b""
        if plan.extra and message.HasField("extra"):
            if text:
                raise BothTwinsError("set extra or extra_json, not both")
            text = struct_text(message.extra)
        return cls(text)

    def held(self, member: str) -> bool:
        """Whether ``extra_json`` has a member."""
        return member in self._held

    def put(self, member: str, raw: str) -> None:
        """Write a member; :class:`MalformedError` if ``extra_json`` has it, too."""
        if member in self._held:
            raise MalformedError(f'member "{member}" stands both in a field and in extra_json, set one of them')
        self._parts.append(f"{quote(member)}:{raw}")

    def fields(self, message: Any) -> None:
        """Write the members of all fields that have one of their own."""
        for field in plan_of(message.DESCRIPTOR).fields:
            try:
                self._field(field, message)
            except CodecError as error:
                raise error.at(field.name) from None

    def _field(self, field: Field, message: Any) -> None:
        text: bytes = getattr(message, field.text) if field.text else b""
        is_set = _is_set(field, message)
        if text and is_set:
            raise BothTwinsError(f"set {field.name} or {field.text}, not both")
        if text:
            self.put(field.member, check(text))
        elif is_set or (field.required and not self.held(field.member)):
            self.put(field.member, _value(field, getattr(message, field.name)))

    def end(self) -> str:
        """The text of the object."""
        self._parts.extend(f"{member.quoted}:{member.raw}" for member in self._extra)
        return "{" + ",".join(self._parts) + "}"


def _is_set(field: Field, message: Any) -> bool:
    if field.presence:
        return bool(message.HasField(field.name))
    return bool(getattr(message, field.name))


def _value(field: Field, value: Any) -> str:
    if field.repeated:
        return array(value, lambda inner: _one(field, inner))
    if field.is_map:
        out = ObjectWriter()
        for key in sorted(value):
            try:
                out.put(key, _one(field, value[key]))
            except CodecError as error:
                raise error.at(f"[{quote(key)}]") from None
        return out.end()
    return _one(field, value)


def array(values: Any, write_one: Callable[[Any], str]) -> str:
    """The text of an array."""
    parts = []
    for index, value in enumerate(values):
        try:
            parts.append(write_one(value))
        except CodecError as error:
            raise error.at(f"[{index}]") from None
    return "[" + ",".join(parts) + "]"


def _one(field: Field, value: Any) -> str:
    element = field.element
    if element.message_type is None:
        return _scalar(element, value)
    if element.message_type.full_name == STRUCT:
        return struct_text(value)
    if element.message_type.full_name == "mcp.v1.Content":
        return CONTENT_WRITERS[field.shape](value)
    return write(value)


def _scalar(field: FieldDescriptor, value: Any) -> str:
    if field.type == FieldDescriptor.TYPE_STRING:
        return quote(value)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return "true" if value else "false"
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return number_text(value)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64_text(value)
    return str(value)


def base64_text(data: bytes) -> str:
    """Bytes as a JSON string (rule R4)."""
    return f'"{base64.b64encode(data).decode()}"'


def _free(message: Meta | CapabilitySet) -> str:
    if message.HasField("values") and message.values_json:
        raise BothTwinsError("set values or values_json, not both")
    if not message.values_json:
        return struct_text(message.values)
    raw = check(message.values_json)
    if raw[0] != "{":
        raise MalformedError("JSON is no object").at("values_json")
    return raw


def _progress_token(message: ProgressToken) -> str:
    match message.WhichOneof("kind"):
        case "string_value":
            return quote(message.string_value)
        case "int_value":
            return str(message.int_value)
    raise unset("kind")


def unset(oneof: str) -> MalformedError:
    """The error for a oneof of which nothing is set."""
    return MalformedError(f"no {oneof} is set, set exactly one")
