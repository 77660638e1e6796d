// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// The tests of mcpconnect/transport_test.go and transport_era_test.go under the same names, for
// a client of the TypeScript SDK as it is published. They run in Node and in browsers: nothing
// here belongs to either.

/** VERSIONS are those that the scenarios run in: one of the modern era, and two of the legacy one. */
export const MODERN = "2026-07-28";
export const LEGACY = "2025-11-25";
export const VERSIONS = [MODERN, LEGACY, "2025-06-18"];

export function equal(got, want, what) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`${what}: got ${a}, want ${b}`);
}

export function check(holds, what) {
  if (!holds) throw new Error(what);
}

export async function rejection(promise, what) {
  try {
    await promise;
  } catch (e) {
    return e;
  }
  throw new Error(`${what}: no error`);
}

/** until polls for at most 20 s. */
export async function until(condition, what) {
  for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((r) => setTimeout(r, 20))) {
    if (await condition()) return;
  }
  throw new Error(`${what}: not within 20 s`);
}

const texts = (res) => res.content.map((c) => c.text ?? c.type).join("\n");

/** answers makes a client that answers all questions. */
function answering(t) {
  const client = t.client({ capabilities: { sampling: { tools: {} }, elicitation: { form: {}, url: {} }, roots: {} } });
  t.on(client, "elicitation/create", (r) => {
    if (r.params.mode === "url") return { action: "accept" };
    const content = {};
    for (const key of Object.keys(r.params.requestedSchema.properties)) content[key] = `Ada's ${key}`;
    return { action: "accept", content };
  });
  t.on(client, "sampling/createMessage", () => ({ role: "assistant", model: "model", stopReason: "endTurn", content: { type: "text", text: "completion" } }));
  t.on(client, "roots/list", () => ({ roots: [{ uri: "file:///home", name: "home" }] }));
  return client;
}

