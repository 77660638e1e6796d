// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { launch } from "./chromium.mjs";
import { losses } from "./losses.mjs";
import { expected } from "./native.mjs";
import { pageScript } from "./page.mjs";
import { rude } from "./rude.mjs";
import { scenarios, VERSIONS } from "./scenarios.mjs";
import { build, start, temporary } from "./server.mjs";
import { differences } from "./suite.mjs";
import { typed } from "./typed.mjs";

describe("in Chromium, from another origin", () => {
  const binary = build("./testserver");
  let server, browser, page;
  before(async () => {
    const pages = temporary();
    writeFileSync(join(pages, "index.html"), `<!doctype html><title>scenarios</title><link rel="icon" href="data:,">`);
    writeFileSync(join(pages, "run.js"), await pageScript());
    server = await start(binary, ["-pages", pages], ["pages", "serving"]);
    browser = await launch();
    page = await browser.newPage();
    await page.goto(server.pages);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** run calls a function of the page. */
  const run = (what, ...args) => page.evaluate(async ([what, args]) => (await import("/run.js"))[what](...args), [what, args]);

  for (const protocol of ["connect", "grpc-web"]) {
    for (const version of [...VERSIONS, ""]) {
      const client = version ? `SDK 2, ${version}` : "SDK 1";
      for (const name of Object.keys(scenarios)) {
        test(`${client}, ${protocol}: ${name}`, () => run("scenario", name, version, server.serving, protocol));
      }
      test(`${client}, ${protocol}: the suite`, async () => {
        const { cases, want } = await expected(binary, client);
        assert.equal(differences(await run("suite", cases, version, `${server.serving}/untouched`, protocol), want), "");
      });
    }
    for (const name of Object.keys(losses)) {
      test(`losses, ${protocol}: ${name}`, async () => {
        const there = await rude(name);
        if (name === "NobodyThere") await there.stop();
        try {
          await run("loss", name, there.url, protocol);
        } finally {
          if (name !== "NobodyThere") await there.stop();
        }
      });
    }
    for (const name of Object.keys(typed)) {
      test(`typed client, ${protocol}: ${name}`, () => run("call", name, server.serving, `${server.serving}/small`, protocol));
    }
  }
});
