// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { build as bundle } from "esbuild";
import { launch } from "./chromium.mjs";
import { LEGACY, MODERN, scenarios } from "./scenarios.mjs";
import { build, folder, start } from "./server.mjs";

const maxBundle = 60 * 1024; // bytes, gzipped: the client with both protocols

async function bundled(contents) {
  const out = await bundle({
    stdin: { contents, resolveDir: join(folder, "test") },
    bundle: true, minify: true, format: "esm", platform: "browser", target: "es2022", write: false, logLevel: "error",
  });
  return out.outputFiles[0].text;
}

test("the client with both protocols is small", async () => {
  const size = gzipSync(await bundled(`export * from "@mcpconnect/client"; export * from "@mcpconnect/client/sdk"`)).length;
  console.log(`bundle of the client, the transport for the SDK and both protocols: ${size} bytes gzipped`);
  assert.ok(size <= maxBundle, `${size} bytes gzipped, at most ${maxBundle} are allowed`);
});

test("what is not used is left out", async () => {
  const one = (await bundled(`import { connectTransport } from "@mcpconnect/client"; console.log(connectTransport)`)).length;
  const all = (await bundled(`export * from "@mcpconnect/client"`)).length;
  assert.ok(one < 0.8 * all, `${one} of ${all} bytes`);
});

describe("in Chromium, from another origin", () => {
  let server, browser, page;
  before(async () => {
    const pages = mkdtempSync(join(tmpdir(), "pages-"));
    writeFileSync(join(pages, "index.html"), `<!doctype html><title>scenarios</title><link rel="icon" href="data:,">`);
    writeFileSync(join(pages, "run.js"), await bundled(`
      import { Client } from "@modelcontextprotocol/client";
      import { webTransport } from "@mcpconnect/client";
      import { SendTransport } from "@mcpconnect/client/sdk";
      import { play, sdk2 } from "./scenarios.mjs";
      export const run = (name, version, url, protocol) => play(name, sdk2(Client, version,
        () => new SendTransport(webTransport(url, protocol)),
        async () => Number(await (await fetch("/blocking")).text())));
    `));
    server = await start(build("./testserver"), ["-pages", pages], ["pages", "serving"]);
    browser = await launch();
    page = await browser.newPage();
    await page.goto(server.pages);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  for (const protocol of ["connect", "grpc-web"]) {
    for (const version of [MODERN, LEGACY]) {
      for (const name of Object.keys(scenarios)) {
        test(`SDK 2, ${version}, ${protocol}: ${name}`, () =>
          page.evaluate(async ([...args]) => (await import("/run.js")).run(...args), [name, version, server.serving, protocol]));
      }
    }
  }
});