/** Each takes what sdk1 or sdk2 gives. */
export const scenarios = {
  async TransportListsAndReads(t) {
    const c = await t.connect(t.client());
    check((await c.listTools()).tools.length >= 20, "fewer than 20 tools");
    await c.listPrompts();
    await c.listResources();
    await c.listResourceTemplates();
    const text = await c.readResource({ uri: "everything://text/grüß dich" });
    equal(text.contents[0].text, "grüß dich", "text");
    const binary = await c.readResource({ uri: "test://static-binary" });
    check(atob(binary.contents[0].blob).startsWith("\x89PNG"), "no PNG");
    const prompt = await c.getPrompt({ name: "test_prompt_with_arguments", arguments: { arg1: "a", arg2: "b" } });
    equal(prompt.messages.length, 1, "messages");
    const completed = await c.complete({ ref: { type: "ref/prompt", name: "test_prompt_with_arguments" }, argument: { name: "arg1", value: "par" } });
    check(completed.completion.values.length > 0, "no completion");
  },

  async TransportKeepsNumbers(t) {
    const c = await t.connect(t.client());
    const args = { n: 9007199254740991, f: 0.1, s: "grüß dich\u2028", deep: [{ a: [null, true, []] }] };
    const res = await c.callTool({ name: "structured_echo", arguments: args });
    equal(JSON.parse(texts(res)), args, "echo");
  },

  async TransportErrors(t) {
    const c = await t.connect(t.client());
    const e = await rejection(c.callTool({ name: "error_jsonrpc", arguments: { code: 4711, message: "no", data: { n: 1.5 } } }), "error_jsonrpc");
    equal([e.code, e.data, /no/.test(e.message)], [4711, { n: 1.5 }, true], "error");
    equal((await rejection(c.callTool({ name: "no such tool" }), "unknown tool")).code, -32602, "code");
    await c.callTool({ name: "structured_object" }); // the session goes on
  },

  async TransportProgressAndLog(t) {
    const c = t.client();
    const levels = [];
    t.on(c, "notifications/message", (n) => void levels.push(n.params.level));
    await t.connect(c);
    const seen = [];
    await t.call(c, { name: "test_tool_with_progress" }, { onprogress: (p) => seen.push([p.progress, p.total]) });
    equal(seen, [[0, 100], [50, 100], [100, 100]], "progress");
    const params = { name: "test_tool_with_logging" };
    if (t.version === MODERN) params._meta = { "io.modelcontextprotocol/logLevel": "info" };
    else await c.setLoggingLevel("info");
    await c.callTool(params);
    await until(() => levels.length === 3, "logs");
    equal(levels, ["info", "info", "info"], "levels");
  },

  async TransportAnswersQuestions(t) {
    const c = await t.connect(answering(t));
    const both = [
      ["test_input_required_result_elicitation", {}, "Hello, Ada's name!"],
      ["test_input_required_result_sampling", {}, "Sampling response: completion"],
      ["test_input_required_result_list_roots", {}, "Client exposed 1 root(s): file:///home"],
      ["test_input_required_result_multiple_inputs", {}, "completion Ada's name — 1 root(s) visible"],
    ];
    // In older versions the SDK wants an elicitationId, which the tool does not give.
    const modern = [["roundtrip_url", {}, "URL elicitation: accept"]];
    const legacy = [
      ["test_sampling", { prompt: "p" }, "LLM response: completion"],
      ["test_elicitation", { message: "m" }, `Elicitation result: action=accept, content={"username":"Ada's username"}`],
      ["roots", {}, "home:file:///home"],
    ];
    for (const [name, args, want] of t.version === MODERN ? [...both, ...modern] : [...both, ...legacy]) {
      equal(texts(await c.callTool({ name, arguments: args })), want, name);
    }
  },

  async TransportCancels(t) {
    const c = await t.connect(t.client());
    const before = await t.blocking();
    const stop = new AbortController();
    const call = rejection(t.call(c, { name: "block" }, { signal: stop.signal }), "block");
    await until(async () => (await t.blocking()) === before + 1, "begin of block");
    stop.abort();
    await call;
    await until(async () => (await t.blocking()) === before, "end of block");
    await rejection(t.call(c, { name: "block" }, { timeout: 200 }), "block with timeout");
    await until(async () => (await t.blocking()) === before, "end of block by its timeout");
    await c.callTool({ name: "structured_object" });
  },

  async TransportTellsChanges(t) {
    const seen = [];
    const c = t.client();
    t.on(c, "notifications/tools/list_changed", () => void seen.push("tools"));
    t.on(c, "notifications/prompts/list_changed", () => void seen.push("prompts"));
    t.on(c, "notifications/resources/list_changed", () => void seen.push("resources"));
    t.on(c, "notifications/resources/updated", (n) => void seen.push(n.params.uri));
    await t.connect(c);
    let subscription;
    if (t.version === MODERN) {
      subscription = await c.listen({ toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true, resourceSubscriptions: ["test://watched-resource"] });
    } else {
      await c.subscribeResource({ uri: "test://watched-resource" });
    }
    const name = `n${Date.now()}`;
    for (const [tool, args, want] of [
      ["add_tool", { name }, "tools"],
      ["add_prompt", { name }, "prompts"],
      ["add_resource", { name }, "resources"],
      ["update_resource", { text: name }, "test://watched-resource"],
    ]) {
      await c.callTool({ name: tool, arguments: args });
      await until(() => seen.includes(want), want);
    }
    await subscription?.close();
  },

  async TransportCarriesCustomMethods(t) {
    const c = await t.connect(t.client());
    const request = { method: "com.example/echo", params: { value: [9007199254740991, null] } };
    // Of a modern server the SDK wants a resultType, which only Python's puts into the results of custom methods.
    try {
      equal((await t.request(c, request)).value, request.params.value, "value");
    } catch (e) {
      if (t.version !== MODERN || !/resultType/.test(e.message)) throw e;
    }
    const e = await rejection(t.request(c, { ...request, method: "com.example/fail" }), "fail");
    equal(e.data, request.params.value, "data");
  },

  async TransportPingsLegacyServers(t) {
    const c = await t.connect(t.client());
    if (t.version === MODERN) return equal(c.transport.sessionId, undefined, "session");
    await c.ping();
    check(c.transport.sessionId, "no session");
  },

  async ClosingATransportCancelsItsCalls(t) {
    const c = await t.connect(t.client());
    const before = await t.blocking();
    const call = rejection(c.callTool({ name: "block" }), "block");
    await until(async () => (await t.blocking()) === before + 1, "begin of block");
    await c.close();
    await call;
    await until(async () => (await t.blocking()) === before, "end of block");
  },
};

