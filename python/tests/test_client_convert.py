# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The quick way to read results gives what the slow one gives."""

from __future__ import annotations

from typing import Any

import mcp.types as types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_grpc._gen.mcp.v1.common_pb2 import JSON_ENCODING_BYTES, JSON_ENCODING_STRUCT
from mcp_grpc._gen.mcp.v1.tool_pb2 import CallToolResult
from mcp_grpc.client import CallError
from mcp_grpc.client.convert import model_of, resource_result, tool_result, value_of
from mcp_grpc.codec import from_value

texts = st.text(st.characters(codec="utf-8"), max_size=8)
numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(texts, values, max_size=3)
text_blocks = st.fixed_dictionaries(
    {"type": st.just("text"), "text": texts}, optional={"_meta": objects, "vendor": values}
)
image_blocks = st.fixed_dictionaries(
    {"type": st.just("image"), "data": st.just("AAAA"), "mimeType": st.just("image/png")}
)
results = st.fixed_dictionaries(
    {"content": st.lists(text_blocks | image_blocks, max_size=3)},
    optional={
        "structuredContent": values,
        "isError": st.booleans(),
        "_meta": objects,
        "resultType": st.sampled_from(["complete", "other"]),
        "vendor": values,
    },
)


@settings(max_examples=300, deadline=None)
@given(value=results, encoding=st.sampled_from([JSON_ENCODING_BYTES, JSON_ENCODING_STRUCT]))
def test_both_ways_give_the_same(value: dict[str, Any], encoding: Any) -> None:
    message = from_value(value, CallToolResult, encoding)
    slow = model_of(value_of(message), types.CallToolResult)
    quick = tool_result(message)
    assert quick == slow
    assert quick.model_fields_set == slow.model_fields_set
    assert [block.model_fields_set | {"type"} for block in quick.content] == [
        block.model_fields_set | {"type"} for block in slow.content
    ]
    assert quick.model_dump(by_alias=True) == slow.model_dump(by_alias=True)


@pytest.mark.parametrize(
    "message",
    [
        CallToolResult(structured_content_json=b"{"),
        CallToolResult(structured_content_json=b"\xff"),
        CallToolResult(extra_json=b"[]"),
    ],
)
def test_malformed_results_raise(message: CallToolResult) -> None:
    with pytest.raises(CallError, match="malformed answer"):
        tool_result(message)


def test_metadata_that_is_no_object_raises() -> None:
    message = CallToolResult()
    message.meta.values_json = b"[1]"
    with pytest.raises(CallError, match="malformed answer"):
        tool_result(message)


def test_contents_without_uri_are_those_of_what_was_read() -> None:
    value = {"contents": [{"text": "a"}, {"uri": "x:y", "text": "b"}], "ttlMs": -5}
    result = resource_result(value, "x:z")
    assert [contents.uri for contents in result.contents] == ["x:z", "x:y"]
    assert result.ttl_ms == 0
