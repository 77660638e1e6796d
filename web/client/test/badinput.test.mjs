// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { after, before, describe, test } from "node:test";
import { webTransport } from "@mcpconnect/client";
import { nodeTransport } from "@mcpconnect/client/node";
import { SendTransport } from "@mcpconnect/client/sdk";
import { badInput } from "./badinput.mjs";
import { bundled, launch, site } from "./chromium.mjs";
import { nonsense, serveNonsense } from "./nonsense.mjs";
import { build, start } from "./server.mjs";

let origin, there, server, browser, page;
before(async () => {
  origin = await site(await bundled(`
    import { webTransport } from "@mcpconnect/client";
    import { SendTransport } from "@mcpconnect/client/sdk";
    import { badInput } from "./badinput.mjs";
    export const run = (name, nonsense, protocol, there, real) => badInput[name]({
      rpc: (path) => webTransport(there + "/" + encodeURIComponent(path), protocol),
      real: (options) => webTransport(real, protocol, options),
      sdk: (rpc) => new SendTransport(rpc),
    }, nonsense);
  `));
  there = await serveNonsense();
  server = await start(build("./testserver"), ["-origins", origin.url], ["serving"]);
  browser = await launch();
  page = await browser.newPage();
  await page.goto(origin.url);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await there?.stop();
  await origin?.stop();
});

const inNode = (make) => (name, what) =>
  badInput[name]({ rpc: (path) => make(`${there.url}/${encodeURIComponent(path)}`), real: (options) => make(server.serving, options), sdk: (rpc) => new SendTransport(rpc) }, what);
const inChromium = (protocol) => (name, what) =>
  page.evaluate(async (args) => (await import("/run.js")).run(...args), [name, what, protocol, there.url, server.serving]);

for (const [where, run] of Object.entries({
  "Node, Connect by fetch": inNode((url, options) => webTransport(url, "connect", options)),
  "Node, gRPC-Web by fetch": inNode((url, options) => webTransport(url, "grpc-web", options)),
  "Node, Connect over HTTP/1.1": inNode((url, options) => nodeTransport(url, { ...options, protocol: "connect", httpVersion: "1.1" })),
  "Chromium, Connect": inChromium("connect"),
  "Chromium, gRPC-Web": inChromium("grpc-web"),
})) {
  describe(where, () => {
    const [first, ...others] = Object.keys(badInput);
    for (const what of Object.keys(nonsense)) test(`${first}: ${what}`, { timeout: 8_000 }, () => run(first, what));
    for (const name of others) test(name, { timeout: 20_000 }, () => run(name));
  });
}
