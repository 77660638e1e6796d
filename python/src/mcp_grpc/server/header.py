# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""The metadata of a request, as far as the transport reads it: SPEC.md §7."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mcp_grpc.codec import decode_value
from mcp_grpc.codec.metadata import METHOD, NAME, PARAM_PREFIX, PROTOCOL_VERSION, SESSION_ID, TRACE_CONTEXT
from mcp_grpc.server.failure import header_mismatch


class Headers:
    """Metadata by lower-case names. Of two values each reader might take another one: neither is taken."""

    def __init__(self, pairs: Iterable[tuple[str, str | bytes]] | None = None) -> None:
        self._values: dict[str, list[str]] = {}
        for key, value in pairs or ():
            if isinstance(value, str):
                self._values.setdefault(key.lower(), []).append(value)

    def as_mapping(self) -> Mapping[str, str]:
        """The first value of each name, for user code."""
        return {key: values[0] for key, values in self._values.items()}

    def single(self, name: str) -> str | None:
        """The value of a header that may come once.

        Raises:
            RpcFailure: -32020, it comes more than once.
        """
        values = self._values.get(name, ())
        if len(values) > 1:
            raise header_mismatch(f"{name} is given {len(values)} times")
        return values[0] if values else None

    @property
    def session_id(self) -> str | None:
        """The session that the request names."""
        return self.single(SESSION_ID)

    @property
    def version(self) -> str | None:
        """The version that the request names outside its body."""
        return self._decoded(PROTOCOL_VERSION)

    @property
    def trace(self) -> dict[str, str]:
        """The trace context (§7.3)."""
        return {name: self._values[name][0] for name in TRACE_CONTEXT if name in self._values}

    def check_mirror(self, method: str, name: str) -> None:
        """Refuse metadata that says something else than the body.

        Args:
            method: The MCP method.
            name: The tool, prompt, URI or task id; empty for methods without one.

        Raises:
            RpcFailure: -32020.
        """
        for header, body in ((METHOD, method), (NAME, name)):
            value = self._decoded(header)
            if value is not None and value != body:
                raise header_mismatch(f'{header} is "{value}", but the body says "{body}"')

    def params(self) -> dict[str, str]:
        """The ``mcp-param-*`` headers, decoded, by the end of their lower-case name."""
        return {
            name.removeprefix(PARAM_PREFIX): self._decoded(name) or ""
            for name in self._values
            if name.startswith(PARAM_PREFIX)
        }

    def without_mirror(self) -> Headers:
        """These headers without what would mirror a single request: on ``Connect`` they mean nothing."""
        rest = Headers()
        rest._values = {
            key: values
            for key, values in self._values.items()
            if key not in {METHOD, NAME} and not key.startswith(PARAM_PREFIX)
        }
        return rest

    def _decoded(self, name: str) -> str | None:
        value = self.single(name)
        if value is None:
            return None
        try:
            return decode_value(value)
        except ValueError:
            raise header_mismatch(f"{name} cannot be decoded") from None


def check_params(headers: Headers, schema: Any, arguments: Any) -> None:
    """Compare ``mcp-param-*`` with the arguments that a tool's schema binds to them (§7.1).

    Raises:
        RpcFailure: -32020, one says something else.
    """
    given = headers.params()
    for name, value in _bound(schema, arguments):
        if name.lower() not in given:
            continue
        if not _says(given[name.lower()], value):
            raise header_mismatch(f"{PARAM_PREFIX}{name.lower()} does not say what the argument says")


def _bound(schema: Any, arguments: Any) -> Iterable[tuple[str, Any]]:
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    for key, inner in properties.items() if isinstance(properties, Mapping) else ():
        if not isinstance(inner, Mapping):
            continue
        value = arguments.get(key) if isinstance(arguments, Mapping) else None
        if isinstance(name := inner.get("x-mcp-header"), str) and name:
            yield name, value
        yield from _bound(inner, value)


def _says(header: str, value: Any) -> bool:
    if isinstance(value, bool):
        return header == ("true" if value else "false")
    if isinstance(value, str):
        return header == value
    if isinstance(value, int | float):
        try:
            return float(header) == value if "." in header or "e" in header.lower() else int(header) == value
        except ValueError:
            return False
    return False
