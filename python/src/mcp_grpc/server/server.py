# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""A server on ``grpc.aio``: how it begins, what stands beside it, and how it goes (SPEC.md §10.4)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import grpc
from mcp.server import MCPServer
from mcp.server import Server as LowLevelServer

from mcp_grpc.auth import Authenticator, Guard, OriginInterceptor, PeerSocket, add_discovery
from mcp_grpc.server.core import Core
from mcp_grpc.server.health import add_health, add_reflection
from mcp_grpc.server.limits import ServerLimits
from mcp_grpc.server.rpc import Rpcs
from mcp_grpc.server.service import Service

# How long calls that were cut off get to say so.
_CUT_OFF_SECONDS = 1.0


class Server:
    """Serves a server of the MCP SDK over gRPC. It is of the event loop that starts it.

    Use it as an async context manager, or call :meth:`start` and :meth:`stop`::

        async with Server(mcp_server, "127.0.0.1:0") as server:
            print(server.port)
            await server.wait()

    Args:
        mcp_server: An ``MCPServer`` or a low-level ``Server``. Several servers may serve it.
        addr: ``host:port``, where port 0 takes a free one, or ``unix:PATH``.
        auth: Who gets in: a guard, an authenticator or several of them. If None, everybody.
        credentials: TLS. If None, connections are in clear.
        limits: What callers can make it keep.
        health: Whether ``grpc.health.v1`` is served, which needs ``grpcio-health-checking``. If None, it is if that
            is there.
        reflection: Whether gRPC server reflection is served, which needs ``grpcio-reflection``.
        origins: Origins of web pages that may call, behind something that translates for browsers (§14.5).
        options: More options of ``grpc.aio.server``.

    Raises:
        TypeError: ``mcp_server`` is no server of the SDK.
        ValueError: One of ``origins`` is none.
    """

    def __init__(
        self,
        mcp_server: MCPServer[Any] | LowLevelServer[Any],
        addr: str,
        *,
        auth: Guard | Authenticator | Sequence[Authenticator] | None = None,
        credentials: grpc.ServerCredentials | None = None,
        limits: ServerLimits | None = None,
        health: bool | None = None,
        reflection: bool = False,
        origins: Sequence[str] = (),
        options: Sequence[tuple[str, Any]] = (),
    ) -> None:
        self._core = Core(mcp_server)
        self._addr = addr
        self._guard = Guard.of(auth)
        self._credentials = credentials
        self._origins = OriginInterceptor(origins)
        self._limits = limits or ServerLimits()
        self._wants_health, self._wants_reflection = health, reflection
        self._options = options
        self._stack = contextlib.AsyncExitStack()
        self._stopping: asyncio.Task[None] | None = None
        self._stopped: asyncio.Event | None = None
        self._port = 0

    @property
    def port(self) -> int:
        """The port that it listens on; 0 before :meth:`start`, and of a Unix socket."""
        return self._port

    async def start(self) -> None:
        """Enter the server's lifespan and listen.

        Raises:
            OSError: The address cannot be listened on.
            RuntimeError: It has been started before.
        """
        if self._stopped is not None:
            raise RuntimeError("the server has been started before")
        self._stopped = asyncio.Event()
        # grpc.aio can be stopped when it has started, and not while it does.
        starting = asyncio.ensure_future(self._start())
        try:
            await asyncio.shield(starting)
        except BaseException:
            await asyncio.wait({starting})
            await self._stack.aclose()
            self._stopped.set()
            raise

    async def _start(self) -> None:
        await self._core.start()
        self._stack.push_async_callback(self._core.close)
        self._service = Service(self._core, self._limits, self._guard)
        self._stack.push_async_callback(self._service.close)
        self._rpcs = Rpcs(self._service)
        interceptors: list[grpc.aio.ServerInterceptor] = [self._origins]
        if self._guard is not None:
            await self._guard.start()
            self._stack.push_async_callback(self._guard.close)
            interceptors.append(self._guard.interceptor())
        self._server = grpc.aio.server(interceptors=interceptors, options=[*self._grpc_options(), *self._options])
        self._stack.push_async_callback(self._server.stop, None)
        self._server.add_generic_rpc_handlers((self._rpcs.handler(),))
        add_discovery(self._server, self._guard.metadata if self._guard is not None else None)
        self._health = add_health(self._server, self._wants_health)
        if self._wants_reflection:
            add_reflection(self._server, health=self._health is not None)
        await self._listen()
        await self._server.start()
        if self._health is not None:
            await self._health.tell(serving=True)

    def _grpc_options(self) -> list[tuple[str, Any]]:
        limits = self._limits
        return [
            ("grpc.max_receive_message_length", limits.message_bytes),
            ("grpc.max_send_message_length", -1),  # checked before, with an error that says so
            ("grpc.max_metadata_size", limits.header_bytes),
            ("grpc.absolute_max_metadata_size", limits.header_bytes),
            ("grpc.server_handshake_timeout_ms", int(limits.handshake_seconds * 1000)),
            ("grpc.max_concurrent_streams", limits.rpcs_per_connection),
            # Two servers on one port would share its callers.
            ("grpc.so_reuseport", 0),
            ("grpc.keepalive_time_ms", 15_000),
            ("grpc.keepalive_timeout_ms", 5_000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.max_pings_without_data", 0),
            ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
            ("grpc.max_connection_idle_ms", 120_000),
        ]

    async def _listen(self) -> None:
        addr = self._addr
        if addr.startswith("unix:") and self._guard is not None and self._guard.wants_unix_peers:
            addr = await self._stack.enter_async_context(PeerSocket(addr.removeprefix("unix:")))
        try:
            if self._credentials is None:
                port = self._server.add_insecure_port(addr)
            else:
                port = self._server.add_secure_port(addr, self._credentials)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {self._addr}") from error
        if port == 0:
            raise OSError(f"cannot listen on {self._addr}")
        self._port = 0 if self._addr.startswith("unix:") else port

    async def stop(self, grace: float = 10.0) -> None:
        """Go: answer what is in flight, then end what is left. It may be called again, and waits for the end.

        Args:
            grace: Seconds that calls get to finish.
        """
        if self._stopped is None or self._stopped.is_set():
            return
        if self._stopping is None:
            self._stopping = asyncio.get_running_loop().create_task(self._stop(grace))
        await asyncio.shield(self._stopping)

    async def _stop(self, grace: float) -> None:
        assert self._stopped is not None
        goodbye: asyncio.Future[None] | None = None
        try:
            if self._health is not None:
                await self._health.tell(serving=False)
            # Clients learn that the connection goes before they learn that a stream does: the next one would begin on
            # the same connection, and be lost with it.
            goodbye = asyncio.ensure_future(self._server.stop(grace + 2 * _CUT_OFF_SECONDS))
            await asyncio.sleep(0)  # it begins
            self._service.draining.set()
            await self._wait_for_rpcs(grace)
            for rpc in list(self._rpcs.running):
                rpc.cut_off()
            await self._wait_for_rpcs(_CUT_OFF_SECONDS)
        finally:
            await self._stack.aclose()  # grpc.aio is stopped at once there
            if goodbye is not None:
                await goodbye
            self._stopped.set()

    async def _wait_for_rpcs(self, seconds: float) -> None:
        tasks = {rpc.task for rpc in self._rpcs.running if rpc.task is not None}
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    async def wait(self) -> None:
        """Wait until the server has stopped."""
        assert self._stopped is not None, "the server has not been started"
        await self._stopped.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


async def serve(
    mcp_server: MCPServer[Any] | LowLevelServer[Any],
    addr: str,
    *,
    auth: Guard | Authenticator | Sequence[Authenticator] | None = None,
    credentials: grpc.ServerCredentials | None = None,
    limits: ServerLimits | None = None,
    reflection: bool = False,
    origins: Sequence[str] = (),
    grace: float = 10.0,
) -> None:
    """Serve a server of the MCP SDK over gRPC until the task is cancelled, then drain.

    Args:
        mcp_server: An ``MCPServer`` or a low-level ``Server``.
        addr: ``host:port`` or ``unix:PATH``.
        auth: Who gets in; see :class:`Server`.
        credentials: TLS.
        limits: What callers can make it keep.
        reflection: Whether gRPC server reflection is served.
        origins: Origins of web pages that may call.
        grace: Seconds that calls get to finish.

    Raises:
        OSError: The address cannot be listened on.
    """
    server = Server(
        mcp_server, addr, auth=auth, credentials=credentials, limits=limits, reflection=reflection, origins=origins
    )
    await server.start()
    try:
        await server.wait()
    finally:
        await server.stop(grace)