/** play runs a scenario and closes the clients that it made. */
export async function play(name, t) {
  const made = [];
  const client = (options) => {
    const c = t.client(options);
    made.push(c);
    return c;
  };
  try {
    await scenarios[name]({ ...t, client });
  } finally {
    await Promise.all(made.map((c) => c.close()));
  }
}

const speaking = (version) => (version === MODERN ? { versionNegotiation: { mode: { pin: MODERN } } } : { versionNegotiation: { mode: "legacy" }, supportedProtocolVersions: [version] });

/** sdk2 runs scenarios with @modelcontextprotocol/client 2.x. */
export function sdk2(Client, version, transport, blocking) {
  return {
    version,
    blocking,
    client: (options = {}) => new Client({ name: "scenarios", version: "1" }, { ...options, ...speaking(version) }),
    async connect(c) {
      await c.connect(transport());
      equal(c.getNegotiatedProtocolVersion(), version, "version");
      return c;
    },
    on: (c, method, handler) => (method.startsWith("notifications/") ? c.setNotificationHandler(method, handler) : c.setRequestHandler(method, handler)),
    call: (c, params, options) => c.callTool(params, options),
    request: async (c, request) => c.request(request, anything), // refuses at once what is not of the era
    all(c, handler) {
      c.fallbackNotificationHandler = handler;
      c.setNotificationHandler("notifications/progress", handler);
    },
  };
}

/** anything is a schema that takes all values. */
const anything = { "~standard": { version: 1, vendor: "scenarios", validate: (value) => ({ value }) } };

/** sdk1 runs scenarios with @modelcontextprotocol/sdk 1.x, whose handlers go by schema: those of its types. */
export function sdk1(Client, types, transport, blocking) {
  const schemas = schemasOf(types);
  return {
    version: LEGACY,
    blocking,
    client: (options = {}) => new Client({ name: "scenarios", version: "1" }, options),
    async connect(c) {
      await c.connect(transport());
      return c;
    },
    on: (c, method, handler) => (method.startsWith("notifications/") ? c.setNotificationHandler(schemas[method], handler) : c.setRequestHandler(schemas[method], handler)),
    call: (c, params, options) => c.callTool(params, undefined, options),
    request: async (c, request) => c.request(request, types.ResultSchema),
    all(c, handler) {
      c.fallbackNotificationHandler = handler;
      c.setNotificationHandler(types.ProgressNotificationSchema, handler);
    },
  };
}

function schemasOf(types) {
  return {
    "elicitation/create": types.ElicitRequestSchema,
    "sampling/createMessage": types.CreateMessageRequestSchema,
    "roots/list": types.ListRootsRequestSchema,
    "notifications/message": types.LoggingMessageNotificationSchema,
    "notifications/tools/list_changed": types.ToolListChangedNotificationSchema,
    "notifications/prompts/list_changed": types.PromptListChangedNotificationSchema,
    "notifications/resources/list_changed": types.ResourceListChangedNotificationSchema,
    "notifications/resources/updated": types.ResourceUpdatedNotificationSchema,
  };
}
