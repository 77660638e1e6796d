# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The service ``mcp.v1.AuthDiscovery`` (SPEC.md §14.1)."""

from __future__ import annotations

from typing import Any

import grpc

from mcp_grpc._gen.mcp.v1 import auth_pb2
from mcp_grpc.auth.resource_metadata import ResourceMetadata

GET_METADATA = "/mcp.v1.AuthDiscovery/GetMetadata"


def add_discovery(server: grpc.aio.Server, metadata: ResourceMetadata | None) -> None:
    """Registers ``mcp.v1.AuthDiscovery`` at ``server``.

    Args:
        server: Where it is served.
        metadata: The document; None answers NOT_FOUND.
    """

    async def get_metadata(
        _: auth_pb2.GetMetadataRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> auth_pb2.ProtectedResourceMetadata:
        if metadata is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "the server has no protected resource metadata")
        return metadata.message()

    handler = grpc.unary_unary_rpc_method_handler(
        get_metadata,
        request_deserializer=auth_pb2.GetMetadataRequest.FromString,
        response_serializer=auth_pb2.ProtectedResourceMetadata.SerializeToString,
    )
    service = GET_METADATA.split("/")[1]
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"GetMetadata": handler}),))
