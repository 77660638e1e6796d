// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// The tests of mcpconnect/client_test.go under the same names, for McpClient. They run in Node
// and in browsers: nothing here belongs to either.

import { inputSchema, McpClient, McpError, structuredContent, textOf } from "@mcpconnect/client";
import { check, equal, MODERN, rejection, until } from "./scenarios.mjs";

const text = (outcome) => outcome.value.content.map((c) => c.kind.value.text).join("\n");

/** Each takes { rpc(options): a transport, small(): one to a server with small pages, blocking(), noResult: what the server says of its tool error_nil_result }. */
export const typed = {
  async ClientCallsEveryMethod({ rpc }) {
    const c = new McpClient(rpc());
    check((await c.rpc.ping({})).serverTime, "no time");
    check((await c.discover()).supportedVersions.includes(MODERN), "not modern");
    equal(JSON.parse(text(await c.callTool("structured_echo", { n: 9007199254740991, s: "ü" }))), { n: 9007199254740991, s: "ü" }, "echo");
    equal((await c.readResource("everything://text/grüß dich")).contents[0].kind.value.text, "grüß dich", "text");
    const { value } = (await c.readResource("test://static-binary")).contents[0].kind;
    equal([...value.data.slice(1, 4)], [..."PNG"].map((l) => l.charCodeAt(0)), "binary");
    equal((await c.getPrompt("test_prompt_with_arguments", { arg1: "a", arg2: "b" })).messages.length, 1, "prompt");
    equal((await c.getPrompt("grüß dich")).messages.length, 1, "unusual prompt");
    check((await c.complete({ prompt: "test_prompt_with_arguments" }, "arg1", "p")).values.length > 0, "no completion");
    // What a number cannot hold comes as text.
    const res = await c.rpc.invokeTool({ name: "structured_echo", argumentsJson: new TextEncoder().encode('{"n":9007199254740993}'), meta: c.meta() });
    equal(new TextDecoder().decode(res.outcome.value.structuredContentJson), '{"n":9007199254740993}', "digits");
    for await (const tool of c.tools()) {
      if (tool.name === "json_schema_2020_12_tool") equal(Object.keys(inputSchema(tool).properties).slice(0, 2), ["name", "address"], "order of a schema");
    }
    equal(structuredContent(res.outcome.value), textOf(res.outcome.value.structuredContentJson), "structured content");
  },

  async ClientGivesAllPages({ small }) {
    const c = new McpClient(small());
    const all = new Set();
    for await (const tool of c.tools()) all.add(`tool ${tool.name}`);
    for await (const r of c.resources()) all.add(`resource ${r.uri}`);
    for await (const r of c.resourceTemplates()) all.add(`template ${r.uriTemplate}`);
    for await (const p of c.prompts()) all.add(`prompt ${p.name}`);
    check(all.size >= 40, `${all.size} items`);
    check((await c.rpc.listTools({ meta: c.meta() })).tools.length <= 3, "pages are not small");
  },

  async ClientErrorsSayWhat({ rpc, noResult = "internal error" }) {
    const c = new McpClient(rpc());
    const e = await rejection(c.callTool("error_jsonrpc", { code: 4711, message: "no", data: { n: 1.5 } }), "error_jsonrpc");
    check(e instanceof McpError, "another class");
    equal([e.code, e.message, e.data, e.status], [4711, "no", { n: 1.5 }, 2], "error");
    const unknown = await rejection(c.callTool("no such tool"), "unknown tool");
    equal([unknown.code, unknown.status], [-32602, 5], "unknown tool");
    const streamed = c.streamTool("error_jsonrpc", { code: 4711, message: "no" });
    equal((await rejection(streamed.next(), "stream")).code, 4711, "code of a stream");
    for (const [broken, message] of [["panic", "internal error"], ["error_plain", "internal error"], ["error_nil_result", noResult]]) {
      const internal = await rejection(c.callTool(broken), broken);
      equal([internal.code, internal.message, internal.data], [-32603, message, undefined], broken);
    }
  },

  async ClientTellsProgressAndLogs({ rpc }) {
    const c = new McpClient(rpc());
    const progress = [];
    for await (const e of c.streamTool("test_tool_with_progress")) progress.push(e.progress?.progress ?? e.kind);
    equal(progress, [0, 50, 100, "result"], "progress");
    const logs = [];
    for await (const e of c.streamTool("test_tool_with_logging", {}, { logLevel: "info" })) logs.push(e.kind);
    equal(logs, ["log", "log", "log", "result"], "logs");
    let [last, events] = [-1, 0];
    for await (const e of c.streamTool("flood_progress", { count: 5000 })) {
      events++;
      if (e.kind === "result") break;
      check(e.progress.progress > last, "out of order");
      last = e.progress.progress;
      if (events % 100 === 0) await new Promise((slow) => setTimeout(slow)); // a page that reads slowly
    }
    check(events > 1, "no flood");
  },

  async ClientAnswersQuestions({ rpc }) {
    const c = new McpClient(rpc(), { capabilities: { elicitation: { form: {} } } });
    const first = await c.callTool("test_input_required_result_elicitation");
    equal(first.case, "inputRequired", "case");
    const { inputRequests, requestState } = first.value;
    const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((k) => [k, { kind: { case: "elicitation", value: { action: "accept", content: { name: "Ada" } } } }]));
    equal(text(await c.callTool("test_input_required_result_elicitation", {}, { inputResponses, requestState })), "Hello, Ada!", "answer");
  },

  async ClientWithoutHandlersReturnsQuestions({ rpc }) {
    const c = new McpClient(rpc());
    const res = await c.callTool("test_input_required_result_request_state");
    equal([res.case, res.value.requestState], ["inputRequired", "request_state"], "questions");
    const inputResponses = { confirm: { kind: { case: "elicitation", value: { action: "accept", content: { ok: true } } } } };
    const again = await c.callTool("test_input_required_result_request_state", {}, { inputResponses, requestState: "request_state" });
    equal(text(again), "state-ok: requestState received and confirmation accepted", "answer");
    const busy = await c.callTool("roundtrip_busy");
    equal([busy.case, busy.value.inputRequests], ["inputRequired", {}], "busy");
  },

  async ClientCancelsAndHasDeadlines({ rpc, blocking }) {
    const c = new McpClient(rpc());
    const before = await blocking();
    const blocked = (n) => until(async () => (await blocking()) === before + n, `${n} calls of block`);
    const stop = new AbortController();
    const call = rejection(c.callTool("block", {}, { signal: stop.signal }), "block");
    await blocked(1);
    stop.abort();
    equal((await call).status, 1, "status of a call that was cancelled");
    await blocked(0);
    equal((await rejection(c.callTool("block", {}, { timeoutMs: 200 }), "deadline")).status, 4, "status after the deadline");
    await blocked(0);
    equal((await rejection(c.callTool("block", {}, { signal: AbortSignal.abort() }), "aborted before")).status, 1, "status of a call that never began");
    let signal;
    const seen = new McpClient(rpc({ interceptors: [(next) => (req) => next((({ signal } = req), req))] }));
    for await (const _ of seen.streamTool("flood_progress", { count: 100000 })) break;
    check(signal.aborted, "leaving the loop does not end the call");
  },

  async ClientListens({ rpc }) {
    const c = new McpClient(rpc());
    const kinds = [];
    for await (const m of c.listen({ toolsListChanged: true, resourceSubscriptions: ["test://watched-resource"] })) {
      kinds.push(m.kind.case);
      if (m.kind.case === "acknowledged") await c.callTool("add_tool", { name: `n${Date.now()}` });
      else if (m.kind.case === "toolsListChanged") await c.callTool("update_resource", { text: "a" });
      else break;
    }
    equal(kinds, ["acknowledged", "toolsListChanged", "resourceUpdated"], "changes");
  },

  async ClientWatchesAResource({ rpc }) {
    const c = new McpClient(rpc());
    const watched = c.watch("test://watched-resource");
    const change = watched.next();
    let changed;
    void change.then((n) => (changed = n.value), () => (changed = "failed"));
    // Nothing tells when the subscription stands, so that the change is made until it is heard of.
    await until(async () => void (await c.callTool("update_resource", { text: "new" })) ?? changed, "change");
    equal(changed.kind.value.contents[0].kind.value.text, "new", "contents");
    await watched.return();
  },

  async ClientFollowsTasks({ rpc }) {
    const c = new McpClient(rpc(), { capabilities: { extensions: { "io.modelcontextprotocol/tasks": {} } } });
    const started = await c.callTool("start_task", { mode: "input" });
    equal(started.case, "task", "case");
    const { taskId } = started.value;
    equal((await c.rpc.getTask({ taskId, meta: c.meta() })).task.status, "input_required", "status");
    await c.rpc.updateTask({ taskId, inputResponses: {}, meta: c.meta() });
    await c.rpc.cancelTask({ taskId, meta: c.meta() });
  },
};
