// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// A whole session of the TypeScript SDK's client with server-everything, which the command in
// the arguments starts. Prints what happened, a line for each event.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  ResourceUpdatedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";

const [command, ...args] = process.argv.slice(2);
const say = (what, value) => console.log(what, JSON.stringify(value));

const client = new Client(
  { name: "session", version: "1.0.0" },
  // All that a gateway declares to a server that clients share.
  { capabilities: { elicitation: { form: {}, url: {} }, roots: { listChanged: true }, sampling: {} } },
);
client.setRequestHandler(ElicitRequestSchema, (request) => {
  say("elicited", request.params);
  return { action: "accept", content: { name: "Ada" } };
});
client.setRequestHandler(CreateMessageRequestSchema, (request) => {
  say("sampled", request.params);
  return { role: "assistant", content: { type: "text", text: "Hello" }, model: "m" };
});
client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: "file:///a", name: "a" }] }));
let updated;
const update = new Promise((resolve) => (updated = resolve));
client.setNotificationHandler(ResourceUpdatedNotificationSchema, (notification) => updated(notification.params));

await client.connect(new StdioClientTransport({ command, args, stderr: "inherit" }));
say("server", [client.getServerVersion(), client.getServerCapabilities(), client.getInstructions()]);
say("prompts", await client.listPrompts());
say("resources", await client.listResources());

const call = (name, input, options) => client.callTool({ name, arguments: input }, undefined, options);
say("echo", await call("echo", { message: "grüß dich" }));
say("image", await call("get-tiny-image", {}));
say("structured", await call("get-structured-content", { location: "Chicago" }));
// The client drops progress that comes together with the result, whoever the server is.
const onprogress = (p) => p.progress < p.total && say("progress", p);
say("long", await call("trigger-long-running-operation", { duration: 0.4, steps: 4 }, { onprogress }));
say("elicitation", await call("trigger-elicitation-request", {}));
say("sampling", await call("trigger-sampling-request", { prompt: "p", maxTokens: 10 }));
say("tools", (await client.listTools()).tools);

const uri = "demo://resource/static/document/features.md";
await client.subscribeResource({ uri });
await call("toggle-subscriber-updates", {});
say("update", await update);
await client.unsubscribeResource({ uri });

const stop = new AbortController();
const aborted = call("trigger-long-running-operation", { duration: 60, steps: 60 }, {
  signal: stop.signal,
  onprogress: () => stop.abort("enough"),
}).catch(() => say("cancelled", true));
await aborted;
say("after", await call("echo", { message: "still there" }));
await client.close();
process.exit(0);
