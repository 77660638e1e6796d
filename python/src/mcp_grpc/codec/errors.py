# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""What the mapping fails with (SPEC.md §5.3, "Errors of the mapping")."""

from __future__ import annotations

from mcp_types import INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR


class CodecError(ValueError):
    """JSON or a message that the mapping cannot turn into the other.

    Attributes:
        code: The JSON-RPC code that the request gets which has it.
        reason: What is wrong.
        path: Where in the message, for example ``content[3].text.extra_json``; empty at its top.
    """

    code = INVALID_PARAMS

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = ""

    def at(self, name: str) -> CodecError:
        """Put a field's name, or an index in brackets, in front of the path; returns itself."""
        joint = "" if not self.path or self.path.startswith("[") else "."
        self.path = f"{name}{joint}{self.path}"
        return self

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class MalformedError(CodecError):
    """JSON or a message is not what the mapping can hold."""


class NotJsonError(MalformedError):
    """Text is not one JSON value in valid UTF-8."""

    code = PARSE_ERROR


class BothTwinsError(CodecError):
    """A field and its ``_json`` twin are both set (rule R2)."""


class LimitError(CodecError):
    """JSON nests too deeply, or has too many arrays and objects (§12)."""

    code = INVALID_REQUEST


class InvalidRequestError(CodecError):
    """JSON is well-formed and not a JSON-RPC message (§4.1)."""

    code = INVALID_REQUEST
