# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""JSON numbers by the decimal number that they denote (SPEC.md §5.1, rule R5)."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import NamedTuple, Self

# Longer integers are left as text: Python refuses to convert them, for the time that it takes.
_MAX_DIGITS = 4300


class ExactFloat(float):
    """A float that remembers the text of a number which no float holds.

    Attributes:
        text: The number as it stood in JSON, for example ``1e400``, whose float is infinite.
    """

    text: str

    def __new__(cls, text: str) -> Self:
        """The float next to the number, with its text."""
        number = super().__new__(cls, text)
        number.text = text
        return number


class _Decimal(NamedTuple):
    """0.DIGITS × 10^exponent, without zeros at either end. Compared, never expanded."""

    negative: bool
    digits: str
    exponent: int


def _decimal(text: str) -> _Decimal | None:
    """The number of ``text``; none if its exponent is beyond everything that a field can hold."""
    negative = text[0] == "-"
    mantissa, _, power = text.lstrip("-").replace("E", "e").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    significant = digits.lstrip("0")
    exponent = len(whole) - (len(digits) - len(significant))
    significant = significant.rstrip("0")
    if not significant:
        return _Decimal(negative, "", 0)
    if power:
        if len(power) > 10:
            return None
        exponent += int(power)
    return _Decimal(negative, significant, exponent)


def parse_int(text: str) -> int | float:
    """The value of an integer in JSON: a float for ``-0``, which is not 0."""
    if text == "-0":
        return -0.0
    return int(text) if len(text) <= _MAX_DIGITS else ExactFloat(text)


def parse_float(text: str) -> float:
    """The value of a number with a fraction or an exponent."""
    number = float(text)
    return number if _is_exact(number, text) else ExactFloat(text)


def _is_exact(number: float, text: str) -> bool:
    if math.isinf(number):
        return False
    want = _decimal(text)
    return want is not None and want == _decimal(repr(number))


def exact_double(text: str) -> float | None:
    """The double whose shortest form denotes the number ``text``, if there is one."""
    if text[0] not in "-0123456789":
        return None
    number = float(text)
    return number if _is_exact(number, text) else None


def exact_int(text: str, low: int, high: int) -> int | None:
    """The integer that ``text`` denotes in any spelling, if there is one from low to high."""
    if text[0] not in "-0123456789":
        return None
    if len(text) < 20 and text.lstrip("-").isdigit():
        return _within(int(text), low, high) if text != "-0" else None
    number = _decimal(text)
    if number is None:
        return None
    if not number.digits:
        return None if number.negative else _within(0, low, high)
    if number.exponent > 20 or number.exponent < len(number.digits):
        return None
    value = int(number.digits) * 10 ** (number.exponent - len(number.digits))
    return _within(-value if number.negative else value, low, high)


def _within(value: int, low: int, high: int) -> int | None:
    return value if low <= value <= high else None


def double_text(number: float) -> str | None:
    """The text of a double, without a fraction if it has none; none if it is not finite."""
    if not math.isfinite(number):
        return None
    if not number.is_integer() or abs(number) >= 1e21:
        return repr(float(number))
    if abs(number) >= 2**53:  # the shortest form ends with zeros there, and the number itself does not
        return format(Decimal(repr(float(number))), "f")
    return "-0" if number == 0 and math.copysign(1, number) < 0 else str(int(number))
