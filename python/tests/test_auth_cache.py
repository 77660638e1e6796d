# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Memories whose keys attackers choose are bounded."""

from __future__ import annotations

from mcp_grpc.auth.cache import Cache


def test_it_is_bounded() -> None:
    cache: Cache[int, str] = Cache(100)
    for i in range(10_000):
        cache.put(i, "x", 1.0)
        cache.get(0, 0.0)  # is used, and stays
    assert len(cache) == 100
    assert cache.get(0, 0.0) == "x"
    assert cache.get(9_999, 0.0) == "x"
    assert cache.get(9_000, 0.0) is None


def test_values_end() -> None:
    cache: Cache[str, int] = Cache(2)
    cache.put("a", 1, 10.0)
    assert cache.get("a", 9.9) == 1
    assert cache.get("a", 10.0) is None
    assert len(cache) == 0
    cache.put("a", 1, 10.0)
    cache.put("a", 2, 20.0)
    assert (len(cache), cache.get("a", 15.0)) == (1, 2)
