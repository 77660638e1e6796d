// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// The tests of mcpconnect/restart_test.go under the same names: servers that go while they are used.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { Client as Client2 } from "@modelcontextprotocol/client";
import { McpClient } from "@mcpconnect/client";
import { nodeTransport, StreamTransport } from "@mcpconnect/client/node";
import { SendTransport } from "@mcpconnect/client/sdk";
import { launch, site } from "./chromium.mjs";
import { greeter, load } from "./load.mjs";
import { pageScript } from "./page.mjs";
import { binary, cutOff, rollout, survives } from "./restarts.mjs";
import { rude } from "./rude.mjs";
import { LEGACY, MODERN, rejection, sdk2, until } from "./scenarios.mjs";
import { start, temporary } from "./server.mjs";

const pages = temporary();

/**
 * begin is a way to start a server. When it ends, it serves for a moment the connections that were on their
 * way to it when new ones went elsewhere: those that it has not accepted would be reset.
 */
function begin(...args) {
  return async () => {
    const server = await start(binary, ["-pages", pages, "-delay", "100ms", ...args], ["pages", "serving"]);
    return { ...server, blocking: async () => Number(await (await fetch(`${server.pages}/blocking`)).text()) };
  };
}

for (const protocol of ["grpc", "connect"]) {
  const clients = {
    "SDK, Connect": (rpc) => greeter(sdk2(Client2, MODERN, () => new StreamTransport(rpc))),
    "SDK, Send": (rpc) => greeter(sdk2(Client2, MODERN, () => new SendTransport(rpc))),
    typed: (rpc) => greeter(new McpClient(rpc)),
  };
  for (const [client, open] of Object.entries(clients)) {
    test(`ARolloutLosesNoCall: ${client}, ${protocol} over HTTP/2`, async () => {
      const r = await rollout(begin());
      const l = load(await open(nodeTransport(r.url, { protocol })), 8);
      try {
        await survives(r, () => l.answered);
      } finally {
        await l.stop();
        await r.stop();
      }
      assert.deepEqual(l.failures, []);
    });
  }
}

describe("in Chromium", () => {
  let browser, page, origin;
  before(async () => {
    origin = await site(await pageScript());
    browser = await launch();
    page = await browser.newPage();
    await page.goto(origin.url);
  });
  after(async () => {
    await browser?.close();
    await origin?.stop();
  });
  const run = (what, ...args) => page.evaluate(async ([what, args]) => (await import("/run.js"))[what](...args), [what, args]);

  for (const protocol of ["connect", "grpc-web"]) {
    for (const client of ["typed", "SDK, Send"]) {
      test(`ARolloutLosesNoCall: ${client}, ${protocol}`, async () => {
        const r = await rollout(begin("-origins", origin.url));
        let failures;
        try {
          await run("begin", client, r.url, protocol);
          await survives(r, () => run("answered"));
        } finally {
          failures = await run("end");
          await r.stop();
        }
        assert.deepEqual(failures, []);
      });
    }
    test(`a shared subscription goes on at the next server, ${protocol}`, async () => {
      const r = await rollout(begin("-origins", origin.url));
      const heard = [];
      const acknowledged = (n) => until(async () => heard.push(...(await run("heard"))) >= n, `${n} acknowledgements`);
      try {
        await run("listen", r.url, protocol);
        await acknowledged(1);
        await r.replace();
        await acknowledged(2);
      } finally {
        await page.reload();
        await r.stop();
      }
      assert.deepEqual(heard, ["acknowledged", "acknowledged"], "it ended with an error");
    });
    test(`ACallThatIsCutOffIsNotMadeAgain: ${protocol}`, () => cutOff(begin("-grace", "1ms", "-origins", origin.url), (url) => run("block", url, protocol)));
  }
});

for (const protocol of ["grpc", "connect"]) {
  for (const [seam, open] of Object.entries({ Connect: (rpc) => new StreamTransport(rpc), Send: (rpc) => new SendTransport(rpc) })) {
    test(`ACallThatIsCutOffIsNotMadeAgain: ${seam}, ${protocol} over HTTP/2`, () =>
      cutOff(begin("-grace", "1ms"), async (url) => {
        const t = sdk2(Client2, MODERN, () => open(nodeTransport(url, { protocol })));
        const c = await t.connect(t.client());
        return (await rejection(c.callTool({ name: "block" }), "block")).code;
      }));
  }
}

for (const [seam, open] of Object.entries({ Connect: (rpc) => new StreamTransport(rpc), Send: (rpc) => new SendTransport(rpc) })) {
  test(`a legacy session ends with its server, ${seam}`, async () => {
    const r = await rollout(begin());
    try {
      const t = sdk2(Client2, LEGACY, () => open(nodeTransport(r.url)));
      const c = await t.connect(t.client());
      const closed = new Promise((done) => (c.onclose = done));
      await r.replace();
      await closed;
      await rejection(c.listTools(), "call in a session that has ended");
    } finally {
      await r.stop();
    }
  });
}

for (const [name, want] of Object.entries({ StreamsThatDrainOneAfterTheOther: undefined, ServersThatAlwaysDrain: -32603 })) {
  test(name, async () => {
    const there = await rude(name, { http2: true });
    const transport = new StreamTransport(nodeTransport(there.url, { protocol: "connect" }));
    const answers = [];
    transport.onmessage = (m) => void answers.push(m);
    try {
      for (let id = 0; id < 20; id++) {
        await transport.send({ jsonrpc: "2.0", id, method: "tools/list" });
        await new Promise((next) => setImmediate(next)); // some on each stream
      }
      await until(() => answers.length >= 20, "answers");
      assert.deepEqual(answers.map((m) => m.id).sort((a, b) => a - b), [...Array(20).keys()]);
      assert.deepEqual([...new Set(answers.map((m) => m.error?.code))], [want]);
    } finally {
      await transport.close();
      await there.stop();
    }
  });
}

for (const [seam, open] of Object.entries({ Connect: (rpc) => new StreamTransport(rpc), Send: (rpc) => new SendTransport(rpc) })) {
  test(`a call fails when the network has gone without a word, ${seam}`, async () => {
    const r = await rollout(begin());
    const t = sdk2(Client2, MODERN, () => open(nodeTransport(r.url, { pingAfterMs: 500 })));
    const c = await t.connect(t.client());
    try {
      const cut = rejection(c.callTool({ name: "block" }), "block");
      await until(async () => (await r.server.blocking()) === 1, "begin of block");
      await r.lose();
      assert.equal((await cut).code, -32603);
    } finally {
      await c.close();
      await r.stop();
    }
  });
}

test("what a server says of refused streams makes no call again", async () => {
  let calls = 0;
  const there = await rude("", {
    http2: true,
    rpcs: {
      invokeTool() {
        calls++;
        throw new ConnectError("the server behind me said REFUSED_STREAM", Code.Unavailable);
      },
    },
  });
  await rejection(new McpClient(nodeTransport(there.url)).callTool("x"), "error");
  await there.stop();
  assert.equal(calls, 1);
});
