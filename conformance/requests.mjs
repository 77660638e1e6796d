// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Makes the requests of the first argument, [method, params] each, with the TypeScript SDK's client, of
// the server that the command in the other arguments starts. Prints what came, a line for each.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ResultSchema } from "@modelcontextprotocol/sdk/types.js";

const [requests, command, ...args] = process.argv.slice(2);
const say = (what, value) => console.log(what, JSON.stringify(value));

const client = new Client(
  { name: "requests", version: "1.0.0" },
  // All that a gateway declares to a server that clients share.
  { capabilities: { elicitation: { form: {}, url: {} }, roots: { listChanged: true }, sampling: {} } },
);
await client.connect(new StdioClientTransport({ command, args, stderr: "inherit" }));
say("server", [client.getServerVersion(), client.getServerCapabilities(), client.getInstructions()]);
for (const [method, params] of JSON.parse(requests)) {
  try {
    say(method, await client.request({ method, params }, ResultSchema));
  } catch (error) {
    say(method, [error.code, error.message, error.data]);
  }
}
await client.close();
process.exit(0);
