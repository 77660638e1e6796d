// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// The requests of the Go server's suite (handlers/suite_case_test.go), made by a client of the
// TypeScript SDK. It runs in Node and in browsers: nothing here belongs to either.

import { MODERN } from "./scenarios.mjs";

/** outcomes makes all requests, and tells as text what came of each. */
export async function outcomes(t, cases) {
  const client = t.client();
  const all = {};
  let notes = [];
  t.all(client, (n) => void notes.push(n));
  try {
    await t.connect(client);
    for (const c of cases) {
      if (c.only && (c.only === "modern") !== (t.version === MODERN)) continue;
      notes = [];
      const params = c.params && JSON.parse(c.params.replace("%META%,", "").replace("%META%", ""));
      const outcome = await t.request(client, { method: c.method, ...(params && { params }) }).then(
        (result) => ({ result }),
        (e) => ({ error: normal({ code: e.code, message: e.message, data: e.data }) }),
      );
      await new Promise((told) => setTimeout(told)); // the SDK hands notifications on a little later
      all[c.name] = canonical({ ...outcome, notes });
    }
  } finally {
    await client.close();
  }
  return all;
}

/** differences names the requests whose outcomes differ, and shows the first of them. */
export function differences(got, want) {
  const names = Object.keys({ ...want, ...got }).filter((name) => got[name] !== want[name]);
  return names.length === 0 ? "" : `${names.join("; ")}\n${names[0]}:\n got ${got[names[0]]}\nwant ${want[names[0]]}`;
}

/** canonical is JSON with members in order. */
function canonical(value) {
  return JSON.stringify(value, (_, v) => (v && typeof v === "object" && !Array.isArray(v) ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, v[k]])) : v));
}

/** normal takes out what differs by design, as the Go suite does: texts of errors that were not for the caller. */
function normal(e) {
  if (e.code === 0) e = { ...e, code: -32603, message: e.message.replace(/^(MCP error )?.*$/s, "internal error") };
  if (e.code === -32603) e.message = e.message.replace(/^MCP error -32603: /, "");
  if ((e.code === -32602 && !/unknown /.test(e.message)) || e.code === -32601 || e.code === -32600) e.message = "";
  return e;
}
