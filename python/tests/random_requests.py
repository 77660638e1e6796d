# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""Random requests, valid and not, in any form: what test_differential sends to both servers."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.struct_pb2 import Struct

from mcp_grpc._gen.mcp.v1.common_pb2 import JSON_ENCODING_BYTES, JSON_ENCODING_STRUCT
from mcp_grpc._gen.mcp.v1.envelope_pb2 import CallFrame, CancelFrame, Envelope, Hello, ReplyFrame
from mcp_grpc._gen.mcp.v1.session_pb2 import ShutdownRequest
from mcp_grpc.codec import METHODS_BY_RPC, CodecError, Method, from_value, twins

VERSION = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
INFO = "io.modelcontextprotocol/clientInfo"
LEVEL = "io.modelcontextprotocol/logLevel"
MODERN = {VERSION: "2026-07-28", CAPABILITIES: {}}

# Metadata that names the session which each server has opened for the test.
SESSION = "{session}"

UNARY = [name for name, method in METHODS_BY_RPC.items() if not method.streams and name != "Initialize"]


@dataclass
class Request:
    """One request, to be sent to any server.

    Attributes:
        form: "unary", "stream" (CallTool), "send" or "connect".
        rpc: The RPC.
        messages: What is sent; one message but for Connect.
        metadata: The metadata; the value SESSION stands for the session of the test.
        says: What is sent, for people.
    """

    form: str
    rpc: str
    messages: list[bytes]
    metadata: list[tuple[str, str]] = field(default_factory=list)
    says: str = ""


