# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The few bytes of protobuf that the multiplexed stream writes by hand, because they are written for every call."""

from __future__ import annotations

# Tags: field number << 3 | 2, the wire type of what has a length.
ENVELOPE_CALL = b"\x3a"  # Envelope.call = 7
ENVELOPE_BATCH = b"\x52"  # Envelope.batch = 10
CALL_TOOL = b"\x1a"  # CallFrame.call_tool = 3
REQUEST_META = b"\x22"  # CallToolRequest.meta = 4


def varint(n: int) -> bytes:
    """Gives a number as protobuf writes it."""
    if n < 0x80:
        return bytes((n,))
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(tag: bytes, content: bytes) -> bytes:
    """Gives a field that has a length: a message, a string or bytes."""
    return tag + varint(len(content)) + content


def call_envelope(call_id: int, timeout_ms: int, body: bytes) -> bytes:
    """Gives the envelope of a `CallFrame` whose other fields are encoded already (SPEC.md §4.6)."""
    head = b"\x08" + varint(call_id)
    if timeout_ms:
        head += b"\x10" + varint(timeout_ms)
    return ENVELOPE_CALL + varint(len(head) + len(body)) + head + body


def cancel_envelope(call_id: int) -> bytes:
    """Gives the envelope of a `CancelFrame`."""
    return field(b"\x4a", b"\x08" + varint(call_id))


def batch(envelopes: list[bytes]) -> bytes:
    """Gives the one envelope that holds those; one alone is itself."""
    if len(envelopes) == 1:
        return envelopes[0]
    return b"".join([field(ENVELOPE_BATCH, e) for e in envelopes])
