# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""The promise of SPEC.md §5.1, for JSON that nobody has thought of; the rest is in test_vectors."""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import symbol_database
from google.protobuf.message import DecodeError, Message
from google.protobuf.struct_pb2 import Struct
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_vectors import canonical

from mcp_grpc._gen.mcp.v1 import mcp_pb2
from mcp_grpc._gen.mcp.v1.common_pb2 import JsonRpcError
from mcp_grpc._gen.mcp.v1.envelope_pb2 import Envelope
from mcp_grpc._gen.mcp.v1.tool_pb2 import CallToolRequest, CallToolResult
from mcp_grpc.codec import (
    CodecError,
    ExactFloat,
    LimitError,
    Limits,
    MalformedError,
    NotJsonError,
    RpcFailure,
    check_json,
    check_message,
    dumps,
    envelope_from_json,
    envelope_to_json,
    from_json,
    from_value,
    json_text,
    loads,
    percentage,
    to_json,
    to_value,
    twins,
)
from mcp_grpc.codec.plan import has_twin, plan_of
from mcp_grpc.codec.text import number_text

GENERATED = Path(mcp_pb2.__file__).parent
FILES = [importlib.import_module(f"mcp_grpc._gen.mcp.v1.{path.stem}") for path in GENERATED.glob("*_pb2.py")]
NAMES = sorted(f"mcp.v1.{name}" for file in FILES for name in file.DESCRIPTOR.message_types_by_name)
TYPES = [symbol_database.Default().GetSymbol(name) for name in NAMES]
MEMBERS = sorted({member for cls in TYPES for member in plan_of(cls.DESCRIPTOR).by_member})

NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?", fullmatch=True),
)
STRINGS = st.one_of(
    st.text(max_size=8).map(json.dumps),
    st.sampled_from(['"text"', '"task"', '"input_required"', '"AAE="', '"\\ud800"', '"ref/prompt"', '"roots/list"']),
)
VALUES = st.recursive(
    st.one_of(st.sampled_from(["null", "true", "false", "[]", "{}"]), NUMBERS, STRINGS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: f"[{' , '.join(parts)}]"),
        st.lists(
            st.tuples(st.sampled_from(MEMBERS).map(json.dumps), inner), max_size=4, unique_by=lambda pair: pair[0]
        ).map(lambda pairs: "{" + ",".join(f"{key}:{value}" for key, value in pairs) + "}"),
    ),
    max_leaves=12,
)
OBJECTS = st.lists(st.tuples(st.sampled_from(MEMBERS), VALUES), max_size=6, unique_by=lambda pair: pair[0]).map(
    lambda pairs: "{" + ",".join(f"{json.dumps(key)}: {value}" for key, value in pairs) + "}"
)
LENIENT = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@LENIENT
@given(st.sampled_from([cls for cls in TYPES if has_twin(cls())]), OBJECTS, st.sampled_from([0, 1, 2]))
def test_what_is_read_is_written_back(cls: type[Message], text: str, encoding: Any) -> None:
    try:
        message = from_json(text, cls, encoding)
    except CodecError:
        return
    again = cls.FromString(message.SerializeToString())
    check_message(again, Limits(max_depth=1000, max_nodes=10**6))
    assert canonical(to_json(again)) == canonical(text)


@LENIENT
@given(st.sampled_from(TYPES), st.binary(max_size=60))
def test_no_bytes_are_too_much(cls: type[Message], data: bytes) -> None:
    try:
        message = cls.FromString(data)
        check_message(message, Limits())
        text = envelope_to_json(message) if isinstance(message, Envelope) else to_json(message)
    except (DecodeError, CodecError):
        return
    json.loads(text)


@LENIENT
@given(st.one_of(st.text(max_size=20), st.binary(max_size=20), VALUES))
def test_no_text_is_too_much(text: str | bytes) -> None:
    for cls in (CallToolResult, CallToolRequest):
        try:
            message = from_json(text, cls)
        except CodecError:
            continue
        assert canonical(to_json(message)) == canonical(text)
    with contextlib.suppress(CodecError):
        envelope_from_json(text)


