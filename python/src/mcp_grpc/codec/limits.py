# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of a message that came from a peer, before anything else touches it (SPEC.md §12)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value

from mcp_grpc.codec.errors import BothTwinsError, CodecError, LimitError, MalformedError
from mcp_grpc.codec.plan import STRUCT, is_map, map_value, message_name, text_half
from mcp_grpc.codec.text import check

# Possessive: what an alternation of single characters could go back to fills the memory.
_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"')
_BRACKETS = re.compile(rb"[][{}]")

# Fields of text that hold an object, not just any value.
_OBJECTS = {
    "argument_extra_json",
    "completion_extra_json",
    "extra_json",
    "message_extra_json",
    "ref_extra_json",
    "values_json",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the free-form JSON of one message.

    Attributes:
        max_depth: How many arrays and objects may stand inside each other; ``[]`` is 1 deep.
        max_nodes: How many arrays and objects there may be in all.
    """

    max_depth: int = 32
    max_nodes: int = 10_000


def check_message(message: Message, limits: Limits) -> None:
    """Check that each Struct and each ``_json`` field is what the mapping can write, and within the limits.

    Raises:
        BothTwinsError: A field and its ``_json`` twin are both set.
        LimitError: JSON is deeper than the limit, or has more arrays and objects.
        NotJsonError: A ``_json`` field is not JSON in UTF-8.
        MalformedError: A Struct holds what JSON does not have, or an ``extra_json`` no object.
    """
    _Checker(limits).message(message, 1)


def check_json(text: str | bytes, limits: Limits) -> str:
    """The raw value that JSON text is, if it is within the limits; fails as :func:`check_message`.

    Text that is over the limits and no JSON either is a LimitError.
    """
    _Checker(limits).count(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    return check(text)


@cache
def _checked(descriptor: Descriptor) -> tuple[tuple[FieldDescriptor, str | None], ...]:
    """The fields to look into, with the _json half of pairs."""
    return tuple((field, text_half(descriptor, field)) for field in descriptor.fields if _is_checked(field))


def _is_checked(field: FieldDescriptor) -> bool:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return field.name.endswith("_json")
    if is_map(field):
        return map_value(field).message_type is not None
    return message_name(field) not in {"", "google.protobuf.Timestamp", "mcp.v1.ProgressToken"}


class _Checker:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._nodes = 0

    def message(self, message: Any, depth: int) -> None:
        if depth > self._limits.max_depth:
            raise LimitError(f"messages nest more than {self._limits.max_depth} levels")
        for field, text in _checked(message.DESCRIPTOR):
            try:
                self._field(message, field, text, depth)
            except CodecError as error:
                raise error.at(field.name) from None

    def _field(self, message: Any, field: FieldDescriptor, text: str | None, depth: int) -> None:
        value = getattr(message, field.name)
        if field.type == FieldDescriptor.TYPE_BYTES:
            if not value and field.containing_oneof is not None and message.HasField(field.name):
                raise MalformedError("JSON is empty")
            self._text(field.name, value)
        elif field.is_repeated:
            for inner in value.values() if is_map(field) else value:
                self.message(inner, depth + 1)
        elif message.HasField(field.name):
            if text and getattr(message, text):
                raise BothTwinsError(f"set {field.name} or {text}, not both")
            if message_name(field) == STRUCT:
                self.struct(value, 1)
            else:
                self.message(value, depth + 1)

    def _text(self, name: str, text: bytes) -> None:
        if not text:
            return
        self.count(text)
        raw = check(text)
        if name in _OBJECTS and raw[0] != "{":
            raise MalformedError("JSON is no object")

    def count(self, text: bytes) -> None:
        """Check text before it is read: of what is over the limits, nothing is built."""
        brackets = text.count(b"{") + text.count(b"[")  # those in strings, too: never too few
        if brackets > self._limits.max_depth or self._nodes + brackets > self._limits.max_nodes:
            depth = 0
            for bracket in _BRACKETS.finditer(_STRINGS.sub(b"", text)):
                if bracket[0] in b"[{":
                    depth += 1
                    self._depth(depth)
                    self._count(1)
                else:
                    depth -= 1
        else:
            self._count(brackets)

    def struct(self, struct: Struct, depth: int) -> None:
        self._depth(depth)
        self._count(1)
        for value in struct.fields.values():
            self._value(value, depth)

    def _value(self, value: Value, depth: int) -> None:
        match value.WhichOneof("kind"):
            case "struct_value":
                self.struct(value.struct_value, depth + 1)
            case "list_value":
                self._depth(depth + 1)
                self._count(1)
                for inner in value.list_value.values:
                    self._value(inner, depth + 1)
            case "number_value":
                if not math.isfinite(value.number_value):
                    raise MalformedError(f"JSON has no number {value.number_value}")
            case None:
                raise MalformedError("google.protobuf.Value has no kind, set null_value for null")

    def _depth(self, depth: int) -> None:
        if depth > self._limits.max_depth:
            raise LimitError(f"JSON is nested more than {self._limits.max_depth} levels")

    def _count(self, more: int) -> None:
        self._nodes += more
        if self._nodes > self._limits.max_nodes:
            raise LimitError(f"JSON has more than {self._limits.max_nodes} arrays and objects")
