# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Free-form JSON in a Struct or in text: rule R2 of SPEC.md §5.2."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.struct_pb2 import ListValue, Struct, Value

from mcp_grpc._gen.mcp.v1.common_pb2 import JSON_ENCODING_BYTES, JSON_ENCODING_UNSPECIFIED, JsonEncoding
from mcp_grpc.codec.errors import BothTwinsError, CodecError, MalformedError
from mcp_grpc.codec.number import exact_double
from mcp_grpc.codec.text import check, elements, is_unicode, loads, members, number_text, quote

# Each level of JSON is about three of protobuf, whose readers stop at 100.
_MAX_DEPTH = 30


def twins(text: str | bytes, encoding: JsonEncoding = JSON_ENCODING_UNSPECIFIED) -> tuple[Struct | None, bytes]:
    """Split JSON text into a Struct and its ``_json`` twin, of which one is set.

    Args:
        text: One JSON value; empty text gives neither.
        encoding: ``JSON_ENCODING_BYTES`` for the text, any other for a Struct where it is exact.

    Raises:
        NotJsonError: The text is not JSON in UTF-8.
    """
    return raw_twins(check(text), encoding) if text else (None, b"")


def raw_twins(raw: str, encoding: JsonEncoding) -> tuple[Struct | None, bytes]:
    """:func:`twins` for text that has been checked."""
    if encoding != JSON_ENCODING_BYTES and raw[0] == "{":
        struct = Struct()
        if fill_struct(raw, struct, _MAX_DEPTH):
            return struct, b""
    return None, raw.encode("utf-8")


def exact_struct(raw: str) -> Struct | None:
    """The Struct that holds the raw object exactly, if there is one."""
    struct = Struct()
    return struct if fill_struct(raw, struct, _MAX_DEPTH) else None


def fill_struct(raw: str, struct: Struct, depth: int) -> bool:
    """Read a raw object into a Struct. If it is false, that is in no state to be used."""
    if raw[0] != "{" or depth == 0:
        return False
    try:
        parts = members(raw)
    except CodecError:
        return False
    fields = struct.fields
    return all(part.exact and _fill_value(part.raw, fields[part.key], depth - 1) for part in parts)


def _fill_value(raw: str, value: Value, depth: int) -> bool:
    match raw[0]:
        case "{":
            value.struct_value.SetInParent()
            return fill_struct(raw, value.struct_value, depth)
        case "[":
            value.list_value.SetInParent()
            return depth > 0 and _fill_list(elements(raw) or (), value.list_value, depth - 1)
        case '"':
            text = loads(raw)
            if not is_unicode(text):
                return False
            value.string_value = text
        case "t" | "f":
            value.bool_value = raw == "true"
        case "n":
            value.null_value = 0  # type: ignore[assignment]
        case _:
            number = exact_double(raw)
            if number is None:
                return False
            value.number_value = number
    return True


def _fill_list(raws: Iterable[str], values: ListValue, depth: int) -> bool:
    return all(_fill_value(raw, values.values.add(), depth) for raw in raws)


def json_text(struct: Struct | None, text: bytes) -> str | None:
    """The JSON text of a pair; none if neither is set.

    Raises:
        BothTwinsError: Both are set.
        NotJsonError: The text is not JSON in UTF-8.
        MalformedError: The Struct holds what JSON does not have.
    """
    if struct is not None and text:
        raise BothTwinsError("set the field or its _json twin, not both")
    if struct is not None:
        return struct_text(struct)
    return check(text) if text else None


def struct_text(struct: Struct) -> str:
    """The JSON text of a Struct, with sorted keys, so that equal Structs give equal text."""
    return "".join(_object_parts(struct))


def _object_parts(struct: Struct) -> Iterator[str]:
    comma = "{"
    for key in sorted(struct.fields):
        yield f"{comma}{quote(key)}:"
        yield from _value_parts(struct.fields[key])
        comma = ","
    yield "}" if comma == "," else "{}"


def _value_parts(value: Value) -> Iterator[str]:
    kind = value.WhichOneof("kind")
    match kind:
        case "string_value":
            yield quote(value.string_value)
        case "number_value":
            yield number_text(value.number_value)
        case "bool_value":
            yield "true" if value.bool_value else "false"
        case "null_value":
            yield "null"
        case "struct_value":
            yield from _object_parts(value.struct_value)
        case "list_value":
            comma = "["
            for inner in value.list_value.values:
                yield comma
                yield from _value_parts(inner)
                comma = ","
            yield "]" if comma == "," else "[]"
        case _:
            raise MalformedError("google.protobuf.Value has no kind, set null_value for null")


def struct_value(struct: Struct) -> dict[str, Any]:
    """The Python value of a Struct: what :func:`~mcp_grpc.codec.text.loads` gives for its text."""
    value: dict[str, Any] = loads(struct_text(struct))
    return value
