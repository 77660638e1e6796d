# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""What callers learn of what went wrong: SPEC.md §11.

Errors are written for the caller. The text of one that was not stays in the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import grpc
from mcp import MCPError
from mcp.shared.exceptions import NoBackChannelError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND
from pydantic import ValidationError

from mcp_grpc.auth.denial import is_denial
from mcp_grpc.codec import CodecError, MalformedError, RpcFailure
from mcp_grpc.codec.failure import HEADER_MISMATCH

logger = logging.getLogger("mcp_grpc.server")

# How the texts of SDKs for an unknown tool or prompt begin: they have no better mark, and MCP has one code for them
# and for other wrong params.
_UNKNOWN: Final = ("Unknown tool", "Unknown prompt", "Unknown resource", "unknown tool ", "unknown prompt ")


def failure_from(error: BaseException, method: str) -> RpcFailure:
    """The failure that an exception of a handler, or of the transport, is for the caller."""
    if isinstance(error, RpcFailure):
        return error
    if isinstance(error, CodecError):
        return RpcFailure.of_codec(error)
    if isinstance(error, MCPError):
        return _of_mcp(error, method)
    if isinstance(error, ValidationError):
        return RpcFailure.of(INVALID_PARAMS, f"params of {method}: the shape is not the one that MCP gives it")
    if isinstance(error, ValueError) and str(error).startswith("Unknown prompt: "):
        return RpcFailure.of(INVALID_PARAMS, str(error), status=grpc.StatusCode.NOT_FOUND)
    logger.error("handler of %s failed", method, exc_info=error)
    return internal()


def _of_mcp(error: MCPError, method: str) -> RpcFailure:
    status = None
    if is_denial(error.code, error.data):
        status = grpc.StatusCode.PERMISSION_DENIED
    elif isinstance(error, NoBackChannelError):
        status = grpc.StatusCode.FAILED_PRECONDITION  # a client with a stream could be asked
    elif error.code == INVALID_PARAMS and _names_unknown(error, method):
        status = grpc.StatusCode.NOT_FOUND
    try:
        code = error.code or INTERNAL_ERROR  # 0 is no code
        if error.data is None:
            return RpcFailure.of(code, error.message, status=status)
        return RpcFailure.of(code, error.message, error.data, status)
    except CodecError:  # the data of user code is none of JSON
        logger.exception("an error with code %d cannot be sent", error.code)
        return internal()


def _names_unknown(error: MCPError, method: str) -> bool:
    # MCP marks a resource that is not there by its URI; the other two have no mark but their text.
    if method in {"resources/read", "ReadResource"} and isinstance(error.data, Mapping) and "uri" in error.data:
        return True
    return error.message.startswith(_UNKNOWN)


def of_result(error: MalformedError) -> RpcFailure:
    """What the caller learns of a result that is none: it is the server's fault."""
    logger.error("a result cannot be sent: %s", error)
    return internal()


def internal() -> RpcFailure:
    """All that a caller learns of an error that was not written for it."""
    return RpcFailure.of(INTERNAL_ERROR, "internal error")


def deadline_exceeded() -> RpcFailure:
    """The time of the RPC or call is over."""
    return RpcFailure.of(INTERNAL_ERROR, "deadline exceeded", status=grpc.StatusCode.DEADLINE_EXCEEDED)


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Bound the time of what is in the block; :class:`RpcFailure` when it is over, whatever user code makes of that."""
    try:
        async with asyncio.timeout(seconds) as timeout:
            yield
    except Exception:
        if timeout.expired():
            raise deadline_exceeded() from None
        raise


def draining() -> RpcFailure:
    """The server goes."""
    return RpcFailure.of(INTERNAL_ERROR, "server is shutting down; connect again", status=grpc.StatusCode.UNAVAILABLE)


def drained() -> RpcFailure:
    """The server goes, and all is answered on this stream that it has taken (§10.4)."""
    return RpcFailure.of(
        INTERNAL_ERROR,
        "server is shutting down, and has done nothing that it has not answered; connect again",
        {"drained": True},
        status=grpc.StatusCode.UNAVAILABLE,
    )


def invalid_request(message: str) -> RpcFailure:
    """The message is not one that may come here."""
    return RpcFailure.of(INVALID_REQUEST, message)


def invalid_params(message: str) -> RpcFailure:
    """The params are not those of the method."""
    return RpcFailure.of(INVALID_PARAMS, message)


def method_not_found(method: str) -> RpcFailure:
    """There is no such method, or not in this era."""
    return RpcFailure.of(METHOD_NOT_FOUND, f'method not found: "{method}"')


def header_mismatch(message: str) -> RpcFailure:
    """Metadata says something else than the body (§7.1)."""
    return RpcFailure.of(HEADER_MISMATCH, message)


def exhausted(message: str) -> RpcFailure:
    """A limit of §12."""
    return RpcFailure.of(INVALID_REQUEST, message, status=grpc.StatusCode.RESOURCE_EXHAUSTED)


def undecodable() -> RpcFailure:
    """The message is no protobuf of its type, or has a string that is not UTF-8."""
    return RpcFailure(grpc.StatusCode.INVALID_ARGUMENT, "the message cannot be decoded")


def no_session() -> RpcFailure:
    """The session that a request names is not there, or somebody else's."""
    return RpcFailure.of(INVALID_REQUEST, "session not found: initialize again", status=grpc.StatusCode.NOT_FOUND)
