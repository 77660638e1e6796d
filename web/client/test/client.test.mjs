// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { createRouterTransport } from "@connectrpc/connect";
import { McpClient } from "@mcpconnect/client";
import { MCP } from "@mcpconnect/client/gen/mcp/v1/mcp_pb";
import { SendTransport } from "@mcpconnect/client/sdk";
import { rejection } from "./scenarios.mjs";

const never = new Promise(() => {});
const answer = (e) => ({ kind: { case: "response", value: { intId: e.kind.value.intId, outcome: { case: "resultJson", value: new TextEncoder().encode("{}") } } } });
const transport = createRouterTransport(({ service }) =>
  service(MCP, {
    discover: () => ({}),
    async *listen() {
      yield { kind: { case: "toolsListChanged", value: {} } };
      await never;
    },
    async *callTool() {
      yield { kind: { case: "result", value: {} } };
    },
    async *send(e) {
      if (e.method === "block") await never;
      yield answer(e);
    },
  }),
);

test("nothing of a call stays with a signal that outlives it", async (t) => {
  t.mock.method(AbortSignal, "any", () => assert.fail("in Node 20 it keeps something of each call"));
  const c = new McpClient(transport);
  const { signal } = new AbortController();
  await c.discover({ signal });
  for await (const _ of c.streamTool("x", {}, { signal }));
  for await (const _ of c.listen({}, { signal })) break;
  const sdk = new SendTransport(transport);
  const answered = new Promise((come) => (sdk.onmessage = come));
  const ended = new Promise((end) => void sdk.send({ jsonrpc: "2.0", id: 1, method: "tools/list" }, { requestSignal: signal, onRequestStreamEnd: end }));
  await answered;
  await ended;
  assert.deepEqual(getEventListeners(signal, "abort"), []);
});

test("a signal ends a stream before it begins, and while it runs", async () => {
  const c = new McpClient(transport);
  assert.equal((await rejection(c.listen({}, { signal: AbortSignal.abort() }).next(), "aborted before")).status, 1);
  const stop = new AbortController();
  const events = c.listen({}, { signal: stop.signal });
  await events.next();
  const next = rejection(events.next(), "aborted");
  stop.abort();
  assert.equal((await next).status, 1);
  stop.abort(); // again, after the end
});

test("a call of the SDK whose signal has aborted before is not made, and tells nobody", async () => {
  const sdk = new SendTransport(transport);
  const told = [];
  sdk.onmessage = sdk.onerror = (m) => told.push(m);
  await sdk.send({ jsonrpc: "2.0", id: 1, method: "block" }, { requestSignal: AbortSignal.abort(), onRequestStreamEnd: () => told.push("end") });
  const stop = new AbortController();
  await sdk.send({ jsonrpc: "2.0", id: 2, method: "block" }, { requestSignal: stop.signal, onRequestStreamEnd: () => told.push("end") });
  stop.abort();
  const answered = new Promise((come) => (sdk.onmessage = come));
  await sdk.send({ jsonrpc: "2.0", id: 3, method: "tools/list" });
  assert.equal((await answered).id, 3);
  await sdk.close();
  assert.deepEqual(told, []);
});

test("arguments that are no JSON are the caller's mistake, and no server's", async () => {
  const c = new McpClient(transport);
  const { name, message } = await rejection(c.callTool("x", { n: 1n }), "BigInt");
  assert.deepEqual([name, /BigInt/.test(message)], ["TypeError", true]);
});
