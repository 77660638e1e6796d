# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Who may do what (SPEC.md §14.4)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcp_grpc.auth.denial import AccessDenied, Denial, InsufficientScope
from mcp_grpc.auth.principal import Principal
from mcp_grpc.auth.scope import check_scopes
from mcp_grpc.auth.uri_template import URITemplate

# These show a caller nothing but what rules for tools, prompts and resources allow.
_OPEN_METHODS = frozenset(
    {
        "initialize",
        "ping",
        "server/discover",
        "logging/setLevel",
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "subscriptions/listen",
        "resources/subscribe",
        "resources/unsubscribe",
        "completion/complete",
    }
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a caller needs for one tool, prompt, resource or method. By default every authenticated caller may.

    Attributes:
        scopes: Scopes that are needed, all of them.
        scopes_for: Gives scopes that are needed beside ``scopes``, by the arguments of the call: None when the
            thing is listed. It gives all that the call needs at once, whatever the caller has.
    """

    scopes: Sequence[str] = ()
    scopes_for: Callable[[Mapping[str, Any] | None], Iterable[str]] | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """What a caller wants to do.

    Attributes:
        method: That of MCP: "tools/call", "prompts/get", "resources/read", or any other. Completions ask for
            the prompt or resource that they are about, subscriptions for the resource.
        name: The tool, the prompt, or the URI of the resource or resource template; empty for other methods.
        arguments: Those of the call.
        listing: Whether the question is if the thing is shown in a list.
    """

    method: str
    name: str = ""
    arguments: Mapping[str, Any] | None = None
    listing: bool = False


Authorizer = Callable[[Principal, Action], Awaitable[None]]
"""Decides what rules cannot say: it raises :class:`InsufficientScope` or :class:`AccessDenied` to refuse. Any
other error counts as a failure of the authorizer: the action fails, and the error is logged."""


class AuthorizerError(Exception):
    """An authorizer has failed. Nobody is let through; the caller sees an internal error."""


class Policy:
    """Decides who may do what.

    Each tool, prompt and resource without a rule is refused, and so is each other method but those that only
    show what the caller may do anyway: discovery, lists, ping, the legacy handshake and notifications. What
    there is and what there is not is refused alike.

    Args:
        baseline: Scopes that every request needs. Requests without are refused before their body is read.
        tools: Rules by name.
        prompts: Rules by name.
        methods: Rules by method: "tools/list", or one that users have registered.
        resources: Rules by URI or by URI template (RFC 6570). A URI with a rule of its own needs that; any
            other needs all that match.
        default: The rule for what has none. If None, that is refused.
        implies: Scopes that a scope includes, directly or by others in it:
            ``{"admin": ["write"], "write": ["read"]}``. Challenges never name more than is needed.
        authorizer: Is asked for what the rules allow.
        logger: Is told of failures of the authorizer; by default that of this package.

    Raises:
        ValueError: a scope or a template is none.
    """

    def __init__(
        self,
        *,
        baseline: Sequence[str] = (),
        tools: Mapping[str, Rule] | None = None,
        prompts: Mapping[str, Rule] | None = None,
        methods: Mapping[str, Rule] | None = None,
        resources: Mapping[str, Rule] | None = None,
        default: Rule | None = None,
        implies: Mapping[str, Sequence[str]] | None = None,
        authorizer: Authorizer | None = None,
        logger: logging.Logger | None = None,
    ) -> None:
        self.baseline = check_scopes(baseline, "policy: baseline")
        self._named = {"tools/call": dict(tools or {}), "prompts/get": dict(prompts or {})}
        self._methods = dict(methods or {})
        self._resources = dict(resources or {})
        self._default = default
        self._authorizer = authorizer
        self._log = logger or logging.getLogger("mcp_grpc.auth")
        for kind, rules in (("tools", tools), ("prompts", prompts), ("methods", methods), ("resources", resources)):
            for name, rule in (rules or {}).items():
                check_scopes(rule.scopes, f"policy: {kind}[{name!r}]")
        if default is not None:
            check_scopes(default.scopes, "policy: default")
        self._templates = [(t, rule) for t, rule in map(_template, self._resources.items()) if not t.is_uri]
        self._holders = _holders(implies or {})

    async def allow(self, principal: Principal | None, action: Action) -> None:
        """Decides whether the caller may do ``action``.

        Raises:
            Denial: it may not.
            AuthorizerError: nobody knows.
        """
        rules = self._rules_for(action)
        if principal is None or rules is None:
            raise AccessDenied
        need = list(self.baseline)
        for rule in rules:
            need += rule.scopes
            if rule.scopes_for is not None:
                need += rule.scopes_for(action.arguments)
        if not self._has(principal, need):
            raise InsufficientScope(*need)
        if self._authorizer is not None:
            await self._ask(self._authorizer, principal, action)

    def admit(self, principal: Principal) -> None:
        """Checks what every request needs.

        Raises:
            InsufficientScope: the caller lacks some of it.
        """
        if not self._has(principal, self.baseline):
            raise InsufficientScope(*self.baseline)

    async def _ask(self, authorizer: Authorizer, principal: Principal, action: Action) -> None:
        try:
            await authorizer(principal, action)
        except Denial:
            raise
        except Exception as e:
            self._log.exception("the authorizer failed")
            raise AuthorizerError("the authorizer failed") from e

    def _has(self, principal: Principal, scopes: Iterable[str]) -> bool:
        """Whether the caller has all scopes, itself or by one that includes it."""
        own = set(principal.scopes)
        return all(scope in own or not own.isdisjoint(self._holders.get(scope, ())) for scope in scopes)

    def _rules_for(self, action: Action) -> list[Rule] | None:
        """All rules that must be met; None if the action is refused anyway."""
        rules = [self._methods[action.method]] if action.method in self._methods else []
        if action.method in self._named:
            return self._add(rules, self._named[action.method].get(action.name))
        if action.method == "resources/read":
            return self._add_resource(rules, action.name)
        if rules or action.method in _OPEN_METHODS or action.method.startswith("notifications/"):
            return rules
        return self._add(rules, None)

    def _add(self, rules: list[Rule], rule: Rule | None) -> list[Rule] | None:
        rule = rule or self._default
        return None if rule is None else [*rules, rule]

    def _add_resource(self, rules: list[Rule], uri: str) -> list[Rule] | None:
        own = self._resources.get(uri)
        matching = [rule for template, rule in self._templates if template.matches(uri)] if own is None else [own]
        return [*rules, *matching] if matching else self._add(rules, None)


def _template(item: tuple[str, Rule]) -> tuple[URITemplate, Rule]:
    uri, rule = item
    try:
        return URITemplate(uri), rule
    except ValueError as e:
        raise ValueError(f"policy: resources[{uri!r}]: {e}") from None


def _holders(implies: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
    """Turns a hierarchy round: of each scope, all that include it."""
    holders: dict[str, set[str]] = {}
    for scope, below in implies.items():
        check_scopes((scope, *check_scopes(below, "policy: implies")), "policy: implies")
        seen, queue = {scope}, list(below)
        while queue:
            found = queue.pop()
            if found not in seen:
                seen.add(found)
                holders.setdefault(found, set()).add(scope)
                queue += implies.get(found, ())
    return holders
