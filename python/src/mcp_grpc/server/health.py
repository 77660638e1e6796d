# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""``grpc.health.v1`` and reflection, as far as their packages are installed."""

from __future__ import annotations

import grpc

from mcp_grpc.server.rpc import SERVICE


class Health:
    """Tells whether the server serves.

    Args:
        server: Where it is registered.

    Raises:
        ImportError: ``grpcio-health-checking`` is not installed.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        from grpc_health.v1 import health, health_pb2, health_pb2_grpc

        self._servicer = health.aio.HealthServicer()
        self._statuses = health_pb2.HealthCheckResponse
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    async def tell(self, *, serving: bool) -> None:
        """Say it, for the server and for ``mcp.v1.MCP``."""
        status = self._statuses.SERVING if serving else self._statuses.NOT_SERVING
        for name in ("", SERVICE):
            await self._servicer.set(name, status)


def add_health(server: grpc.aio.Server, wanted: bool | None) -> Health | None:
    """Serve health if it is wanted, or if nobody has said and its package is there."""
    if wanted is False:
        return None
    try:
        return Health(server)
    except ImportError:
        if wanted:
            raise
        return None


def add_reflection(server: grpc.aio.Server, *, health: bool) -> None:
    """Serve gRPC server reflection; ImportError if ``grpcio-reflection`` is not installed."""
    from grpc_reflection.v1alpha import reflection

    names = [SERVICE, "mcp.v1.AuthDiscovery", reflection.SERVICE_NAME]
    if health:
        names.append("grpc.health.v1.Health")
    reflection.enable_server_reflection(names, server)
