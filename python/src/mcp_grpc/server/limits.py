# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""What a caller can make a server keep: SPEC.md §12."""

from __future__ import annotations

from dataclasses import dataclass, field

from mcp_grpc.codec import Limits


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Bounds of a server. The defaults are those of SPEC.md §12.

    Attributes:
        message_bytes: Size of one message, in either direction.
        json: Depth and number of arrays and objects in the free-form JSON of one message.
        header_bytes: Size of a request's metadata.
        calls_per_stream: Calls in flight on one ``Connect`` stream, JSON-RPC and frames together.
        handshake_seconds: Seconds that a new connection may take until both sides have begun to speak HTTP/2.
        rpcs_per_connection: Concurrent RPCs on one connection.
        sessions: Legacy sessions.
        session_idle: Seconds that a session lives without call and without stream.
        unary_seconds: Seconds that a unary RPC, or a call of a stream by a frame, may take.
        body_seconds: Seconds that the message of a request may take to arrive.
        write_seconds: Seconds that one message to a client may block before the stream is cut off.
        waiting_messages: Messages that wait for one stream before calls wait with theirs.
        waiting_notifications: Notifications outside of calls that wait for one stream before that ends.
    """

    message_bytes: int = 4 << 20
    json: Limits = field(default_factory=Limits)
    header_bytes: int = 32 << 10
    handshake_seconds: float = 5.0
    calls_per_stream: int = 1024
    rpcs_per_connection: int = 128
    sessions: int = 10_000
    session_idle: float = 1800.0
    unary_seconds: float = 600.0
    body_seconds: float = 30.0
    write_seconds: float = 15.0
    waiting_messages: int = 64
    waiting_notifications: int = 1024
