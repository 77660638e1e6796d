# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""The messages whose twin is not what rule R1 gives (SPEC.md §5.4), by their full name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp_grpc._gen.mcp.v1.resource_pb2 import SubscribeResourceRequest
from mcp_grpc._gen.mcp.v1.subscription_pb2 import ListenRequest, SubscriptionFilter
from mcp_grpc._gen.mcp.v1.tool_pb2 import CallToolEvent, CallToolProgress, InvokeToolResponse
from mcp_grpc.codec.completion import (
    read_complete_request,
    read_complete_response,
    write_complete_request,
    write_complete_response,
)
from mcp_grpc.codec.content import (
    read_bare_blob,
    read_block,
    read_contents,
    read_prompt_message,
    read_turn,
    take,
    write_bare_blob,
    write_block,
    write_contents,
    write_prompt_message,
    write_turn,
)
from mcp_grpc.codec.envelope import read_envelope, write_envelope
from mcp_grpc.codec.errors import CodecError, MalformedError
from mcp_grpc.codec.input import (
    INPUT_REQUIRED,
    read_input_request,
    read_input_required,
    read_input_response,
    with_result_type,
    write_input_request,
    write_input_required,
    write_input_response,
)
from mcp_grpc.codec.plan import Shape, plan_of
from mcp_grpc.codec.reader import CONTENT_READERS, READERS, Reader
from mcp_grpc.codec.text import Member, check, exact_string, members
from mcp_grpc.codec.writer import CONTENT_WRITERS, WRITERS, plain, unset, write


def _result_type(parts: list[Member]) -> str | None:
    return exact_string(take(parts, "resultType")[0])


def _read_result(reader: Reader, raw: str, message: Any) -> None:
    """Read a result of ``resources/read`` or ``prompts/get``, which may be an InputRequired (§5.4.9)."""
    inner, parts = reader.object(raw)
    if _result_type(parts) == INPUT_REQUIRED:
        message.input_required.SetInParent()
        read_input_required(reader, raw, message.input_required)
    else:
        inner.fields(parts, message)


def _write_result(message: Any) -> str:
    if not message.HasField("input_required"):
        return plain(message)
    if message != type(message)(input_required=message.input_required):
        raise MalformedError("input_required stands instead of all other fields, clear those")
    try:
        return write_input_required(message.input_required)
    except CodecError as error:
        raise error.at("input_required") from None


def _read_outcome(reader: Reader, raw: str, message: Any) -> None:
    """Read a result of ``tools/call`` as one of three kinds (§5.4.9)."""
    inner, parts = reader.object(raw)
    kind = _result_type(parts)
    keys = {part.key for part in parts}
    if kind == INPUT_REQUIRED:
        message.input_required.SetInParent()
        read_input_required(reader, raw, message.input_required)
    elif kind == "task" or ("task" in keys and "content" not in keys):
        message.task.SetInParent()
        inner.fields(parts, message.task)
    else:
        message.result.SetInParent()
        inner.fields(parts, message.result)


def _write_outcome(message: CallToolEvent | InvokeToolResponse) -> str:
    oneof = "kind" if isinstance(message, CallToolEvent) else "outcome"
    kind = message.WhichOneof(oneof)
    if kind is None:
        raise unset(oneof)
    try:
        match kind:
            case "result" | "input_required":
                return write(getattr(message, kind))
            case "task":
                return _write_task(message.task)
    except CodecError as error:
        raise error.at(kind) from None
    raise MalformedError("event is not the outcome of a call, convert the message in it")


def _write_task(task: Any) -> str:
    """A Task written so that it is read as one."""
    if task.extra_json and any(part.key == "task" for part in members(check(task.extra_json))):
        return plain(task)  # the result of 2025-11-25, which has no type (§9.5)
    if task.HasField("result_type"):
        if task.result_type != "task":
            raise MalformedError(f'task has result_type "{task.result_type}", set "task" or nothing')
        return plain(task)
    return with_result_type(task, "task")


def _read_get_task(reader: Reader, raw: str, message: Any) -> None:
    message.task.SetInParent()
    reader.message(raw, message.task)


def _write_get_task(message: Any) -> str:
    if not message.HasField("task"):
        raise MalformedError("task is not set")
    return write(message.task)


def _read_progress(reader: Reader, raw: str, message: CallToolProgress) -> None:
    inner, parts = reader.object(raw)
    inner.fields(parts, message)
    message.percentage = percentage(message.progress, message.total)


