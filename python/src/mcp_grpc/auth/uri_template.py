# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Which URIs a URI template stands for (RFC 6570)."""

from __future__ import annotations

import re

_UNRESERVED = r"[A-Za-z0-9\-._~]|%[0-9A-Fa-f]{2}"
_RESERVED = r"[:/?#\[\]@!$&'()*+,;=]"
_VARIABLE = re.compile(r"[A-Za-z0-9_.%]+(\*|:[1-9][0-9]{0,3})?")
_EXPRESSION = re.compile(r"\{([+#./;?&]?)([^{}]*)\}")

# What an expression with this operator may have become: its first sign, and what may separate values.
_OPERATORS = {
    "": ("", ","),
    "+": ("", None),
    "#": ("#", None),
    ".": (r"\.", ",="),
    "/": ("/", ",=/"),
    ";": (";", ",=;"),
    "?": (r"\?", ",=&"),
    "&": ("&", ",=&"),
}


class URITemplate:
    """A URI template, or a URI, as resources and resource templates are registered.

    Raises:
        ValueError: the text is neither.
    """

    def __init__(self, text: str) -> None:
        self.is_uri = "{" not in text
        pattern, at = "", 0
        for expression in _EXPRESSION.finditer(text):
            pattern += _literal(text[at : expression.start()]) + _pattern(expression[1], expression[2])
            at = expression.end()
        self._pattern = re.compile(pattern + _literal(text[at:]))

    def matches(self, uri: str) -> bool:
        """Whether the template may have become ``uri``."""
        return self._pattern.fullmatch(uri) is not None


def _literal(text: str) -> str:
    if "{" in text or "}" in text:
        raise ValueError("this is neither a URI nor a URI template (RFC 6570)")
    return re.escape(text)


def _pattern(operator: str, variables: str) -> str:
    names = variables.split(",")
    if any(_VARIABLE.fullmatch(name) is None for name in names):
        raise ValueError("this is neither a URI nor a URI template (RFC 6570)")
    first, separators = _OPERATORS[operator]
    if separators is None:
        return f"(?:{first}(?:{_UNRESERVED}|{_RESERVED})*)" + ("?" if first else "")
    if any(name.endswith("*") for name in names):
        separators += "="
    values = f"(?:{_UNRESERVED}|[{re.escape(separators)}])*"
    return f"(?:{first}{values})?" if first else values