class Requests:
    """Gives random requests, always the same for a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def next(self) -> Request:
        """The next request."""
        form = self._random.choice(["unary", "unary", "stream", "send", "send", "connect", "connect", "frame", "frame"])
        made: dict[str, Callable[[], Request]] = {
            "unary": self._unary,
            "stream": self._stream,
            "send": self._send,
            "connect": self._connect,
            "frame": self._frame,
        }
        return made[form]()

    def _one_in(self, count: int) -> bool:
        return self._random.randrange(count) == 0

    def _pick(self, *values: Any) -> Any:
        return self._random.choice(values)

    # Params.

    def _value(self, depth: int = 3) -> Any:
        kind = self._random.randrange(9 if depth else 7)
        if kind == 7:
            return [self._value(depth - 1) for _ in range(self._random.randrange(3))]
        if kind == 8:
            return {self._pick("a", "b", "ü"): self._value(depth - 1) for _ in range(self._random.randrange(3))}
        return [None, True, self._pick(0, 1, -7, 2**53 + 1), self._pick(0.5, 1e-7, -2.5), "x", "ü\n", ""][kind]

    def _params(self, name: str) -> dict[str, Any]:
        pick = self._pick
        match name:
            case "tools/call":
                return {
                    "name": pick(
                        "greet",
                        "structured_echo",
                        "structured_echo",
                        "error_jsonrpc",
                        "test_error_handling",
                        "error_plain",
                        "nobody",
                        "",
                        "test_input_required_result_elicitation",
                    ),
                    "arguments": pick(
                        {"name": "Ann"},
                        {"code": pick(-32000, 4001, -32602, 0, 2**31, -32603), "message": "m", "data": self._value()},
                        {"a": self._value(), "b": self._value()},
                    ),
                }
            case "resources/read":
                return {"uri": pick("test://static-text", "test://static-binary", "test://nothing", "", "no uri")}
            case "prompts/get":
                return {"name": pick("test_simple_prompt", "nobody", ""), "arguments": {"name": "Ann"}}
            case "completion/complete":
                return {
                    "ref": pick({"type": "ref/prompt", "name": "nobody"}, {"type": "ref/resource", "uri": "test://x"}),
                    "argument": {"name": "n", "value": pick("", "v")},
                }
            case "tasks/get" | "tasks/cancel":
                return {"taskId": "nobody"}
            case "tasks/update":
                return {"taskId": "nobody", "inputResponses": {}}
            case "logging/setLevel":
                return {"level": pick("info", "error", "loud")}
        return {}

    def _meta(self) -> dict[str, Any] | None:
        pick = self._pick
        return pick(  # type: ignore[no-any-return]
            None,
            MODERN,
            MODERN,
            {**MODERN, INFO: {"name": "c", "version": "1"}},
            {
                **MODERN,
                CAPABILITIES: {"elicitation": {}, "extensions": {"x": {"n": 2**53 + 1}}},
                "vendor": self._value(),
            },
            {**MODERN, LEVEL: pick("info", 5, None)},
            {VERSION: "2026-07-28"},
            {**MODERN, VERSION: pick("2025-11-25", "2024-11-05", "2030-01-01", "x", "", 5)},
            {**MODERN, CAPABILITIES: pick([], None, "x")},
            {**MODERN, INFO: pick("c", {})},
            {"progressToken": pick("t", 5, 2**63 - 1)},
            {},
        )

    def _request(self, name: str) -> dict[str, Any]:
        params = self._params(name)
        if params and self._one_in(8):
            params[self._random.choice(list(params))] = self._pick(None, 5, [], {}, "x")
        if self._one_in(8):
            params[self._pick("vendor", "cursor", "name", "uri")] = self._value()
        if params and self._one_in(12):
            params.pop(self._random.choice(list(params)))
        meta = self._meta()
        if meta is not None:
            params["_meta"] = meta
        return params

    # Metadata.

    def _metadata(self, method: str, params: dict[str, Any], chance: int = 3) -> list[tuple[str, str]]:
        pairs: list[tuple[str, str]] = []
        if not self._one_in(chance):
            return pairs
        name = params.get("name") or params.get("uri") or params.get("taskId")
        if self._one_in(2):
            pairs.append(("mcp-method", self._pick(method, method, "tools/list", "=?base64?%%%?=")))
        if self._one_in(2):
            pairs.append(
                ("mcp-name", self._pick("x", name if isinstance(name, str) and name.isascii() and name else "x"))
            )
        if self._one_in(2):
            pairs.append(("mcp-protocol-version", self._pick("2026-07-28", "2026-07-28", "2025-11-25", "2030-01-01")))
        if self._one_in(3):
            pairs.append(("mcp-session-id", self._pick(SESSION, SESSION, "nobody")))
        if pairs and self._one_in(10):
            pairs.append(self._random.choice(pairs))
        return pairs

    # Typed messages.

    def _message(self, method: Method, params: dict[str, Any]) -> Any:
        """A message of the method's type that says the params as far as it can, and sometimes what it may not."""
        message: Any
        try:
            message = from_value(params, method.request, self._pick(JSON_ENCODING_STRUCT, JSON_ENCODING_BYTES))
        except CodecError:
            message = method.request()
        if hasattr(message, "meta") and (message.HasField("meta") or self._one_in(2)):
            message.meta.json_encoding = self._pick(0, 1, 2)
        if self._one_in(6):
            self._spoil(message)
        return message

    def _spoil(self, message: Any) -> None:
        texts = [name for name in message.DESCRIPTOR.fields_by_name if name.endswith("_json")]
        if not texts:
            return
        name = self._random.choice(texts)
        text = self._pick(
            b"{",
            b"[]",
            b"7",
            b'{"a":1,"a":2}',
            b"\xff",
            b'{"name":"x"}',
            b"[" * 40 + b"]" * 40,
            b"NaN",
            b'{"vendor":{"a":1}}',
            b"[" + b"[]," * 10_001 + b"1]",
            b" {} ",
            b"1 2",
            b'"\x01"',
        )
        setattr(message, name, text)
        half = name.removesuffix("_json")
        if half in message.DESCRIPTOR.fields_by_name and half != "extra" and self._one_in(3):
            field_type = message.DESCRIPTOR.fields_by_name[half].message_type
            if field_type is not None and field_type.full_name == "google.protobuf.Struct":
                getattr(message, half).CopyFrom(self._struct())

    def _struct(self) -> Struct:
        struct = Struct()
        struct.fields["a"].number_value = self._pick(1.0, math.inf, math.nan)
        if self._one_in(3):
            struct.fields["b"].SetInParent()
        return struct

    def _raw(self, message: Any) -> bytes:
        raw: bytes = message.SerializeToString()
        if self._one_in(25):
            return raw[: max(len(raw) - 3, 0)] + b"\xff\xff\xff"
        if self._one_in(25):
            return raw + b"\xf2\x7f\x03abc"  # field 2046, which nobody knows
        return raw

    def _typed(self, form: str, rpc: str) -> Request:
        method = METHODS_BY_RPC[rpc]
        params = self._request(method.name)
        message = self._message(method, params)
        return Request(form, rpc, [self._raw(message)], self._metadata(method.name, params), str(message))

    def _unary(self) -> Request:
        if self._one_in(40):
            metadata = [("mcp-session-id", "nobody")] if self._one_in(2) else []
            return Request("unary", "Shutdown", [ShutdownRequest().SerializeToString()], metadata)
        return self._typed("unary", self._random.choice([*UNARY, "InvokeTool", "InvokeTool"]))

    def _stream(self) -> Request:
        return self._typed("stream", "CallTool")

    # Envelopes.

    def _method_name(self) -> str:
        names = sorted({method.name for method in METHODS_BY_RPC.values()} - {"subscriptions/listen", "initialize"})
        return self._pick(*names, "tools/call", "tools/call", "logging/setLevel", "x/y", "resources/subscribe")  # type: ignore[no-any-return]

    def _rpc_request(self, key: Any) -> tuple[Envelope, str, dict[str, Any]]:
        name = self._method_name()
        params: Any = self._request(name)
        envelope = Envelope(method=name)
        envelope.request.SetInParent()
        if isinstance(key, str):
            envelope.request.id = key
        else:
            envelope.request.int_id = key
        text = json.dumps(self._pick(params, params, params, params, params, params, [], None, 7))
        struct, data = twins(text, self._pick(JSON_ENCODING_STRUCT, JSON_ENCODING_BYTES))
        if struct is not None:
            envelope.request.params.CopyFrom(struct)
            envelope.request.params.SetInParent()
        elif not self._one_in(20):
            envelope.request.params_json = data
        return envelope, name, params

    def _envelope(self, key: Any) -> tuple[Envelope, str, dict[str, Any]]:
        envelope, name, params = self._rpc_request(key)
        if not self._one_in(5):
            return envelope, name, params
        request = envelope.request
        match self._random.randrange(13):
            case 0:
                envelope.ClearField("method")
            case 1:
                request.ClearField("id")
                request.ClearField("int_id")
            case 2:
                request.id, request.int_id = "a", 5
            case 3:
                deep = b"[" * 40 + b"]" * 40
                request.params_json = self._pick(b"{", b"\xff", deep, b'{"name":"x","name":"y"}')
            case 4:
                request.params.CopyFrom(self._struct())
            case 5:
                envelope.batch.add().CopyFrom(Envelope(method="x"))
            case _:
                envelope = self._other()
        return envelope, name, params

    def _other(self) -> Envelope:
        """An envelope that is no request."""
        response = Envelope()
        response.response.id = "nobody"
        if self._one_in(2):
            response.response.result_json = self._pick(b"{}", b"[]", b"{")
        notification = Envelope(
            method=self._pick(
                "", "notifications/unknown", "notifications/initialized", "notifications/roots/list_changed"
            )
        )
        notification.notification.SetInParent()
        reply, cancel = Envelope(reply=ReplyFrame(call_id=1)), Envelope(cancel=CancelFrame(call_id=1))
        hello = Envelope(hello=Hello(frames=True))
        made: Envelope = self._pick(response, response, notification, notification, reply, cancel, hello, Envelope())
        return made

    def _key(self) -> Any:
        return self._pick("1", "", "ü", 1, -5, 2**63 - 1)

    def _send(self) -> Request:
        envelope, name, params = self._envelope(self._key())
        metadata = self._metadata(name, params)
        if envelope.WhichOneof("kind") is None:  # that would be the session's stream, which does not end
            metadata = [pair for pair in metadata if pair[1] != SESSION]
        return Request("send", "Send", [self._raw(envelope)], metadata, str(envelope))

    def _connect(self) -> Request:
        envelope, name, params = self._envelope(self._key())
        metadata = [pair for pair in self._metadata(name, params, 6) if pair[1] != SESSION]
        return Request("connect", "Connect", [self._raw(envelope)], metadata, str(envelope))

    def _frame(self) -> Request:
        method = METHODS_BY_RPC[self._random.choice([name for name in UNARY if METHODS_BY_RPC[name].frame])]
        params = self._request(method.name)
        call = CallFrame(call_id=self._pick(0, 1, 2**64 - 1), timeout_ms=self._pick(0, 30_000))
        if not self._one_in(30):
            assert method.frame is not None
            getattr(call, method.frame).CopyFrom(self._message(method, params))
            getattr(call, method.frame).SetInParent()
        call.stream = self._one_in(4)
        hello = Envelope(hello=Hello(frames=not self._one_in(15), batch=self._one_in(2)))
        metadata = [pair for pair in self._metadata(method.name, params, 6) if pair[1] != SESSION]
        messages = [hello, Envelope(call=call)][self._random.randrange(15) == 0 :]
        return Request("connect", "Connect", [one.SerializeToString() for one in messages], metadata, str(call))