def percentage(progress: float, total: float) -> int:
    """Progress as a share of its total, from 0 to 100, rounded down (§9.1)."""
    if not (total > 0 and progress > 0):  # NaN, too
        return 0
    return 100 if progress >= total else int(progress / total * 100)


def _read_subscribe(reader: Reader, raw: str, message: SubscribeResourceRequest) -> None:
    """Read params of ``subscriptions/listen`` that ask for one resource and nothing else (§5.4.12)."""
    reader, parts = reader.object(raw)
    wanted, rest = take(parts, "notifications")
    if wanted is not None:
        chosen = SubscriptionFilter()
        reader.message(wanted, chosen)
        uris = list(chosen.resource_subscriptions)
        if len(uris) != 1 or chosen != SubscriptionFilter(resource_subscriptions=uris):
            raise MalformedError("notifications asks for more or less than one resource, use ListenRequest")
        message.uri = uris[0]
    meta = plan_of(message.DESCRIPTOR).by_member["_meta"]
    for part in rest:
        if part.key != "_meta" or not reader.field(meta, part.raw, message):
            raise MalformedError(f'member "{part.key}" has no place in {message.DESCRIPTOR.full_name}')


def _write_subscribe(message: SubscribeResourceRequest) -> str:
    listen = ListenRequest()
    if message.HasField("meta"):
        listen.meta.CopyFrom(message.meta)
    if message.HasField("uri"):
        listen.notifications.resource_subscriptions.append(message.uri)
    return write(listen)


def _write_error(message: Any) -> str:
    """The twin of a JsonRpcError, whose fields give way to ``extra_json`` (§5.4.10)."""
    held = {part.key for part in members(check(message.extra_json))} if message.extra_json else set()
    if not held & {"code", "message"}:
        return plain(message)
    rest = type(message)()
    rest.CopyFrom(message)
    for name in held & {"code", "message"}:
        rest.ClearField(name)
    return plain(rest)


_READERS: dict[str, Callable[[Reader, str, Any], None]] = {
    "mcp.v1.BlobContent": read_bare_blob,
    "mcp.v1.CallToolEvent": _read_outcome,
    "mcp.v1.CallToolProgress": _read_progress,
    "mcp.v1.CompleteRequest": read_complete_request,
    "mcp.v1.CompleteResponse": read_complete_response,
    "mcp.v1.Content": read_block,
    "mcp.v1.CreateMessageResult": read_turn,
    "mcp.v1.Envelope": read_envelope,
    "mcp.v1.GetPromptResponse": _read_result,
    "mcp.v1.GetTaskResponse": _read_get_task,
    "mcp.v1.InputRequest": read_input_request,
    "mcp.v1.InputRequired": read_input_required,
    "mcp.v1.InputResponse": read_input_response,
    "mcp.v1.InvokeToolResponse": _read_outcome,
    "mcp.v1.ReadResourceResponse": _read_result,
    "mcp.v1.SamplingMessage": read_turn,
    "mcp.v1.SubscribeResourceRequest": _read_subscribe,
}

_WRITERS: dict[str, Callable[[Any], str]] = {
    "mcp.v1.BlobContent": write_bare_blob,
    "mcp.v1.CallToolEvent": _write_outcome,
    "mcp.v1.CompleteRequest": write_complete_request,
    "mcp.v1.CompleteResponse": write_complete_response,
    "mcp.v1.Content": write_block,
    "mcp.v1.CreateMessageResult": write_turn,
    "mcp.v1.Envelope": write_envelope,
    "mcp.v1.GetPromptResponse": _write_result,
    "mcp.v1.GetTaskResponse": _write_get_task,
    "mcp.v1.InputRequest": write_input_request,
    "mcp.v1.InputRequired": write_input_required,
    "mcp.v1.InputResponse": write_input_response,
    "mcp.v1.InvokeToolResponse": _write_outcome,
    "mcp.v1.JsonRpcError": _write_error,
    "mcp.v1.ReadResourceResponse": _write_result,
    "mcp.v1.SamplingMessage": write_turn,
    "mcp.v1.SubscribeResourceRequest": _write_subscribe,
}


def register() -> None:
    """Tell the reader and the writer of these shapes. The package does it when it is imported."""
    READERS.update(_READERS)
    WRITERS.update(_WRITERS)
    CONTENT_READERS.update(
        {Shape.BLOCK: read_block, Shape.CONTENTS: read_contents, Shape.PROMPT_MESSAGE: read_prompt_message}
    )
    CONTENT_WRITERS.update(
        {Shape.BLOCK: write_block, Shape.CONTENTS: write_contents, Shape.PROMPT_MESSAGE: write_prompt_message}
    )
