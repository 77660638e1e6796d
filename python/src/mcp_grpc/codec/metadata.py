# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Metadata of requests: SPEC.md §7."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

PROTOCOL_VERSION: Final = "mcp-protocol-version"
METHOD: Final = "mcp-method"
NAME: Final = "mcp-name"
PARAM_PREFIX: Final = "mcp-param-"
SESSION_ID: Final = "mcp-session-id"
TRACE_CONTEXT: Final = ("traceparent", "tracestate", "baggage")

_PLAIN = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?")
_PREFIX: Final = "=?base64?"
_SUFFIX: Final = "?="


def encode_value(text: str) -> str:
    """A value as it is sent (§7.2): as it is if it is plain, else as base64."""
    if _PLAIN.fullmatch(text) and not _is_encoded(text):
        return text
    return f"{_PREFIX}{base64.b64encode(text.encode('utf-8')).decode()}{_SUFFIX}"


def decode_value(text: str) -> str:
    """The value that was sent.

    Raises:
        ValueError: Its base64 cannot be decoded.
    """
    if not _is_encoded(text):
        return text
    try:
        data = base64.b64decode(text[len(_PREFIX) : -len(_SUFFIX)], validate=True)
        return data.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("base64 of a header cannot be decoded") from error


def _is_encoded(text: str) -> bool:
    return text.startswith(_PREFIX) and text.endswith(_SUFFIX) and len(text) >= len(_PREFIX) + len(_SUFFIX)


def request_metadata(
    method: str, version: str | None = None, name: str | None = None, session: str | None = None
) -> tuple[tuple[str, str], ...]:
    """The metadata of a request, which repeats what its body says (§7.1).

    Args:
        method: The MCP method.
        version: The version that ``_meta`` names, or that of the session.
        name: The tool, the prompt, the URI or the task id.
        session: The id of a session.
    """
    pairs = [(METHOD, encode_value(method))]
    if version is not None:
        pairs.append((PROTOCOL_VERSION, encode_value(version)))
    if name is not None:
        pairs.append((NAME, encode_value(name)))
    if session is not None:
        pairs.append((SESSION_ID, session))
    return tuple(pairs)
