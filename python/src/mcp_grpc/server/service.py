# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""What all forms of a request come to: one call of the user's server, with its era, its caller and its limits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from google.protobuf.message import Message
from mcp import MCPError

from mcp_grpc.auth import Guard, authorize, visible
from mcp_grpc.codec import MalformedError, Method, check_message, from_value, to_value
from mcp_grpc.server.context import CallContext, Tell
from mcp_grpc.server.core import Core
from mcp_grpc.server.failure import of_result
from mcp_grpc.server.header import Headers, check_params
from mcp_grpc.server.limits import ServerLimits
from mcp_grpc.server.scope import Scope, scope_of
from mcp_grpc.server.session import Sessions

# How long cancelled calls are waited for.
_LET_GO_SECONDS = 1.0

# How many pages of a list are read to find the schema of one tool.
_MAX_PAGES = 100


class Service:
    """What the RPCs of one server share.

    Args:
        core: The user's server.
        limits: What callers can make it keep.
        guard: Who may do what; none if everybody may do everything.
    """

    def __init__(self, core: Core, limits: ServerLimits, guard: Guard | None) -> None:
        self.core = core
        self.limits = limits
        self.guard = guard
        self.sessions = Sessions(core, limits)
        self.draining = asyncio.Event()
        self._ids = count(1)
        self._stubborn: set[asyncio.Future[Any]] = set()

    async def let_go(self, tasks: Iterable[asyncio.Future[Any]]) -> None:
        """Cancel tasks and wait for them, but not for ever: a tool may heed no cancellation (§10.3)."""
        running = set(tasks)
        for task in running:
            task.cancel()
        if running:
            _, left = await asyncio.wait(running, timeout=_LET_GO_SECONDS)
            self._stubborn |= left
            for task in left:
                task.add_done_callback(self._stubborn.discard)

    async def close(self) -> None:
        """End all sessions, and give what is left a last chance."""
        await self.sessions.close()
        await self.let_go(self._stubborn)

    async def run(self, scope: Scope, context: CallContext, method: str) -> dict[str, Any]:
        """Run one request, if its caller may make it, and give its result.

        Raises:
            Exception: Whatever the handler raises; :func:`~mcp_grpc.server.failure.failure_from` knows what it is.
        """
        policy = self.guard.policy if self.guard is not None else None
        context.enter()
        try:
            if policy is None:
                result = await self.core.request(scope, context, method)
            else:
                await authorize(policy, method, scope.params)
                result = await visible(policy, method, await self.core.request(scope, context, method))
        except MCPError as error:
            raise (self.guard.explain(error) if self.guard is not None else error) from None
        finally:
            context.end()
        if method == "logging/setLevel" and scope.session is not None:
            scope.session.set_level(scope.params.get("level"))
        return result

    async def typed(
        self, method: Method, request: Any, headers: Headers, response: type[Message], tell: Tell | None = None
    ) -> Message:
        """Run a typed request and give its result.

        Args:
            method: The RPC.
            request: The message of its params.
            headers: The metadata of the RPC, or of the stream of a frame.
            response: What the result is read as.
            tell: Takes progress and log messages.
        """
        scope = self.scope(method, request, headers)
        if method.name == "tools/call":
            await self.check_params(scope, headers)
        context = CallContext(headers, self.new_id(), scope.params, scope.session, tell)
        with scope.session.use() if scope.session is not None else contextlib.nullcontext():
            result = await self.run(scope, context, method.name)
        return self.message(result, response, request)

    def scope(self, method: Method, request: Any, headers: Headers) -> Scope:
        """Check a typed request, and give what it runs in."""
        check_message(request, self.limits.json)
        meta = {"_meta": to_value(request.meta)} if request.HasField("meta") else {}
        scope = scope_of(self.sessions, headers, method.name, meta)
        headers.check_mirror(method.name, getattr(request, method.name_field) if method.name_field else "")
        params = to_value(request)
        if method.rpc == "Complete" and isinstance(params.get("argument"), dict):
            params["argument"].setdefault("value", "")  # of a client that cannot say it (§15.3)
        if "_meta" in params and not meta:  # the field could not hold it, and it stands in extra_json
            return scope_of(self.sessions, headers, method.name, params)
        return replace(scope, params={**params, **scope.params})

    @staticmethod
    def message(result: Mapping[str, Any], response: type[Message], request: Any) -> Message:
        """A result as a message, in the encoding that the request asks for."""
        try:
            return from_value(result, response, request.meta.json_encoding)
        except MalformedError as error:
            raise of_result(error) from error

    def new_id(self) -> str:
        """An id for a request that has none."""
        return f"call-{next(self._ids)}"

    async def check_params(self, scope: Scope, headers: Headers) -> None:
        """Compare ``mcp-param-*`` with the arguments of a call (§7.1); raises -32020."""
        if headers.params() and isinstance(name := scope.params.get("name"), str):
            # With a policy the list tells it: of what the caller may not use, nothing is told.
            is_open = self.guard is None or self.guard.policy is None
            schema = self.core.input_schema(name) if is_open else None
            schema = schema or await self._listed_schema(scope, headers, name)
            if schema is not None:
                check_params(headers, schema, scope.params.get("arguments"))

    async def _listed_schema(self, scope: Scope, headers: Headers, name: str) -> Mapping[str, Any] | None:
        params: dict[str, Any] = {"_meta": scope.params["_meta"]} if "_meta" in scope.params else {}
        for _ in range(_MAX_PAGES):
            listing = Scope(scope.version, scope.session, params)
            result = await self.run(listing, CallContext(headers, self.new_id(), params, scope.session), "tools/list")
            for tool in result.get("tools", ()):
                if tool.get("name") == name:
                    schema: Mapping[str, Any] | None = tool.get("inputSchema")
                    return schema
            if not isinstance(cursor := result.get("nextCursor"), str):
                return None
            params = {**params, "cursor": cursor}
        return None
