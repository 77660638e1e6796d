# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""The three twins of Content, and one block or an array of them (SPEC.md §5.4.2 to §5.4.6).

What is not known or cannot be read is kept word for word in ``other_json``: a peer may be newer than this file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp_grpc._gen.mcp.v1.content_pb2 import BlobContent, Content
from mcp_grpc.codec.errors import CodecError, MalformedError
from mcp_grpc.codec.plan import plan_of
from mcp_grpc.codec.scalar import exact_base64
from mcp_grpc.codec.text import Member, check, elements, exact_string, join, quote
from mcp_grpc.codec.writer import ObjectWriter, array, base64_text, plain, unset

if TYPE_CHECKING:
    from mcp_grpc.codec.reader import Reader

# The kind of each type of block, and the member without which the block says nothing.
_KINDS = {
    "text": ("text", "text"),
    "resource": ("resource", "resource"),
    "resource_link": ("resource_link", "uri"),
    "tool_use": ("tool_use", "id"),
    "tool_result": ("tool_result", "toolUseId"),
}


def take(parts: list[Member], key: str) -> tuple[str | None, list[Member]]:
    """The raw value of a member, if it is there, and the other members."""
    found = next((part.raw for part in parts if part.key == key), None)
    return (None, parts) if found is None else (found, [part for part in parts if part.key != key])


def take_string(parts: list[Member], key: str) -> tuple[str | None, list[Member]]:
    """:func:`take` for a member that is a string; any other stays where it is."""
    raw, rest = take(parts, key)
    text = exact_string(raw)
    return (None, parts) if text is None else (text, rest)


def read_block(reader: Reader, raw: str, content: Any) -> None:
    """Read a content block (§5.4.3)."""
    if not _read_known(_known_block, reader, raw, content):
        content.Clear()
        content.other_json = raw.encode("utf-8")


def read_contents(reader: Reader, raw: str, content: Any) -> None:
    """Read contents of a resource (§5.4.4)."""
    if not _read_known(_known_contents, reader, raw, content):
        content.Clear()
        content.other_json = raw.encode("utf-8")


def _read_known(known: Any, reader: Reader, raw: str, content: Content) -> bool:
    try:
        return bool(known(reader, raw, content))
    except CodecError:
        return False


def _known_block(reader: Reader, raw: str, content: Content) -> bool:
    reader, parts = reader.object(raw)
    kind, parts = take_string(parts, "type")
    if kind is None:
        return False
    if kind in {"image", "audio"}:
        content.blob.type = kind
        return _read_blob(reader, parts, content.blob, "data")
    if kind not in _KINDS:
        return False
    field, essential = _KINDS[kind]
    return _read_whole(reader, parts, getattr(content, field), essential)


def _read_whole(reader: Reader, parts: list[Member], message: Any, essential: str) -> bool:
    """Read fields; false if the essential member is there and its field cannot hold it."""
    message.SetInParent()
    reader.fields(parts, message)
    field = plan_of(message.DESCRIPTOR).by_member[essential]
    return bool(message.HasField(field.name)) or take(parts, essential)[0] is None


def _read_blob(reader: Reader, parts: list[Member], message: BlobContent, key: str) -> bool:
    message.SetInParent()
    raw, rest = take(parts, key)
    if raw is not None:
        data = exact_base64(raw)
        if data is None:
            return False
        message.data = data
    reader.fields(rest, message)
    return True


def _known_contents(reader: Reader, raw: str, content: Content) -> bool:
    reader, parts = reader.object(raw)
    keys = {part.key for part in parts}
    if "text" in keys:
        return _read_whole(reader, parts, content.text, "text")
    if "blob" not in keys:
        return False
    kind, parts = take_string(parts, "type")
    if kind is not None:
        content.blob.type = kind
    return _read_blob(reader, parts, content.blob, "blob")


def read_bare_blob(reader: Reader, raw: str, message: BlobContent) -> None:
    """Read a BlobContent outside a Content: a block if it has a type."""
    reader, parts = reader.object(raw)
    kind, parts = take_string(parts, "type")
    if kind is not None:
        message.type = kind
    key = "blob" if kind is None else "data"
    if not _read_blob(reader, parts, message, key):
        raise MalformedError(f'member "{key}" is not canonical base64')


