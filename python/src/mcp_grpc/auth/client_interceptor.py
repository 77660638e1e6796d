# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Client credentials at work in ``grpc.aio``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc

from mcp_grpc.auth.challenge import read_challenge
from mcp_grpc.auth.client_auth import ClientAuth

_Details = grpc.aio.ClientCallDetails


def interceptors_for(auth: ClientAuth) -> list[grpc.aio.ClientInterceptor]:
    """Interceptors that show ``auth`` on every call.

    A unary call that is refused is repeated once, if ``auth`` has another credential then. A stream cannot be
    sent twice (SPEC.md §14.7).
    """
    return [_UnaryUnary(auth), _UnaryStream(auth), _StreamUnary(auth), _StreamStream(auth)]


class _Shown:
    def __init__(self, auth: ClientAuth) -> None:
        self._auth = auth

    async def _with_credentials(self, details: _Details) -> _Details:
        metadata = grpc.aio.Metadata(*(details.metadata or ()), *await self._auth.metadata())
        return details._replace(metadata=metadata)  # type: ignore[attr-defined, no-any-return]


class _UnaryUnary(_Shown, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Callable[..., Any], details: _Details, request: Any) -> Any:
        call = await continuation(await self._with_credentials(details), request)
        code = await call.code()
        if code not in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
            return call
        trailing = await call.trailing_metadata()
        challenge = read_challenge(await call.initial_metadata(), trailing)
        if challenge is None or not await self._auth.refused(challenge):
            return call
        return await continuation(await self._with_credentials(details), request)


class _UnaryStream(_Shown, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Callable[..., Any], details: _Details, request: Any) -> Any:
        return await continuation(await self._with_credentials(details), request)


class _StreamUnary(_Shown, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(self, continuation: Callable[..., Any], details: _Details, requests: Any) -> Any:
        return await continuation(await self._with_credentials(details), requests)


class _StreamStream(_Shown, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(self, continuation: Callable[..., Any], details: _Details, requests: Any) -> Any:
        return await continuation(await self._with_credentials(details), requests)
