// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// What an app in strict TypeScript writes: it has to compile.

import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { Client as Client2 } from "@modelcontextprotocol/client";
import { type AuthProvider, type CallEvent, connectTransport, grpcWebTransport, inputSchema, McpClient, McpError, type Outcome, webTransport } from "@mcpconnect/client";
import { ToolSchema } from "@mcpconnect/client/gen/mcp/v1/catalog_pb";
import { nodeTransport, StreamTransport } from "@mcpconnect/client/node";
import { OAuth } from "@mcpconnect/client/oauth";
import { SendTransport } from "@mcpconnect/client/sdk";

export async function sdk(url: string): Promise<void> {
  await new Client2({ name: "app", version: "1" }).connect(new SendTransport(grpcWebTransport(url)));
  await new Client1({ name: "app", version: "1" }).connect(new SendTransport(connectTransport(url)));
  await new Client2({ name: "app", version: "1" }).connect(new StreamTransport(nodeTransport(url)));
  await new Client1({ name: "app", version: "1" }).connect(new StreamTransport(nodeTransport(url)));
}

export async function typed(url: string): Promise<string | undefined> {
  const auth: AuthProvider = new OAuth({ resource: url, clientId: "app", redirectUri: "https://app.example/callback" });
  const c = new McpClient(webTransport(url, "connect", { auth, maxMessageBytes: 1 << 20 }));
  for await (const tool of c.tools()) console.log(tool.name, inputSchema(tool), ToolSchema.typeName);
  try {
    const outcome: Outcome = await c.callTool("add", { a: 1 }, { signal: AbortSignal.timeout(1000), timeoutMs: 1000 });
    if (outcome.case === "result") {
      const kind = outcome.value.content[0]?.kind;
      return kind?.case === "text" ? kind.value.text : undefined;
    }
  } catch (e) {
    if (e instanceof McpError) return `${e.code} ${e.status}`;
  }
  const events: CallEvent[] = [];
  for await (const e of c.streamTool("count")) if (e.kind === "progress") events.push(e);
  // @ts-expect-error there is no such protocol
  webTransport(url, "http");
  return undefined;
}