def read_prompt_message(reader: Reader, raw: str, content: Any) -> None:
    """Read a message of a prompt: a role and one block (§5.4.5)."""
    reader, parts = reader.object(raw)
    block, parts = take(parts, "content")
    if block is None:
        raise MalformedError('member "content" is missing')
    read_block(reader, block, content)
    role, parts = take_string(parts, "role")
    if role is not None:
        content.role = role
    if parts:
        content.message_extra_json = join(parts).encode("utf-8")


def read_turn(reader: Reader, raw: str, message: Any) -> None:
    """Read a SamplingMessage or CreateMessageResult, whose content is a block or an array (§5.4.6)."""
    reader, parts = reader.object(raw)
    block, rest = take(parts, "content")
    if block is None:
        raise MalformedError('member "content" is missing')
    blocks = [block] if block[0] == "{" else elements(block)
    if blocks is not None:
        parts = rest
        message.content_is_array = block[0] == "[" and len(blocks) == 1
        for one in blocks:
            read_block(reader, one, message.content.add())
    reader.fields(parts, message)


def write_block(content: Any) -> str:
    """The twin of a Content as a block."""
    _refuse_message_fields(content)
    return _any_block(content)


def _refuse_message_fields(content: Any) -> None:
    if content.HasField("role") or content.message_extra_json:
        raise MalformedError("role and message_extra_json belong to messages of prompts only")


def _any_block(content: Any) -> str:
    kind = content.WhichOneof("kind")
    if kind is None:
        raise unset("kind")
    try:
        if kind == "other_json":
            return check(content.other_json)
        if kind == "blob":
            return _write_blob(content.blob, "data", _blob_type(content.blob))
        message = getattr(content, kind)
        out = ObjectWriter.of(message)
        out.put("type", quote(kind))
        out.fields(message)
        return out.end()
    except CodecError as error:
        raise error.at(kind) from None


def _blob_type(blob: Any) -> str:
    """A block's type: a peer that knows only the inherited fields leaves it to the media type."""
    if blob.type:
        return str(blob.type)
    return "audio" if blob.mime_type.startswith("audio/") else "image"


def _write_blob(blob: Any, key: str, kind: str | None) -> str:
    out = ObjectWriter.of(blob)
    if kind is not None:
        out.put("type", quote(kind))
    if blob.HasField("data"):
        out.put(key, base64_text(blob.data))
    out.fields(blob)
    return out.end()


def write_bare_blob(blob: Any) -> str:
    """The twin of a BlobContent outside a Content."""
    has_type = blob.HasField("type")
    return _write_blob(blob, "data" if has_type else "blob", blob.type if has_type else None)


def write_contents(content: Any) -> str:
    """The twin of a Content as contents of a resource."""
    _refuse_message_fields(content)
    kind = content.WhichOneof("kind")
    try:
        match kind:
            case "text":
                return plain(content.text)
            case "blob":
                return _write_blob(content.blob, "blob", content.blob.type if content.blob.HasField("type") else None)
            case "other_json":
                return check(content.other_json)
    except CodecError as error:
        raise error.at(kind) from None
    if kind is None:
        raise unset("kind")
    raise MalformedError("contents of a resource are of kind text, blob or other_json")


def write_prompt_message(content: Any) -> str:
    """The twin of a Content as a message of a prompt."""
    out = ObjectWriter(content.message_extra_json, "message_extra_json")
    if content.HasField("role"):
        out.put("role", quote(content.role))
    out.put("content", _any_block(content))
    return out.end()


def write_turn(message: Any) -> str:
    """The twin of a SamplingMessage or CreateMessageResult."""
    out = ObjectWriter.of(message)
    if message.content or not out.held("content"):
        try:
            if len(message.content) == 1 and not message.content_is_array:
                out.put("content", write_block(message.content[0]))
            else:
                out.put("content", array(message.content, write_block))
        except CodecError as error:
            raise error.at("content") from None
    out.fields(message)
    return out.end()
