# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""CompleteRequest and CompleteResponse, which spread objects over the message (SPEC.md §5.4.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_grpc._gen.mcp.v1.completion_pb2 import CompleteRequest, CompleteResponse
from mcp_grpc.codec.content import take, take_string
from mcp_grpc.codec.errors import CodecError, MalformedError
from mcp_grpc.codec.number import exact_int
from mcp_grpc.codec.scalar import UINT32
from mcp_grpc.codec.text import Member, elements, exact_string, join, members, quote
from mcp_grpc.codec.writer import ObjectWriter, array

if TYPE_CHECKING:
    from mcp_grpc.codec.reader import Reader

_KEYS = {"ref/prompt": "name", "ref/resource": "uri"}


def read_complete_request(reader: Reader, raw: str, message: CompleteRequest) -> None:
    """Read params of ``completion/complete``."""
    reader, parts = reader.object(raw)
    ref, rest = take(parts, "ref")
    if ref is not None and _read_ref(ref, message):
        parts = rest
    argument, rest = take(parts, "argument")
    if argument is not None and _read_argument(argument, message):
        parts = rest
    reader.fields(parts, message)


def _split(raw: str) -> list[Member] | None:
    try:
        return members(raw)
    except CodecError:
        return None


def _read_ref(raw: str, message: CompleteRequest) -> bool:
    kind, parts = take_string(_split(raw) or [], "type")
    if kind not in _KEYS:
        return False
    message.ref_type = kind
    ref, parts = take_string(parts, _KEYS[kind])
    if ref is not None:
        message.ref = ref
    title, parts = take_string(parts, "title")
    if title is not None:
        message.ref_title = title
    if parts:
        message.ref_extra_json = join(parts).encode("utf-8")
    return True


def _read_argument(raw: str, message: CompleteRequest) -> bool:
    parts = _split(raw)
    if not parts:  # an empty object would look like an absent one
        return False
    name, parts = take_string(parts, "name")
    if name is not None:
        message.argument_name = name
    value, parts = take_string(parts, "value")
    if value is not None:
        message.value = value
    if parts:
        message.argument_extra_json = join(parts).encode("utf-8")
    return True


def write_complete_request(message: CompleteRequest) -> str:
    """The twin of a CompleteRequest."""
    out = ObjectWriter.of(message)
    if any(map(message.HasField, ("ref", "ref_type", "ref_title"))) or message.ref_extra_json:
        out.put("ref", _write_ref(message))
    if any(map(message.HasField, ("argument_name", "value"))) or message.argument_extra_json:
        argument = ObjectWriter(message.argument_extra_json, "argument_extra_json")
        if message.HasField("argument_name"):
            argument.put("name", quote(message.argument_name))
        if message.HasField("value"):
            argument.put("value", quote(message.value))
        out.put("argument", argument.end())
    out.fields(message)
    return out.end()


def _write_ref(message: CompleteRequest) -> str:
    kind = message.ref_type
    if not message.HasField("ref_type"):  # a peer that knows only the inherited fields does not say
        kind = "ref/resource" if "://" in message.ref else "ref/prompt"
    ref = ObjectWriter(message.ref_extra_json, "ref_extra_json")
    ref.put("type", quote(kind))
    if message.HasField("ref"):
        ref.put(_KEYS.get(kind, "name"), quote(message.ref))
    if message.HasField("ref_title"):
        ref.put("title", quote(message.ref_title))
    return ref.end()


def read_complete_response(reader: Reader, raw: str, message: CompleteResponse) -> None:
    """Read a result of ``completion/complete``."""
    reader, parts = reader.object(raw)
    completion, rest = take(parts, "completion")
    if completion is None:
        raise MalformedError('member "completion" is missing')
    if _read_completion(completion, message):
        parts = rest
    reader.fields(parts, message)


def _read_completion(raw: str, message: CompleteResponse) -> bool:
    parts = _split(raw)
    if parts is None or take(parts, "values")[0] is None:
        return False
    aside = [part for part in parts if not _completion_member(part, message)]
    if aside:
        message.completion_extra_json = join(aside).encode("utf-8")
    return True


def _completion_member(part: Member, message: CompleteResponse) -> bool:
    match part.key:
        case "values":
            values = [exact_string(raw) for raw in elements(part.raw) or ()]
            if part.raw[0] != "[" or None in values:
                return False
            message.values.extend(value for value in values if value is not None)
        case "total":
            total = exact_int(part.raw, *UINT32)
            if total is None:
                return False
            message.total = total
        case "hasMore":
            if part.raw not in {"true", "false"}:
                return False
            message.has_more = part.raw == "true"
        case _:
            return False
    return True


def write_complete_response(message: CompleteResponse) -> str:
    """The twin of a CompleteResponse."""
    out = ObjectWriter.of(message)
    is_set = message.values or message.HasField("total") or message.HasField("has_more")
    if is_set or message.completion_extra_json or not out.held("completion"):
        completion = ObjectWriter(message.completion_extra_json, "completion_extra_json")
        if message.values or not completion.held("values"):
            completion.put("values", array(message.values, quote))
        if message.HasField("total"):
            completion.put("total", str(message.total))
        if message.HasField("has_more"):
            completion.put("hasMore", "true" if message.has_more else "false")
        out.put("completion", completion.end())
    out.fields(message)
    return out.end()
