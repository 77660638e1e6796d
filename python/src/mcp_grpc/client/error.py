# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""What a client raises when a call has failed (SPEC.md §11)."""

from __future__ import annotations

from typing import Any

import grpc
import mcp.types as types
from google.protobuf.message import Message
from mcp.shared.exceptions import MCPError

from mcp_grpc.codec import RpcFailure, code_of


class CallError(MCPError):
    """A call that has failed: the error of MCP, and the status of the transport (SPEC.md §11.1).

    It is the SDK's `MCPError`, so that code written for the SDK's own transports catches it: `code`, `message`
    and `data` are those of the JSON-RPC error. Where the server has sent a status alone, the code is derived
    from it (SPEC.md §11.3).
    """

    status: grpc.StatusCode
    """The gRPC status of the RPC, or of the call on a multiplexed stream."""

    derived: bool
    """Whether the server has sent a status alone, of which `code` is derived, or the call failed on this side."""

    details: tuple[Message, ...]
    """What came beside the JSON-RPC error, for example a `google.rpc.ErrorInfo`. Default: nothing."""

    def __init__(
        self,
        status: grpc.StatusCode,
        code: int,
        message: str,
        data: Any = None,
        details: tuple[Message, ...] = (),
        *,
        derived: bool = False,
    ) -> None:
        super().__init__(code, message, data)
        self.status = status
        self.derived = derived
        self.details = details

    @classmethod
    def of(cls, failure: RpcFailure, because: str = "") -> CallError:
        """Gives the error that a failure says, with words in front of its text."""
        said = failure.message or failure.status.name
        message = f"{because}: {said}" if because else failure.message
        derived = failure.error is None
        return cls(failure.status, failure.code, message, failure.data, failure.details, derived=derived)

    @classmethod
    def plain(cls, status: grpc.StatusCode, message: str) -> CallError:
        """Gives the error of a call that failed on this side."""
        return cls(status, code_of(status), message, derived=True)


def late() -> CallError:
    """Says that a deadline has passed."""
    return CallError.plain(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline of the call has passed")


class TaskStarted(Exception):
    """The server made a task of a call, which goes on (SPEC.md §9.5).

    It can do so only for a client that declares the extension `io.modelcontextprotocol/tasks`.
    `Client.get_task` tells how the task stands.
    """

    def __init__(self, task: dict[str, Any]) -> None:
        super().__init__(f"the call goes on as task {task.get('taskId')!r}")
        self.task = task
        """The task, as its JSON value."""


class InputNeeded(Exception):
    """The server needs input that the client has no callback for (SPEC.md §8).

    The call can be made again with `input_responses` under the keys of `result.input_requests`, and with
    `result.request_state`.
    """

    def __init__(self, result: types.InputRequiredResult) -> None:
        super().__init__(f"the server needs input: {', '.join(result.input_requests or {}) or 'another try'}")
        self.result = result


def is_drained(failure: RpcFailure) -> bool:
    """Whether a stream ended with all answered that the server has taken (SPEC.md §10.4)."""
    return bool(failure.data == {"drained": True})
