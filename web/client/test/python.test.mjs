// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// The scenarios against the other server: Python's. It speaks gRPC: Node calls it as it is, and
// Chromium through `mcpconnect gateway`.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client as Client2 } from "@modelcontextprotocol/client";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import * as types1 from "@modelcontextprotocol/sdk/types.js";
import { nodeTransport, StreamTransport } from "@mcpconnect/client/node";
import { SendTransport } from "@mcpconnect/client/sdk";
import { launch, site } from "./chromium.mjs";
import { greeter, load } from "./load.mjs";
import { pageScript } from "./page.mjs";
import { gatewayTo, pythonServer, skipped } from "./python.mjs";
import { cutOff, rollout, survives } from "./restarts.mjs";
import { MODERN, play, rejection, scenarios, sdk1, sdk2, VERSIONS } from "./scenarios.mjs";
import { build } from "./server.mjs";
import { typed } from "./typed.mjs";

/** Python's SDK says of itself what a tool has done that gives no result. */
const noResult = "Handler returned an invalid result";

const seams = { Send: (rpc) => new SendTransport(rpc), Connect: (rpc) => new StreamTransport(rpc) };

describe("Python's server", { skip: skipped }, () => {
  let server, small;
  before(async () => {
    server = await pythonServer();
    small = await pythonServer("--page-size", "3");
  });
  after(async () => {
    await server?.stop();
    await small?.stop();
  });
  const blocking = () => server.blocking();

  for (const [seam, open] of Object.entries(seams)) {
    const transport = () => open(nodeTransport(server.serving));
    const clients = Object.fromEntries(VERSIONS.map((version) => [`SDK 2, ${version}`, () => sdk2(Client2, version, transport, blocking)]));
    clients["SDK 1"] = () => sdk1(Client1, types1, transport, blocking);
    for (const [client, make] of Object.entries(clients)) {
      describe(`${client}, ${seam}, gRPC over HTTP/2`, () => {
        for (const name of Object.keys(scenarios)) test(name, () => play(name, make()));
      });
    }
  }
  describe("typed client, gRPC over HTTP/2", () => {
    for (const [name, run] of Object.entries(typed)) {
      test(name, () => run({ rpc: (options) => nodeTransport(server.serving, options), small: () => nodeTransport(small.serving), blocking, noResult }));
    }
  });

  // A stream for all calls says what it has left undone. To RPCs that come as a server goes gRPC for
  // Python says CANCELLED or nothing, which may be said after they were done, too.
  test("ARolloutLosesNoCall: SDK, Connect", async () => {
    const r = await rollout(() => pythonServer("--grace", "30"));
    const l = load(await greeter(sdk2(Client2, MODERN, () => new StreamTransport(nodeTransport(r.url)))), 8);
    try {
      await survives(r, () => l.answered);
    } finally {
      await l.stop();
      await r.stop();
    }
    assert.deepEqual(l.failures, []);
  });
  for (const [seam, open] of Object.entries(seams)) {
    test(`ACallThatIsCutOffIsNotMadeAgain: ${seam}`, () =>
      cutOff(() => pythonServer("--grace", "0.001"), async (url) => {
        const t = sdk2(Client2, MODERN, () => open(nodeTransport(url)));
        const c = await t.connect(t.client());
        return (await rejection(c.callTool({ name: "block" }), "block")).code;
      }));
  }

  describe("in Chromium, through the gateway", () => {
    let binary, origin, gateways, browser, page;
    before(async () => {
      origin = await site(await pageScript());
      binary = build("../../cmd/mcpconnect");
      gateways = await Promise.all([server, small].map(({ serving }) => gatewayTo(binary, serving, origin.url)));
      browser = await launch();
      page = await browser.newPage();
      await page.route("**/blocking", async (route) => route.fulfill({ body: `${await blocking()}` }));
      await page.goto(origin.url);
    });
    after(async () => {
      await browser?.close();
      await Promise.all((gateways ?? []).map((g) => g.stop()));
      await origin?.stop();
    });
    const run = (what, ...args) => page.evaluate(async ([what, args]) => (await import("/run.js"))[what](...args), [what, args]);

    for (const protocol of ["connect", "grpc-web"]) {
      for (const version of [...VERSIONS, ""]) {
        for (const name of Object.keys(scenarios)) {
          test(`${version ? `SDK 2, ${version}` : "SDK 1"}, ${protocol}: ${name}`, () => run("scenario", name, version, gateways[0].serving, protocol));
        }
      }
      for (const name of Object.keys(typed)) {
        test(`typed client, ${protocol}: ${name}`, () => run("call", name, gateways[0].serving, gateways[1].serving, protocol, noResult));
      }
      const client = protocol === "connect" ? "typed" : "SDK, Send";
      test(`ARolloutLosesNoCall: ${client}, ${protocol}`, async () => {
        const r = await rollout(() => pythonServer("--grace", "30"));
        const gateway = await gatewayTo(binary, r.url, origin.url);
        let failures;
        try {
          await run("begin", client, gateway.serving, protocol);
          await survives(r, () => run("answered"));
        } finally {
          failures = await run("end");
          await gateway.stop();
          await r.stop();
        }
        assert.deepEqual(failures, []);
      });
    }
  });
});
