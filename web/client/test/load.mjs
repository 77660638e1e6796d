// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// They run in Node and in browsers: nothing here belongs to either.

/** greeter calls the tool greet, by the typed client or by what sdk1 or sdk2 gives. */
export async function greeter(t) {
  if ("rpc" in t) return async (name) => (await t.callTool("greet", { name })).value.content[0].kind.value.text;
  const client = await t.connect(t.client());
  return async (name) => (await client.callTool({ name: "greet", arguments: { name } })).content[0].text;
}

/** load greets, some at a time, until it is stopped. */
export function load(greet, workers) {
  let stopped = false;
  const l = { answered: 0, failures: [] };
  async function work(i) {
    for (let n = 0; !stopped; n++) {
      const who = `${i}-${n}`;
      const text = await greet(who).catch((e) => e);
      if (text === `Hi ${who}`) l.answered++;
      else l.failures.push(`${who}: ${text}`);
    }
  }
  const done = Promise.all(Array.from({ length: workers }, (_, i) => work(i)));
  l.stop = () => ((stopped = true), done);
  return l;
}
