// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Client as Client2 } from "@modelcontextprotocol/client";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import * as types1 from "@modelcontextprotocol/sdk/types.js";
import { McpClient, parseChallenge, webTransport } from "@mcpconnect/client";
import { nodeTransport, StreamTransport } from "@mcpconnect/client/node";
import { SendTransport } from "@mcpconnect/client/sdk";
import { losses } from "./losses.mjs";
import { expected } from "./native.mjs";
import { rude } from "./rude.mjs";
import { LEGACY, MODERN, play, scenarios, sdk1, sdk2, VERSIONS } from "./scenarios.mjs";
import { build, start, temporary } from "./server.mjs";
import { differences, outcomes } from "./suite.mjs";
import { typed } from "./typed.mjs";

const binary = build("./testserver");
let server;
before(async () => {
  server = await start(binary, ["-pages", temporary()], ["pages", "serving"]);
});
after(() => server.stop());

const blocking = async () => Number(await (await fetch(`${server.pages}/blocking`)).text());

const wires = {
  "Connect by fetch": (url, options) => webTransport(url, "connect", options),
  "gRPC-Web by fetch": (url, options) => webTransport(url, "grpc-web", options),
  "gRPC over HTTP/2": (url, options) => nodeTransport(url, options),
  "Connect over HTTP/2": (url, options) => nodeTransport(url, { ...options, protocol: "connect" }),
};

for (const [wire, make] of Object.entries(wires)) {
  const http2 = wire.endsWith("HTTP/2");
  const seams = { Send: (url) => new SendTransport(make(url)), ...(http2 && { Connect: (url) => new StreamTransport(make(url)) }) };
  for (const [seam, open] of Object.entries(seams)) {
    const clients = Object.fromEntries(VERSIONS.map((version) => [`SDK 2, ${version}`, (transport) => sdk2(Client2, version, transport, blocking)]));
    clients["SDK 1"] = (transport) => sdk1(Client1, types1, transport, blocking);
    for (const [client, make] of Object.entries(clients)) {
      describe(`${client}, ${seam}, ${wire}`, () => {
        for (const name of Object.keys(scenarios)) test(name, () => play(name, make(() => open(server.serving))));
        test("the suite", async () => {
          const { cases, want } = await expected(binary, client);
          assert.equal(differences(await outcomes(make(() => open(`${server.serving}/untouched`)), cases), want), "");
        });
      });
    }
    describe(`losses, ${seam}, ${wire}`, () => {
      const bidi = seam === "Connect";
      for (const [name, lose] of Object.entries(losses)) {
        if (bidi && name === "ASessionStreamThatBreaksIsOpenedAgain") continue; // it is the session
        test(name, async () => {
          const there = name === "NobodyThere" ? undefined : await rude(name, { http2 });
          const url = there?.url ?? "http://127.0.0.1:1";
          try {
            await lose({ bidi, transport: () => open(url), typed: () => new McpClient(make(url)) });
          } finally {
            await there?.stop();
          }
        });
      }
    });
  }
  describe(`typed client, ${wire}`, () => {
    for (const [name, run] of Object.entries(typed)) {
      test(name, () => run({ rpc: (options) => make(server.serving, options), small: () => make(`${server.serving}/small`), blocking }));
    }
  });
}

test("a client of SDK 2 without options finds the version by itself", async () => {
  for (const [mode, version] of [[undefined, LEGACY], ["auto", MODERN]]) {
    const client = new Client2({ name: "test", version: "1" }, mode && { versionNegotiation: { mode } });
    await client.connect(new SendTransport(webTransport(server.serving, "connect")));
    assert.equal(client.getNegotiatedProtocolVersion(), version);
    assert.ok((await client.listTools()).tools.length >= 20);
    await client.close();
  }
});

test("challenges are read", () => {
  assert.deepEqual(parseChallenge('Bearer realm="mcp", error="insufficient_scope", scope="a b", resource_metadata="https://x/y"'), {
    error: "insufficient_scope",
    scope: "a b",
    resourceMetadata: "https://x/y",
  });
  assert.deepEqual(parseChallenge(""), {});
});
