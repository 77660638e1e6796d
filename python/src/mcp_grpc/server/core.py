# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""The user's server, driven without a transport of the SDK's.

The seam is public: ``mcp.server.runner.ServerRunner`` runs one request of a ``Connection`` for whoever implements
``DispatchContext``. A runner of its own serves each modern request; one serves a legacy session to its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, cast

from mcp.server import MCPServer
from mcp.server import Server as LowLevelServer
from mcp.server.connection import Connection
from mcp.server.runner import ServerRunner, serve_one
from mcp.shared.dispatcher import Outbound
from mcp_types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY
from mcp_types.methods import SPEC_CLIENT_NOTIFICATION_METHODS

from mcp_grpc.server.context import CallContext
from mcp_grpc.server.roundtrip import LegacyServer
from mcp_grpc.server.scope import Scope


def lowlevel_of(server: MCPServer[Any] | LowLevelServer[Any]) -> LowLevelServer[Any]:
    """The low-level server under an ``MCPServer``.

    The SDK's own in-memory client finds it by the same attribute; there is no public way that does not make an HTTP
    application. test_server pins it.

    Raises:
        TypeError: It is no server of the SDK.
    """
    if isinstance(server, MCPServer):
        found: LowLevelServer[Any] = server._lowlevel_server
        return found
    if isinstance(server, LowLevelServer):
        return server
    raise TypeError(f"{type(server).__name__} is no server of the MCP SDK")


class Core:
    """A user's server and the state of its lifespan, which is entered once."""

    def __init__(self, server: MCPServer[Any] | LowLevelServer[Any]) -> None:
        self.server = lowlevel_of(server)
        self._stack = AsyncExitStack()
        self._lifespan: Any = None

    async def start(self) -> None:
        """Enter the server's lifespan."""
        self._lifespan = await self._stack.enter_async_context(self.server.lifespan(self.server))

    async def close(self) -> None:
        """Leave it."""
        await self._stack.aclose()

    async def request(self, scope: Scope, context: CallContext, method: str) -> dict[str, Any]:
        """Run one request and give its result, shaped for its version."""
        if scope.session is not None:
            return dict(await scope.session.runner.on_request(context, method, scope.params))
        return dict(
            await serve_one(
                self.server,
                context,
                method,
                scope.params,
                connection=self._envelope(scope, context.outbound),
                lifespan_state=self._lifespan,
            )
        )

    async def notify(self, scope: Scope, context: CallContext, method: str) -> None:
        """Give the server a notification of the client's."""
        runner = scope.session.runner if scope.session is not None else self._runner(scope, context)
        await runner.on_notify(context, method, scope.params)

    def hears(self, method: str) -> bool:
        """Whether a notification of the client's means something to the server or to the SDK."""
        return method in SPEC_CLIENT_NOTIFICATION_METHODS or self.server.get_notification_handler(method) is not None

    def session_runner(self, connection: Connection) -> ServerRunner[Any]:
        """The runner of a legacy session."""
        return ServerRunner(cast("LowLevelServer[Any]", LegacyServer(self.server)), connection, self._lifespan)

    def input_schema(self, tool: str) -> Mapping[str, Any] | None:
        """The input schema of a tool, if the server tells it without a list."""
        lookup = self.server.get_tool_input_schema
        return lookup(tool) if lookup is not None else None

    def _runner(self, scope: Scope, context: CallContext) -> ServerRunner[Any]:
        return ServerRunner(self.server, self._envelope(scope, context.outbound), self._lifespan)

    @staticmethod
    def _envelope(scope: Scope, outbound: Outbound) -> Connection:
        meta = scope.params.get("_meta", {})
        return Connection.from_envelope(
            scope.version, meta.get(CLIENT_INFO_META_KEY), meta.get(CLIENT_CAPABILITIES_META_KEY), outbound=outbound
        )
