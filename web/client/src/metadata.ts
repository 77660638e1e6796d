// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

/** What metadata repeats of a request, so that proxies can route by it (SPEC.md §7.1). */
export interface Mirror {
  version?: string | undefined;
  method?: string | undefined;
  name?: string | undefined;
  session?: string | undefined;
}

/** mirror gives the headers for m. Empty values are left out. */
export function mirror(m: Mirror): Headers {
  const headers = new Headers();
  const set = (key: string, value: string | undefined) => {
    if (value) headers.set(key, headerValue(value));
  };
  set("Mcp-Protocol-Version", m.version);
  set("Mcp-Method", m.method);
  set("Mcp-Name", m.name);
  set("Mcp-Session-Id", m.session);
  return headers;
}

/** headerValue gives the form of a value that survives HTTP (SPEC.md §7.2). */
export function headerValue(value: string): string {
  const plain = /^[\t -~]*$/.test(value) && value.trim() === value && !/^=\?base64\?.*\?=$/.test(value);
  if (plain) return value;
  let binary = "";
  for (const byte of new TextEncoder().encode(value)) binary += String.fromCharCode(byte);
  return `=?base64?${btoa(binary)}?=`;
}

/** mirroredName is the value of mcp-name for a JSON-RPC request, if its method has one. */
export function mirroredName(method: string, params: Record<string, unknown> | undefined): string | undefined {
  const text = (key: string) => (typeof params?.[key] === "string" ? (params[key] as string) : undefined);
  switch (method) {
    case "tools/call":
    case "prompts/get":
      return text("name");
    case "resources/read":
      return text("uri");
    case "tasks/get":
    case "tasks/update":
    case "tasks/cancel":
      return text("taskId");
    default:
      return undefined;
  }
}
