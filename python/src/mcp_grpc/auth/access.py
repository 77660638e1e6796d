# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Which decisions a request needs, by its decoded body (SPEC.md §14.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_grpc.auth.denial import Denial
from mcp_grpc.auth.policy import Action, Policy
from mcp_grpc.auth.principal import current_principal

# Of each list: its member, what is done with the items, and the member that names one.
_LISTS = {
    "tools/list": ("tools", "tools/call", "name"),
    "prompts/list": ("prompts", "prompts/get", "name"),
    "resources/list": ("resources", "resources/read", "uri"),
    "resources/templates/list": ("resourceTemplates", "resources/read", "uriTemplate"),
}


async def authorize(policy: Policy | None, method: str, params: Mapping[str, Any] | None) -> None:
    """Decides whether the current caller may make a request, whatever form or stream it came in.

    Args:
        policy: Who may do what; None allows all.
        method: That of the JSON-RPC request.
        params: Its params, decoded.

    Raises:
        Denial: the caller may not.
        AuthorizerError: nobody knows.
    """
    if policy is None:
        return
    principal = current_principal()
    actions = actions_of(method, params or {})
    # Of a method that is there for one thing, the one decision covers both.
    if len(actions) != 1 or actions[0].method != method:
        await policy.allow(principal, Action(method))
    for action in actions:
        await policy.allow(principal, action)


def actions_of(method: str, params: Mapping[str, Any]) -> list[Action]:
    """Which tool, prompt or resources a request is about."""
    match method:
        case "tools/call" | "prompts/get":
            arguments = params.get("arguments")
            return [Action(method, _text(params, "name"), arguments if isinstance(arguments, Mapping) else None)]
        case "resources/read" | "resources/subscribe" | "resources/unsubscribe":
            return [Action("resources/read", _text(params, "uri"))]
        case "subscriptions/listen":
            wanted = params.get("notifications")
            uris = wanted.get("resourceSubscriptions") if isinstance(wanted, Mapping) else None
            return [Action("resources/read", u) for u in uris or () if isinstance(u, str)]
        case "completion/complete":
            return _completed(params.get("ref"))
    return []


def _completed(ref: object) -> list[Action]:
    if not isinstance(ref, Mapping):
        return []
    if ref.get("type") == "ref/prompt":
        return [Action("prompts/get", _text(ref, "name"))]
    return [Action("resources/read", _text(ref, "uri"))]


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""  # has no rule; who decodes the params refuses them


async def visible(policy: Policy | None, method: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Gives a result without what the current caller may not use; other results as they are.

    What is left is the caller's alone, and must not be kept for others: ``cacheScope`` becomes "private".
    It leaves ``result`` as it is: the server may have it in a cache.

    Args:
        policy: Who may do what; None shows all.
        method: That of the JSON-RPC request.
        result: The result as JSON.

    Raises:
        AuthorizerError: an authorizer fails. A list with items missing would be believed.
    """
    shown = dict(result)
    if policy is None or (method not in _LISTS and method != "resources/read"):
        return shown
    shown["cacheScope"] = "private"
    if method in _LISTS:
        member, use, key = _LISTS[method]
        principal, items = current_principal(), []
        for item in result.get(member) or ():
            try:
                await policy.allow(principal, Action(use, _text(item, key), listing=True))
                items.append(item)
            except Denial:
                continue
        shown[member] = items
    return shown