@LENIENT
@given(VALUES)
def test_values_keep_their_numbers(text: str) -> None:
    value = loads(text)
    assert canonical(dumps(value)) == canonical(text)


def test_numbers_that_no_float_holds_keep_their_text() -> None:
    value = loads("[1e400, 0.1234567890123456789, -0, 9007199254740993, 1.50]")
    assert [isinstance(number, ExactFloat) for number in value] == [True, True, False, False, False]
    assert math.isinf(value[0])
    assert value[1] == 0.1234567890123456789
    assert dumps(value) == "[1e400,0.1234567890123456789,-0.0,9007199254740993,1.5]"
    digits = "1" * 5000
    assert dumps(loads(f'{{"n":{digits}}}')) == f'{{"n":{digits}}}'
    assert (
        to_value(from_value({"content": [], "structuredContent": value}, CallToolResult))["structuredContent"] == value
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, {1, 2}, {"a": object()}, {1: object()}])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(MalformedError):
        dumps(value)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (2.0, "2"),
        (-1.5, "-1.5"),
        (6.837776742648935e16, "68377767426489350"),
        (1e21, "1e+21"),
    ],
)
def test_doubles_have_their_shortest_form(number: float, text: str) -> None:
    assert number_text(number) == text


def test_depth_beyond_the_interpreter_is_a_limit_and_no_crash() -> None:
    deep = "[" * 200_000 + "]" * 200_000
    for work in (loads, lambda text: from_json(text, CallToolRequest), envelope_from_json, twins):
        with pytest.raises((LimitError, NotJsonError)):
            work(deep)
    with pytest.raises(LimitError):
        check_message(CallToolRequest(arguments_json=deep.encode()), Limits())
    nested: Any = []
    for _ in range(200_000):
        nested = [nested]
    with pytest.raises(LimitError):
        dumps(nested)


def test_errors_name_the_field() -> None:
    message = CallToolResult()
    message.content.add().text.extra_json = b"[]"
    with pytest.raises(MalformedError, match=r"^content\[0\].text.extra_json: JSON is an array"):
        to_json(message)


def test_pairs_of_free_form_json() -> None:
    assert twins("") == (None, b"")
    struct, text = twins('{"a": [1]}')
    assert isinstance(struct, Struct)
    assert (json_text(struct, text), json_text(None, b" 7 "), json_text(None, b"")) == ('{"a":[1]}', "7", None)
    with pytest.raises(CodecError, match="not both"):
        json_text(Struct(), b"{}")


def test_errors_with_codes_beyond_the_field_travel() -> None:
    failure = RpcFailure.of(2**40, "m", None)
    assert failure.code == 2**40
    assert failure.has_data
    assert failure.data is None
    assert failure.error is not None
    assert to_value(JsonRpcError.FromString(failure.error.SerializeToString()))["code"] == 2**40
    assert not RpcFailure.of(1, "m").has_data


@pytest.mark.parametrize(
    ("progress", "total", "want"),
    [(0, 0, 0), (1, 3, 33), (3, 3, 100), (9, 3, 100), (-1, 3, 0), (1, -3, 0), (math.nan, 1, 0), (1, math.inf, 0)],
)
def test_percentages_are_rounded_down(progress: float, total: float, want: int) -> None:
    assert percentage(progress, total) == want


def test_hostile_text_costs_no_more_than_it_is_long() -> None:
    many = ",".join(f'"k{i}":1' for i in range(100_000))
    began = time.process_time()
    with pytest.raises(MalformedError, match="repeated"):
        from_json(f'{{{many},"k99999":2}}', CallToolRequest)
    # To compare each with each takes minutes.
    assert time.process_time() - began < 20

    text = f'["{"a" * (1 << 20)}",{"[]," * 40}1]'
    tracemalloc.start()
    check_json(text, Limits())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * len(text)


def test_stubs_are_what_generate_gives() -> None:
    generate = Path(__file__).parents[1] / "generate"
    done = subprocess.run([sys.executable, str(generate), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
