# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""FromJSON: the message of a given type whose twin a JSON value is (SPEC.md §5.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from mcp_grpc._gen.mcp.v1.common_pb2 import (
    JSON_ENCODING_UNSPECIFIED,
    CapabilitySet,
    JsonEncoding,
    Meta,
    ProgressToken,
)
from mcp_grpc.codec.errors import CodecError, MalformedError
from mcp_grpc.codec.number import exact_int
from mcp_grpc.codec.plan import Field, Plan, Shape, has_twin, message_name, plan_of
from mcp_grpc.codec.scalar import INT64, scalar
from mcp_grpc.codec.struct import exact_struct, raw_twins
from mcp_grpc.codec.text import Member, check, dumps, elements, exact_string, join, members

M = TypeVar("M", bound=Message)

# What reads messages of a special shape (§5.4), by their full name, and Content by its place.
READERS: dict[str, Callable[[Reader, str, Any], None]] = {}
CONTENT_READERS: dict[Shape, Callable[[Reader, str, Any], None]] = {}

# How deep messages nest that come from JSON; what is deeper stays text, as readers of protobuf stop at 100.
_MAX_DEPTH = 30


def from_json(text: str | bytes, cls: type[M], encoding: JsonEncoding = JSON_ENCODING_UNSPECIFIED) -> M:
    """Read a JSON object as a message (§5.3, FromJSON). ``to_json`` gives the same JSON back.

    Args:
        text: The JSON.
        cls: The type of the message.
        encoding: Where free-form JSON goes: rule R2.

    Raises:
        NotJsonError: The text is not one JSON value in UTF-8.
        MalformedError: It repeats a member, lacks one that the message cannot leave out, or has one that the
            message has no place for; or the type has no twin.
    """
    message = cls()
    Reader(encoding).message(check(text), message)
    return message


def from_value(value: Any, cls: type[M], encoding: JsonEncoding = JSON_ENCODING_UNSPECIFIED) -> M:
    """:func:`from_json` for a Python value, such as the SDK's models give when they are dumped."""
    return from_json(dumps(value), cls, encoding)


class Reader:
    """Reads raw values into messages.

    Where a method fails, or says false, the message cannot hold the value: what is around it keeps it as text.
    """

    def __init__(self, encoding: JsonEncoding, depth: int = 0) -> None:
        self.encoding = encoding
        self._depth = depth

    def message(self, raw: str, message: Message) -> None:
        """Read the twin of ``message`` into it."""
        if isinstance(message, Meta | CapabilitySet):
            self._free(raw, message)
        elif isinstance(message, ProgressToken):
            _progress_token(raw, message)
        elif not has_twin(message):
            raise MalformedError(f"{message.DESCRIPTOR.full_name} has no twin in JSON, convert what it holds")
        else:
            READERS.get(message.DESCRIPTOR.full_name, _read_plain)(self, raw, message)

    def object(self, raw: str) -> tuple[Reader, list[Member]]:
        """The members of an object, and the reader for what is in it.

        Raises:
            MalformedError: It is no object, repeats a key, or is too deep.
        """
        if self._depth >= _MAX_DEPTH:
            raise MalformedError(f"messages nest more than {_MAX_DEPTH} levels")
        return Reader(self.encoding, self._depth + 1), members(raw)

    def fields(self, parts: list[Member], message: Message) -> None:
        """Read members into the fields of a message, and what has none into its ``extra_json``."""
        plan = plan_of(message.DESCRIPTOR)
        keys = {part.key for part in parts}
        for field in plan.fields:
            if field.required and field.member not in keys:
                raise MalformedError(f'member "{field.member}" is missing')
        aside = [part for part in parts if not self._member(plan, part, message)]
        if aside:
            self._aside(plan, aside, message)

    def _member(self, plan: Plan, part: Member, message: Message) -> bool:
        field = plan.by_member.get(part.key)
        return field is not None and self.field(field, part.raw, message)

    def _aside(self, plan: Plan, parts: list[Member], message: Any) -> None:
        text = join(parts)
        if plan.extra and plan.extra_json:
            struct, data = raw_twins(text, self.encoding)
            if struct is None:
                message.extra_json = data
            else:
                message.extra.CopyFrom(struct)
        elif plan.extra_json:
            message.extra_json = text.encode("utf-8")
        elif plan.extra:
            struct = exact_struct(text)
            if struct is None:
                raise MalformedError(f'member "{parts[0].key}", or one after it, does not fit a Struct')
            message.extra.CopyFrom(struct)
        else:
            raise MalformedError(f'member "{parts[0].key}" has no place in {message.DESCRIPTOR.full_name}')

    def field(self, field: Field, raw: str, message: Message) -> bool:
        """Read a raw value into one field. If it is false, the field is as it was."""
        if field.text:
            struct, text = raw_twins(raw, self.encoding)
            if struct is None:
                setattr(message, field.text, text)
            else:
                getattr(message, field.name).CopyFrom(struct)
            return True
        try:
            if field.repeated:
                return self._list(field, raw, getattr(message, field.name))
            if field.is_map:
                return self._map(field, raw, getattr(message, field.name))
            if field.descriptor.message_type is not None:
                child = GetMessageClass(field.descriptor.message_type)()
                self._child(field, raw, child)
                getattr(message, field.name).CopyFrom(child)
                getattr(message, field.name).SetInParent()
                return True
            return self._scalar(field, raw, message)
        except CodecError:
            message.ClearField(field.name)
            return False

    def _scalar(self, field: Field, raw: str, message: Message) -> bool:
        value = scalar(field.descriptor, raw)
        # A field without presence does not keep its zero, unless it is always written.
        if value is None or not (field.presence or field.required or value):
            return False
        setattr(message, field.name, value)
        return True

    def _list(self, field: Field, raw: str, target: Any) -> bool:
        values = elements(raw)
        if values is None or (not values and not field.required):
            return False
        if field.element.message_type is not None:
            for value in values:
                self._child(field, value, target.add())
            return True
        for value in values:
            target.append(_fit(field.element, value))
        return True

    def _map(self, field: Field, raw: str, target: Any) -> bool:
        parts = members(raw)
        if not parts:
            return False
        for part in parts:
            if not part.exact:
                raise MalformedError("a key is not valid Unicode")
            if field.element.message_type is not None:
                self.message(part.raw, target[part.key])
            else:
                target[part.key] = _fit(field.element, part.raw)
        return True

    def _child(self, field: Field, raw: str, child: Message) -> None:
        if message_name(field.element) == "mcp.v1.Content":
            CONTENT_READERS[field.shape](self, raw, child)
        else:
            self.message(raw, child)

    def _free(self, raw: str, message: Meta | CapabilitySet) -> None:
        if raw[0] != "{":
            raise MalformedError("JSON is no object")
        struct, text = raw_twins(raw, self.encoding)
        if struct is None:
            message.values_json = text
        else:
            message.values.CopyFrom(struct)


def _read_plain(reader: Reader, raw: str, message: Message) -> None:
    inner, parts = reader.object(raw)
    inner.fields(parts, message)


def _fit(field: FieldDescriptor, raw: str) -> Any:
    value = scalar(field, raw)
    if value is None:
        raise MalformedError(f"{field.name} cannot hold the value")
    return value


def _progress_token(raw: str, message: ProgressToken) -> None:
    if (text := exact_string(raw)) is not None:
        message.string_value = text
    elif (number := exact_int(raw, *INT64)) is not None:
        message.int_value = number
    else:
        raise MalformedError("a progress token is a string or a 64-bit integer")
