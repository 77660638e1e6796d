// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Client as Client2 } from "@modelcontextprotocol/client";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import * as types1 from "@modelcontextprotocol/sdk/types.js";
import { McpClient, McpError, parseChallenge, structuredContent, textOf, webTransport } from "@mcpconnect/client";
import { nodeTransport, StreamTransport } from "@mcpconnect/client/node";
import { SendTransport } from "@mcpconnect/client/sdk";
import { LEGACY, MODERN, play, scenarios, sdk1, sdk2 } from "./scenarios.mjs";
import { build, start } from "./server.mjs";

let server;
before(async () => {
  server = await start(build("./testserver"), ["-pages", mkdtempSync(join(tmpdir(), "pages-"))], ["pages", "serving"]);
});
after(() => server.stop());

const blocking = async () => Number(await (await fetch(`${server.pages}/blocking`)).text());

const schemas = {
  "elicitation/create": types1.ElicitRequestSchema,
  "sampling/createMessage": types1.CreateMessageRequestSchema,
  "roots/list": types1.ListRootsRequestSchema,
  "notifications/message": types1.LoggingMessageNotificationSchema,
  "notifications/tools/list_changed": types1.ToolListChangedNotificationSchema,
  "notifications/prompts/list_changed": types1.PromptListChangedNotificationSchema,
  "notifications/resources/list_changed": types1.ResourceListChangedNotificationSchema,
  "notifications/resources/updated": types1.ResourceUpdatedNotificationSchema,
};

const rpc = {
  "Connect by fetch": () => webTransport(server.serving, "connect"),
  "gRPC-Web by fetch": () => webTransport(server.serving, "grpc-web"),
  "gRPC over HTTP/2": () => nodeTransport(server.serving),
  "Connect over HTTP/2": () => nodeTransport(server.serving, { protocol: "connect" }),
};

for (const [wire, make] of Object.entries(rpc)) {
  const seams = { Send: () => new SendTransport(make()) };
  if (wire.endsWith("HTTP/2")) seams.Connect = () => new StreamTransport(make());
  for (const [seam, transport] of Object.entries(seams)) {
    for (const version of [MODERN, LEGACY]) {
      describe(`SDK 2, ${version}, ${seam}, ${wire}`, () => {
        for (const name of Object.keys(scenarios)) test(name, () => play(name, sdk2(Client2, version, transport, blocking)));
      });
    }
    describe(`SDK 1, ${seam}, ${wire}`, () => {
      for (const name of Object.keys(scenarios)) test(name, () => play(name, sdk1(Client1, schemas, transport, blocking)));
    });
  }
  describe(`typed client, ${wire}`, () => typed(() => new McpClient(make(), { capabilities: { elicitation: { form: {} } } })));
}

function typed(make) {
  test("lists, reads, completes, discovers", async () => {
    const c = make();
    const names = [];
    for await (const tool of c.tools()) names.push(tool.name);
    assert.ok(names.length >= 20);
    for await (const r of c.resources()) assert.ok(r.uri);
    for await (const r of c.resourceTemplates()) assert.ok(r.uriTemplate);
    for await (const p of c.prompts()) assert.ok(p.name);
    assert.equal((await c.readResource("everything://text/grüß dich")).contents[0].kind.value.text, "grüß dich");
    assert.equal((await c.getPrompt("test_prompt_with_arguments", { arg1: "a", arg2: "b" })).messages.length, 1);
    assert.ok((await c.complete({ prompt: "test_prompt_with_arguments" }, "arg1", "")).values);
    assert.ok((await c.discover()).supportedVersions.includes(MODERN));
  });
  test("loses no digit", async () => {
    const c = make();
    const bytes = new TextEncoder().encode('{"n":9007199254740993}');
    const res = await c.rpc.invokeTool({ name: "structured_echo", argumentsJson: bytes, meta: c.meta() });
    const { content, ...rest } = res.outcome.value;
    assert.equal(content[0].kind.value.text, '{"n":9007199254740993}');
    assert.deepEqual(rest.structuredContentJson, bytes, "what a Struct cannot hold comes as text");
    assert.deepEqual(structuredContent(rest), textOf(bytes));
  });
  test("tells progress and logs while the call runs", async () => {
    const kinds = [];
    for await (const e of make().streamTool("test_tool_with_progress")) kinds.push(e.kind);
    assert.deepEqual(kinds, ["progress", "progress", "progress", "result"]);
    const logs = [];
    for await (const e of make().streamTool("test_tool_with_logging", {}, { logLevel: "info" })) logs.push(e.kind);
    assert.deepEqual(logs, ["log", "log", "log", "result"]);
  });
  test("fails with code, status and data", async () => {
    await assert.rejects(make().callTool("error_jsonrpc", { code: 4711, message: "no", data: { n: 1.5 } }), (e) => {
      assert.ok(e instanceof McpError);
      assert.deepEqual([e.code, e.message, e.data], [4711, "no", { n: 1.5 }]);
      return true;
    });
    await assert.rejects(make().callTool("no such tool"), { code: -32602 });
  });
  test("asks, and is answered in a second call", async () => {
    const c = make();
    const first = await c.callTool("test_input_required_result_elicitation");
    assert.equal(first.case, "inputRequired");
    const { inputRequests, requestState } = first.value;
    const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((k) => [k, { kind: { case: "elicitation", value: { action: "accept", content: { name: "Ada" } } } }]));
    const second = await c.callTool("test_input_required_result_elicitation", {}, { inputResponses, requestState });
    assert.equal(second.value.content[0].kind.value.text, "Hello, Ada!");
  });
  test("cancels by signal, deadline and leaving the loop", async () => {
    const c = make();
    const start = await blocking();
    const begun = async (n) => {
      for (const end = Date.now() + 20_000; (await blocking()) !== n; ) assert.ok(Date.now() < end, `${n} calls of block`);
    };
    const stop = new AbortController();
    const call = assert.rejects(c.callTool("block", {}, { signal: stop.signal }));
    await begun(start + 1);
    stop.abort();
    await call;
    await begun(start);
    await assert.rejects(c.callTool("block", {}, { timeoutMs: 200 }), { code: -32603, status: 4 });
    await begun(start);
    const events = c.streamTool("flood_progress", { count: 100000 });
    await events.next();
    await events.return();
  });
  test("listens and watches", async () => {
    const c = make();
    const stop = new AbortController();
    const kinds = [];
    for await (const m of c.listen({ resourceSubscriptions: ["test://watched-resource"] }, { signal: stop.signal })) {
      kinds.push(m.kind.case);
      if (m.kind.case === "acknowledged") await c.callTool("update_resource", { text: "a" });
      else break;
    }
    assert.deepEqual(kinds, ["acknowledged", "resourceUpdated"]);
    const watched = c.watch("test://watched-resource", { signal: stop.signal });
    const change = watched.next();
    const again = setInterval(() => void c.callTool("update_resource", { text: "new" }), 100);
    const { value } = await change;
    clearInterval(again);
    assert.equal(value.kind.value.contents[0].kind.value.text, "new");
    await watched.return();
  });
}

test("challenges are read", () => {
  assert.deepEqual(parseChallenge('Bearer realm="mcp", error="insufficient_scope", scope="a b", resource_metadata="https://x/y"'), {
    error: "insufficient_scope",
    scope: "a b",
    resourceMetadata: "https://x/y",
  });
  assert.deepEqual(parseChallenge(""), {});
});
