# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""JSON text: checked, split without loss, and turned into Python values and back.

A *raw* value is the text of one JSON value that has been checked, without white space around it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

from mcp_grpc.codec.errors import LimitError, MalformedError, NotJsonError
from mcp_grpc.codec.number import ExactFloat, double_text, parse_float, parse_int

_SPACE = re.compile(r"[ \t\n\r]*")


def _no_constant(name: str) -> NoReturn:
    raise NotJsonError(f"JSON has no {name}")


# Finds where values end. What it makes of numbers is not looked at: bool is quick to call.
_PASS = json.JSONDecoder(parse_float=bool, parse_int=bool, parse_constant=_no_constant)
_LOAD = json.JSONDecoder(parse_float=parse_float, parse_int=parse_int, parse_constant=_no_constant)


class Member(NamedTuple):
    """A member of an object."""

    quoted: str
    """The key as it stood, with its quotes and escapes."""
    key: str
    raw: str

    @property
    def exact(self) -> bool:
        """Whether the key is valid Unicode, so that a protobuf string holds it."""
        return is_unicode(self.key)


def decode_utf8(text: str | bytes) -> str:
    """The text of bytes; :class:`NotJsonError` if they are not UTF-8."""
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJsonError(f"JSON is not UTF-8 at offset {error.start}") from None


def check(text: str | bytes) -> str:
    """The raw value that ``text`` is, white space around it aside.

    Raises:
        NotJsonError: It is not one JSON value in UTF-8.
        LimitError: It nests more deeply than the interpreter can follow.
    """
    text = decode_utf8(text)
    start = _skip(text, 0)
    end = _decode(_PASS, text, start)[1]
    if _skip(text, end) != len(text):
        raise NotJsonError(f"JSON has text at offset {end}, expected the end")
    return text[start:end]


def loads(text: str | bytes) -> Any:
    """The Python value of JSON text, with no number changed.

    Integers have any size, ``-0`` is ``-0.0``, and a number that no float holds is an
    :class:`~mcp_grpc.codec.number.ExactFloat`. Of a repeated key the last one counts, as in the SDK.

    Raises:
        NotJsonError: It is not one JSON value in UTF-8.
        LimitError: It nests more deeply than the interpreter can follow.
    """
    text = decode_utf8(text)
    value, end = _decode(_LOAD, text, _skip(text, 0))
    if _skip(text, end) != len(text):
        raise NotJsonError(f"JSON has text at offset {end}, expected the end")
    return value


def dumps(value: Any) -> str:
    """The compact JSON text of a Python value; the reverse of :func:`loads`.

    Raises:
        MalformedError: The value is none of JSON: not finite, of another type, or inside itself.
    """
    try:
        if _holds_exact(value):
            return "".join(_write(value))
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        if not is_unicode(text):
            text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise LimitError("JSON is nested too deeply") from None
    except (TypeError, ValueError) as error:
        raise MalformedError(f"not a value of JSON: {error}") from None
    return text


def quote(text: str) -> str:
    """A string as JSON writes it."""
    return json.dumps(text, ensure_ascii=not is_unicode(text))


def is_unicode(text: str) -> bool:
    """Whether a string has no lone surrogate."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def members(raw: str) -> list[Member]:
    """Split an object.

    Raises:
        MalformedError: It is something else, or has a key twice: no field can hold both.
    """
    if raw[:1] != "{":
        raise MalformedError(f"JSON is {_kind(raw)}, expected an object")
    found = [Member(*part) for part in _parts(raw)]
    seen: set[str] = set()
    for member in found:
        if member.key in seen:
            raise MalformedError(f"member {quote(member.key)} is repeated, send it once")
        seen.add(member.key)
    return found


def _parts(raw: str) -> Iterator[tuple[str, str, str]]:
    at = _skip(raw, 1)
    while raw[at] != "}":
        key, end = _PASS.raw_decode(raw, at)
        start = _skip(raw, _skip(raw, end) + 1)
        stop = _PASS.raw_decode(raw, start)[1]
        yield raw[at:end], key, raw[start:stop]
        at = _skip(raw, stop)
        if raw[at] == ",":
            at = _skip(raw, at + 1)


def elements(raw: str) -> list[str] | None:
    """Split an array; none if it is something else."""
    if raw[0] != "[":
        return None
    found = []
    at = _skip(raw, 1)
    while raw[at] != "]":
        end = _PASS.raw_decode(raw, at)[1]
        found.append(raw[at:end])
        at = _skip(raw, end)
        if raw[at] == ",":
            at = _skip(raw, at + 1)
    return found


def join(parts: list[Member]) -> str:
    """The reverse of :func:`members`, word for word."""
    return "{" + ",".join(f"{member.quoted}:{member.raw}" for member in parts) + "}"


def exact_string(raw: str | None) -> str | None:
    """The string that a raw value is, if it is one of valid Unicode."""
    if raw is None or raw[0] != '"':
        return None
    text: str = json.loads(raw)
    return text if is_unicode(text) else None


def _decode(decoder: json.JSONDecoder, text: str, start: int) -> tuple[Any, int]:
    try:
        return decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise NotJsonError(f"{error.msg} at offset {error.pos}") from None
    except RecursionError:
        raise LimitError("JSON is nested too deeply") from None


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()


def _kind(raw: str) -> str:
    kinds = {"[": "an array", '"': "a string", "t": "a boolean", "f": "a boolean", "n": "null", "": "empty"}
    return kinds.get(raw[:1], "a number")


def _holds_exact(value: Any) -> bool:
    """Whether an ExactFloat stands in the value, whose text json.dumps would not write."""
    if isinstance(value, dict):
        return any(_holds_exact(inner) for inner in value.values())
    if isinstance(value, list | tuple):
        return any(_holds_exact(inner) for inner in value)
    return isinstance(value, ExactFloat)


def _write(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        comma = "{"
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"keys are strings, not {type(key).__name__}")
            yield f"{comma}{quote(key)}:"
            yield from _write(inner)
            comma = ","
        yield "}" if comma == "," else "{}"
    elif isinstance(value, list | tuple):
        comma = "["
        for inner in value:
            yield comma
            yield from _write(inner)
            comma = ","
        yield "]" if comma == "," else "[]"
    elif isinstance(value, ExactFloat):
        yield value.text
    else:
        yield dumps(value)


def number_text(number: float) -> str:
    """A double as JSON writes it; :class:`MalformedError` if it is not finite."""
    text = double_text(number)
    if text is None:
        raise MalformedError(f"JSON has no number {number}")
    return text
