# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Scopes, as RFC 6749 §3.3 has them."""

from __future__ import annotations

from collections.abc import Iterable


def is_scope(text: str) -> bool:
    """Whether ``text`` is a scope token: visible ASCII without quote and backslash."""
    return text != "" and all("!" <= c <= "~" and c not in '"\\' for c in text)


def check_scopes(scopes: Iterable[str], where: str) -> tuple[str, ...]:
    """Gives ``scopes`` as a tuple.

    Raises:
        ValueError: one is no scope token; the error names ``where`` it stands.
    """
    if isinstance(scopes, str):
        raise ValueError(f"{where}: write a list of scopes, not one string")
    given = tuple(scopes)
    for scope in given:
        if not is_scope(scope):
            rule = "write visible ASCII without spaces, quotes and backslashes (RFC 6749 §3.3)"
            raise ValueError(f"{where}: scope {scope!r} is none: {rule}")
    return given


def parse_scopes(text: str) -> tuple[str, ...]:
    """Reads the scopes of a token: tokens with one space between. No other white space separates them.

    Raises:
        ValueError: the text is not of that form.
    """
    return check_scopes(text.split(" "), "scopes") if text else ()


def challenge_scopes(scopes: Iterable[str]) -> str:
    """Joins scopes for a challenge (SPEC.md §14.3).

    ``offline_access`` is between client and authorization server (MCP 2026-07-28, SEP-2207), and what is
    no scope would break the header.
    """
    return " ".join(dict.fromkeys(s for s in scopes if s != "offline_access" and is_scope(s)))
