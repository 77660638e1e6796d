# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""The Go server and the Python server, asked the same 1,000 things.

Both serve the same tools, prompts and resources (internal/everything and its twin everything.py). An outcome is the
status, the JSON-RPC code and the data of an error, or the result. Texts are for people and are not compared, nor is
what the SDKs say about themselves. What is known to differ stands in KNOWN, with its reason; nothing else may.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import grpc
import mcp.types as types
from everything import Context, Result, accepted, form, text
from interop_peer import go_server
from mcp.shared.exceptions import MCPError
from random_requests import SESSION, Request, Requests
from serving import INITIALIZE, SECONDS, Subject, serving

from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope
from mcp_grpc._gen.mcp.v1.session_pb2 import InitializeRequest
from mcp_grpc._gen.mcp.v1.tool_pb2 import CallToolEvent
from mcp_grpc.codec import METHODS_BY_RPC, dumps, envelope_to_value, failure_of, failure_of_frame, from_value, to_value

COUNT = int(os.environ.get("DIFFERENTIAL_COUNT", "1000"))
SEED = int(os.environ.get("DIFFERENTIAL_SEED", "20260728"))

Outcome = list[Any]


class Twin(Subject):
    """The Python server, with what requests here use as Go's has it."""

    def __init__(self) -> None:
        super().__init__()
        self.add_tool("test_input_required_result_elicitation", ask_name)
        self.add_tool("greet", greet)
        for method in ("tasks/get", "tasks/update", "tasks/cancel"):
            self.server.add_request_handler(method, types.RequestParams, unknown_task)

    async def _complete(self, ctx: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
        return types.CompleteResult(completion=types.Completion(values=[]))

    def _page(self, items: list[Any], params: types.PaginatedRequestParams | None) -> tuple[list[Any], str | None]:
        if params is not None and params.cursor == "":
            params = None  # as the Go SDK has it
        return super()._page(items, params)

    async def _list_templates(
        self, ctx: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        self._page([], params)
        return await super()._list_templates(ctx, params)

    async def _list_resources(
        self, ctx: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        self._page([], params)
        return await super()._list_resources(ctx, params)

    async def _list_prompts(self, ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
        self._page([], params)
        return await super()._list_prompts(ctx, params)

    async def _get_prompt(self, ctx: Context, params: types.GetPromptRequestParams) -> Any:
        result = await super()._get_prompt(ctx, params)
        assert isinstance(result, types.GetPromptResult)
        result.messages[0].content = types.TextContent(type="text", text="This is a simple prompt for testing.")
        return result


async def ask_name(ctx: Context, params: types.CallToolRequestParams) -> Result:
    if (content := accepted(params.input_responses, "user_name")) is None:
        return types.InputRequiredResult(input_requests={"user_name": form("name", message="What is your name?")})
    return text(f"Hello, {content['name']}!")


async def greet(ctx: Context, params: types.CallToolRequestParams) -> Result:
    name = (params.arguments or {}).get("name")
    if not isinstance(name, str):
        return types.CallToolResult(content=[], is_error=True)
    return text(f"Hi {name}")


async def unknown_task(ctx: Context, params: types.RequestParams) -> dict[str, Any]:
    raise MCPError(types.INVALID_PARAMS, "unknown task")


class Target:
    """A server that is asked."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._session = ""

    async def open(self) -> None:
        """Open the session that requests name."""
        call: Any = self._channel.unary_unary("/mcp.v1.MCP/Initialize")
        raw = await call(from_value(INITIALIZE, InitializeRequest).SerializeToString())
        self._session = METHODS_BY_RPC["Initialize"].response.FromString(raw).session_id  # type: ignore[attr-defined]

    async def ask(self, request: Request) -> Outcome:
        """What comes of a request."""
        while True:
            outcome = await self._ask(request)
            # So grpc.aio tells of a write to a call that the server has ended already, whose status it loses.
            if outcome != [["failed", "INTERNAL", None, None]]:
                return outcome

    async def _ask(self, request: Request) -> Outcome:
        metadata = [(key, self._session if value == SESSION else value) for key, value in request.metadata]
        path = f"/mcp.v1.MCP/{request.rpc}"
        raws: list[bytes] = []
        try:
            async with asyncio.timeout(SECONDS):
                if request.form == "unary":
                    unary: Any = self._channel.unary_unary(path)
                    raws.append(await unary(request.messages[0], metadata=metadata))
                elif request.form == "connect":
                    await self._talk(path, request, metadata, raws)
                else:
                    stream: Any = self._channel.unary_stream(path)
                    call: Any = stream(request.messages[0], metadata=metadata)
                    while (raw := await call.read()) is not grpc.aio.EOF:
                        raws.append(raw)
        except grpc.aio.AioRpcError as error:
            failure = failure_of(error)
            code = failure.code if failure.error is not None else None
            return [*read(request, raws), ["failed", failure.status.name, code, data_of(code, failure.data)]]
        return [*read(request, raws), ["OK"]]

    async def _talk(self, path: str, request: Request, metadata: Any, raws: list[bytes]) -> None:
        call: Any = self._channel.stream_stream(path)(metadata=metadata)
        try:
            for message in request.messages:
                await call.write(message)
            await call.done_writing()
        except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
            pass  # it has been refused already; reading says why
        while (raw := await call.read()) is not grpc.aio.EOF:
            raws.append(raw)


def read(request: Request, raws: list[bytes]) -> Outcome:
    """Messages as values that can be compared."""
    if request.form == "stream":
        events = [CallToolEvent.FromString(raw) for raw in raws]
        return [
            [event.WhichOneof("kind"), normal(to_value(getattr(event, event.WhichOneof("kind"))))] for event in events
        ]
    if request.rpc == "Ping":
        return ["ping"]
    if request.rpc == "Shutdown":
        return [raws[0].hex() if raws else ""]
    if request.form == "unary":
        return [normal(to_value(METHODS_BY_RPC[request.rpc].response.FromString(raw))) for raw in raws]
    envelopes = [inner for raw in raws for inner in flat(Envelope.FromString(raw))]
    return sorted((read_envelope(envelope) for envelope in envelopes), key=repr)


def flat(envelope: Envelope) -> list[Envelope]:
    return [*([envelope] if envelope.WhichOneof("kind") or not envelope.batch else []), *envelope.batch]


def read_envelope(envelope: Envelope) -> Any:
    kind = envelope.WhichOneof("kind")
    if kind == "hello":
        return ["hello"]
    if kind != "reply":
        value = envelope_to_value(envelope)
        if "error" in value:
            code = value["error"]["code"]
            value["error"] = [code, data_of(code, value["error"].get("data"))]
        return ["message", normal(value)]
    reply = envelope.reply
    answer = reply.WhichOneof("reply")
    if answer == "error":
        failure = failure_of_frame(reply.error)
        code = failure.code if failure.error is not None else None
        return ["reply", reply.call_id, failure.status.name, code, data_of(code, failure.data)]
    if answer == "ping":
        return ["reply", reply.call_id, "ping"]
    if answer == "event":
        event = reply.event
        kind = event.WhichOneof("kind")
        assert kind is not None
        return ["reply", reply.call_id, kind, normal(to_value(getattr(event, kind)))]
    assert answer is not None
    return ["reply", reply.call_id, answer, normal(to_value(getattr(reply, answer)))]


# What SDKs say of their server, and which things a list has, is not the transport's.
_SHALLOW = {"tools", "resources", "resourceTemplates", "prompts", "capabilities", "serverInfo", "supportedVersions"}
_DROPPED = {"_meta", "instructions", "ttlMs", "cacheScope", "nextCursor", "description"}


def normal(value: Any) -> Any:
    """A value without what may differ."""
    if isinstance(value, list):
        return [normal(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    kept = {key: "..." if key in _SHALLOW else normal(inner) for key, inner in value.items() if key not in _DROPPED}
    if "structuredContent" in kept or kept.get("isError") is True:
        kept.pop("content", None)  # the text of the one is spelt as the language does; that of the other is for people
    for key, default in (("isError", False), ("content", None)):
        if key in kept and kept[key] is default:
            kept.pop(key)
    return kept


def data_of(code: int | None, data: Any) -> Any:
    """The data of an error, as far as it is not an SDK's own."""
    if code in {-32601, -32602} and (data in ("", None) or isinstance(data, str)):
        return None
    if isinstance(data, dict) and isinstance(data.get("supported"), list):
        return {**data, "supported": sorted(data["supported"])}
    return normal(data)


def known(request: Request, go: Outcome, python: Outcome) -> str:
    """Why two outcomes may differ; empty if they may not."""
    return next((reason for reason, applies in KNOWN.items() if applies(request, go, python)), "")


def _says(request: Request, *parts: str) -> bool:
    """Whether one of these stands in the request, as protobuf prints it, white space and escapes aside."""
    text = re.sub(r"[\s\\]", "", request.says)
    return any(part in text for part in parts)


def _client_without_name(request: Request, go: Outcome, python: Outcome) -> bool:
    said = _says(request, "client_info{}", 'clientInfo":{}', 'clientInfo"value{struct_value{}')
    return said and refused(python, -32602)


def _missing_name(request: Request, go: Outcome, python: Outcome) -> bool:
    found = "NOT_FOUND" not in str(go) and "{'uri': ''}" not in str(go)
    return refused(python, -32602) and (not found or _says(request, 'method:"resources/subscribe"'))


def _arguments_no_object(request: Request, go: Outcome, python: Outcome) -> bool:
    texts = [f"{name}{value}" for name in ('arguments_json:"', '"arguments":') for value in ("[", "5", '"x"', "null")]
    structs = [f'key:"arguments"value{{{kind}' for kind in ("list_value", "number_value", "string_value", "null_value")]
    # Of null the Go tool sees that it is there, and the Python tool does not.
    return _says(request, *texts, *structs) and (
        refused(python, -32602) or _says(request, texts[3], texts[7], structs[3])
    )


def _odd_reference(request: Request, go: Outcome, python: Outcome) -> bool:
    return _says(request, 'ref_extra_json:"{"name"', 'ref_extra_json:"{"uri"') and refused(go, -32602)


# Why the two may differ, and when. All of it is of the SDKs below the servers.
KNOWN: dict[str, Callable[[Request, Outcome, Outcome], bool]] = {
    "the Python SDK refuses a clientInfo without name and version, the Go SDK takes it": _client_without_name,
    "the Go SDK reads a name or URI that is missing as an empty one, which it does not find": _missing_name,
    "arguments that are no object go to the tool in Go, and the Python SDK refuses them": _arguments_no_object,
    "the Go SDK refuses a reference that has both a name and a URI": _odd_reference,
}


def refused(outcome: Outcome, code: int) -> bool:
    """Whether the outcome is an error with this code."""
    return str(code) in str(outcome)


async def test_both_servers_give_the_same_outcome_to_the_same_requests() -> None:
    differences: list[str] = []
    counts: Counter[str] = Counter()
    with go_server() as (url, _):
        address = url.removeprefix("http://")
        async with grpc.aio.insecure_channel(address) as go_channel, serving(Twin()) as served:
            go, python = Target(go_channel), Target(served.channel)
            await asyncio.gather(go.open(), python.open())
            requests = Requests(SEED)
            for number in range(COUNT):
                request = requests.next()
                outcomes = await asyncio.gather(go.ask(request), python.ask(request))
                counts[kind_of(outcomes[0])] += 1
                if outcomes[0] != outcomes[1] and not (reason := known(request, *outcomes)):
                    says = f"{request.form} {request.rpc} {request.metadata}\n{request.says}"[:1500]
                    differences.append(
                        f"#{number} {says}\n  Go     {str(outcomes[0])[:600]}\n  Python {str(outcomes[1])[:600]}"
                    )
                elif outcomes[0] != outcomes[1]:
                    counts[f"known: {reason}"] += 1
    assert not differences, f"{len(differences)} differences:\n" + "\n".join(differences[:40])
    # The requests are worth something only if all kinds of outcomes are among them.
    assert counts["result"] > COUNT / 10, counts
    assert counts["error"] > COUNT / 10, counts


def kind_of(outcome: Outcome) -> str:
    text = dumps(outcome) if all(isinstance(part, list | str) for part in outcome) else str(outcome)
    return "error" if "failed" in text or "INVALID" in text or "-326" in text else "result"
