# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Web pages that may call a server (SPEC.md §14.5)."""

from __future__ import annotations

import urllib.parse
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    _Handler = grpc.RpcMethodHandler[Any, Any]  # is generic for type checkers only


class OriginInterceptor(grpc.aio.ServerInterceptor):
    """Refuses RPCs from web pages that have no business here, before anything else looks at them.

    No page speaks gRPC by itself, but what stands in front of a server may translate. That proxy has to look at
    the host, too: ``grpc.aio`` does not show it. RPCs without ``origin`` are not from pages, and pass.

    Args:
        origins: Origins of pages that may call, as browsers send them: "https://app.example.com". They are
            compared byte for byte.

    Raises:
        ValueError: one is no origin, or a pattern.
    """

    def __init__(self, origins: Sequence[str] = ()) -> None:
        for origin in origins:
            if origin != "null" and not _is_origin(origin):
                hint = "write scheme, host and port only, in lower case, like https://app.example.com"
                raise ValueError(f"origin {origin!r}: {hint}")
        self._origins = frozenset(origins)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler | None:
        """See ``grpc.aio.ServerInterceptor``."""
        given = [value for key, value in handler_call_details.invocation_metadata or () if key == "origin"]
        if not given or (len(given) == 1 and given[0] in self._origins):
            return await continuation(handler_call_details)
        return grpc.stream_stream_rpc_method_handler(_refuse)


async def _refuse(_: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
    await context.abort(grpc.StatusCode.PERMISSION_DENIED, "forbidden: this origin may not call the server")


def _is_origin(text: str) -> bool:
    url = urllib.parse.urlsplit(text)
    try:
        port = url.port
    except ValueError:
        return False
    own = {"https": 443, "http": 80}.get(url.scheme)
    return (
        bool(url.scheme and url.hostname)
        and f"{url.scheme}://{url.netloc}" == text == text.lower()
        and not any(c in text for c in "*@ ")
        and (port is None or port != own)
    )
