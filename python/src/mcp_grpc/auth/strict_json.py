# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""JSON in the one form that all readers read alike."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from mcp_grpc.codec.limits import Limits, check_json

# How deep the interpreter itself goes differs from version to version.
_LIMITS = Limits(max_depth=32, max_nodes=10_000)


def json_object(text: bytes) -> dict[str, Any]:
    """Reads a JSON object with each member once: of two, each reader might take another one.

    Raises:
        ValueError: it is none.
    """
    try:
        check_json(text, _LIMITS)
        members = json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        raise ValueError("no JSON object with each member once")
    return members


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is there twice")
    return members


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")
