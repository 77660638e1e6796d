// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// What clients make of servers that talk nonsense, of none at all, and of messages that are too
// large. It runs in Node and in browsers: nothing here belongs to either.

import { McpClient, McpError } from "@mcpconnect/client";
import { check, equal, rejection, until } from "./scenarios.mjs";

async function end(events) {
  for await (const _ of events);
}

/** Each takes { rpc(path, options): a transport to what serves nonsense, real(options): one to a server, sdk(rpc): a transport of the SDK }. */
export const badInput = {
  async "nonsense fails each kind of call"(t, nonsense) {
    const c = new McpClient(t.rpc(nonsense));
    for (const [kind, call] of Object.entries({
      unary: () => c.callTool("x"),
      stream: () => end(c.streamTool("x")),
      listen: () => end(c.listen({})),
    })) {
      const e = await rejection(call(), `${nonsense}, ${kind}`);
      check(e instanceof McpError && Number.isInteger(e.code), `${nonsense}, ${kind}: failed with ${e}`);
    }
    const transport = t.sdk(t.rpc(nonsense));
    const [messages, errors] = [[], []];
    transport.onmessage = (m) => void messages.push(m);
    transport.onerror = (e) => void errors.push(e);
    await transport.send({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} });
    await until(() => messages.some((m) => m.id === 1), `${nonsense}: answer`);
    check(messages.every((m) => m.id !== 1 || Number.isInteger(m.error?.code)), `${nonsense}: ${JSON.stringify(messages)}`);
    check(errors.length > 0, `${nonsense}: nobody was told`);
    await transport.close();
  },

  async "a server that says nothing is left at the deadline"(t) {
    const c = new McpClient(t.rpc("silence"));
    for (const call of [c.callTool("x", {}, { timeoutMs: 200 }), c.streamTool("x", {}, { timeoutMs: 200 }).next()]) {
      equal((await rejection(call, "silence")).status, 4, "status");
    }
    const stop = new AbortController();
    const call = rejection(c.callTool("x", {}, { signal: stop.signal }), "aborted");
    stop.abort();
    equal((await call).status, 1, "status");
  },

  async "messages have limits, and the next call goes on"(t) {
    const text = "x".repeat(1 << 20);
    const echo = (c, n) => c.callTool("structured_echo", { texts: Array(n).fill(text) }); // the result has it twice
    const c = new McpClient(t.real());
    equal((await echo(c, 1)).case, "result", "1 MiB");
    // Over HTTP/1.1 the server hangs up on who still sends: not every client reads its answer then.
    check([8, 14].includes((await rejection(echo(c, 5), "5 MiB to a server")).status), "another status");
    equal((await rejection(echo(c, 3), "6 MiB from a server")).status, 8, "status");
    equal((await rejection(c.streamTool("structured_echo", { texts: Array(3).fill(text) }).next(), "6 MiB in a stream")).status, 8, "status");
    const small = new McpClient(t.real({ maxMessageBytes: 1 << 20 }));
    equal((await rejection(echo(small, 1), "2 MiB where 1 may be")).status, 8, "status");
    equal((await echo(c, 1)).case, "result", "another call");
  },
};
