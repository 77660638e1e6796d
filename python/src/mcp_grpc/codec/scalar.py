# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Values of scalar fields that raw JSON denotes exactly (SPEC.md §5.2, rules R4 and R5)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from mcp_grpc.codec.number import exact_double, exact_int
from mcp_grpc.codec.text import exact_string

INT64 = (-(2**63), 2**63 - 1)
UINT32 = (0, 2**32 - 1)

_RANGES: dict[int, tuple[int, int]] = {
    FieldDescriptor.TYPE_INT64: INT64,
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: UINT32,
}


def scalar(field: FieldDescriptor, raw: str) -> Any:
    """The value of a raw scalar in the field's type; none if that cannot hold it exactly."""
    if field.type == FieldDescriptor.TYPE_STRING:
        return exact_string(raw)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return {"true": True, "false": False}.get(raw)
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return exact_double(raw)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return exact_base64(raw)
    return exact_int(raw, *_RANGES[field.type])


def exact_base64(raw: str) -> bytes | None:
    """The bytes of a raw string of canonical base64 (rule R4): the one text that they have."""
    text = exact_string(raw)
    if text is None:
        return None
    try:
        data = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None
