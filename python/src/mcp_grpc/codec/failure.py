# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Errors on the wire: JSON-RPC codes, gRPC statuses and the detail that connects them (SPEC.md §11)."""

from __future__ import annotations

from typing import Any, Final

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    PARSE_ERROR,
    UNSUPPORTED_PROTOCOL_VERSION,
    URL_ELICITATION_REQUIRED,
)

from mcp_grpc._gen.mcp.v1.common_pb2 import JSON_ENCODING_UNSPECIFIED, JsonEncoding, JsonRpcError
from mcp_grpc._gen.mcp.v1.envelope_pb2 import FrameError
from mcp_grpc.codec.errors import CodecError, LimitError
from mcp_grpc.codec.reader import from_value
from mcp_grpc.codec.writer import to_value

HEADER_MISMATCH: Final = -32020
RESOURCE_NOT_FOUND: Final = -32002
DETAILS: Final = "grpc-status-details-bin"

_DETAIL_TYPE = "mcp.v1.JsonRpcError"
_UNSET: Final = object()

_STATUS_BY_CODE = {
    PARSE_ERROR: grpc.StatusCode.INVALID_ARGUMENT,
    INVALID_REQUEST: grpc.StatusCode.INVALID_ARGUMENT,
    METHOD_NOT_FOUND: grpc.StatusCode.UNIMPLEMENTED,
    INVALID_PARAMS: grpc.StatusCode.INVALID_ARGUMENT,
    INTERNAL_ERROR: grpc.StatusCode.INTERNAL,
    HEADER_MISMATCH: grpc.StatusCode.INVALID_ARGUMENT,
    MISSING_REQUIRED_CLIENT_CAPABILITY: grpc.StatusCode.FAILED_PRECONDITION,
    UNSUPPORTED_PROTOCOL_VERSION: grpc.StatusCode.FAILED_PRECONDITION,
    RESOURCE_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    URL_ELICITATION_REQUIRED: grpc.StatusCode.FAILED_PRECONDITION,
}

_CODE_BY_STATUS = {
    grpc.StatusCode.INVALID_ARGUMENT: INVALID_PARAMS,
    grpc.StatusCode.NOT_FOUND: INVALID_PARAMS,
    grpc.StatusCode.UNIMPLEMENTED: METHOD_NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION: INVALID_REQUEST,
    grpc.StatusCode.ALREADY_EXISTS: INVALID_REQUEST,
    grpc.StatusCode.RESOURCE_EXHAUSTED: INVALID_REQUEST,
}

_BY_NUMBER: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


def status_of(code: int) -> grpc.StatusCode:
    """The status of a JSON-RPC code that has no more to say for itself (§11.2)."""
    return _STATUS_BY_CODE.get(code, grpc.StatusCode.UNKNOWN)


def code_of(status: grpc.StatusCode) -> int:
    """The JSON-RPC code of a status without detail (§11.3)."""
    return _CODE_BY_STATUS.get(status, INTERNAL_ERROR)


def number_of(status: grpc.StatusCode) -> int:
    """The number that a status has on the wire."""
    return int(status.value[0])


class RpcFailure(Exception):
    """How an RPC or a call of a stream fails: a status, a message, and the JSON-RPC error if MCP failed.

    Attributes:
        status: The status code.
        message: For people; clients decide by nothing that stands in it.
        error: The detail; none if MCP itself did not fail.
        details: More details of the status, such as ``google.rpc.ErrorInfo``.
    """

    def __init__(
        self,
        status: grpc.StatusCode,
        message: str,
        error: JsonRpcError | None = None,
        details: tuple[Message, ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.error = error
        self.details = details

    @classmethod
    def of(cls, code: int, message: str, data: Any = _UNSET, status: grpc.StatusCode | None = None) -> RpcFailure:
        """The failure of a JSON-RPC error, with the status of §11.2 unless another one is given."""
        return cls(status or status_of(code), message, error_message(code, message, data))

    @classmethod
    def of_codec(cls, error: CodecError) -> RpcFailure:
        """What a request gets that the mapping refuses (§5.3, "Errors of the mapping")."""
        status = grpc.StatusCode.RESOURCE_EXHAUSTED if isinstance(error, LimitError) else None
        return cls.of(error.code, str(error), status=status)

    @property
    def code(self) -> int:
        """The JSON-RPC code: that of the detail, else the one that the status stands for."""
        return error_code(self.error) if self.error is not None else code_of(self.status)

    @property
    def has_data(self) -> bool:
        """Whether the JSON-RPC error has ``data``, which may be null."""
        return self.error is not None and (self.error.HasField("data") or bool(self.error.data_json))

    @property
    def data(self) -> Any:
        """The ``data`` of the JSON-RPC error; none if it has none."""
        return to_value(self.error).get("data") if self.error is not None else None

    def to_status(self) -> Status:
        """The ``google.rpc.Status`` of ``grpc-status-details-bin``."""
        status = Status(code=number_of(self.status), message=self.message)
        for detail in (*((self.error,) if self.error is not None else ()), *self.details):
            status.details.add().Pack(detail)
        return status

    def trailers(self) -> tuple[tuple[str, bytes], ...]:
        """The trailing metadata that carries the details; none if there are none."""
        status = self.to_status()
        return ((DETAILS, status.SerializeToString()),) if status.details else ()


def error_message(
    code: int, message: str, data: Any = _UNSET, encoding: JsonEncoding = JSON_ENCODING_UNSPECIFIED
) -> JsonRpcError:
    """A JSON-RPC error as a message; a code beyond ``int32`` stands in its ``extra_json`` (§5.4.10)."""
    value = {"code": code, "message": message}
    return from_value(value if data is _UNSET else {**value, "data": data}, JsonRpcError, encoding)


def error_code(error: JsonRpcError) -> int:
    """The JSON-RPC code of an error, wherever it stands; INTERNAL_ERROR if it cannot be read."""
    if not error.extra_json:
        return error.code
    try:
        code = to_value(error)["code"]
    except CodecError:
        return INTERNAL_ERROR
    return code if isinstance(code, int) else INTERNAL_ERROR


def failure_of(error: grpc.aio.AioRpcError) -> RpcFailure:
    """What a failed RPC said: its detail if there is one, else what §11.3 makes of the status."""
    status, text = error.code(), error.details() or ""
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS and isinstance(value, bytes):
            return _with_details(status, text, value)
    return RpcFailure(status, text)


def _with_details(status: grpc.StatusCode, text: str, value: bytes) -> RpcFailure:
    try:
        details = list(Status.FromString(value).details)
        found = next((detail for detail in details if _is_detail(detail)), None)
        error = JsonRpcError.FromString(found.value) if found is not None else None
    except DecodeError:
        return RpcFailure(status, text)
    others = tuple(detail for detail in details if not _is_detail(detail))
    return RpcFailure(status, text, error, others)


def _is_detail(detail: AnyMessage) -> bool:
    return detail.TypeName() == _DETAIL_TYPE


def frame_error(failure: RpcFailure) -> FrameError:
    """The same in a frame (§4.6)."""
    return FrameError(code=number_of(failure.status), message=failure.message, error=failure.error)


def failure_of_frame(error: FrameError) -> RpcFailure:
    """What a frame's error says."""
    status = _BY_NUMBER.get(error.code, grpc.StatusCode.UNKNOWN)
    return RpcFailure(status, error.message, error.error if error.HasField("error") else None)
