// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// listenShared where there are no Web Locks, and what it makes of servers that end its streams.
// The tests of examples/webapp have it in several tabs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { listenShared } from "@mcpconnect/client";
import { ListenResponseSchema } from "@mcpconnect/client/gen/mcp/v1/subscription_pb";

Object.defineProperty(globalThis, "navigator", { value: undefined }); // later versions of Node have one, with locks

const event = (kind) => create(ListenResponseSchema, { kind: { case: kind, value: {} } });

/** waits makes time pass at once, and tells how long it would have been. */
function waits(t) {
  const all = [];
  t.mock.method(globalThis, "setTimeout", (f, ms) => {
    all.push(ms);
    setImmediate(f);
  });
  return all;
}

/** streams listens until the streams have begun so often. */
async function streams(count, listen) {
  const stop = new AbortController();
  const [seen, errors] = [[], []];
  let begun = 0;
  const client = {
    listen(_, { signal }) {
      if (++begun === count) stop.abort();
      return listen(signal);
    },
  };
  await listenShared(client, {}, (m) => seen.push(m.kind.case), { signal: stop.signal, onerror: (e) => errors.push(e.message) });
  return { seen, errors };
}

test("a server that ends each stream at once is asked less and less often", async (t) => {
  const all = waits(t);
  const { seen, errors } = await streams(12, async function* () {
    yield event("acknowledged");
    throw new Error("gone for lunch");
  });
  assert.deepEqual([seen.length, errors.length], [12, 11]);
  [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000, 30000].forEach((most, i) => {
    assert.ok(all[i] >= most / 2 && all[i] <= most, `wait ${i} of ${all[i]} ms`);
  });
});

test("one that has gone well for a while is asked at once", async (t) => {
  const all = waits(t);
  let now = 0;
  t.mock.method(performance, "now", () => now);
  await streams(6, async function* () {
    yield event("acknowledged");
    now += 60_000;
  });
  assert.ok(all.every((ms) => ms <= 500), `waits of ${all} ms`);
});
