// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// What `make web` does on machines where these tests cannot run.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, test } from "node:test";
import { folder, temporary } from "./server.mjs";

const root = join(folder, "../..");
let bare;
before(() => {
  bare = temporary();
  for (const file of ["Makefile", ".ci/npm", ...["web/client", "examples/webapp/page"].flatMap((d) => [`${d}/package.json`, `${d}/package-lock.json`])]) {
    mkdirSync(dirname(join(bare, file)), { recursive: true });
    copyFileSync(join(root, file), join(bare, file));
  }
  mkdirSync(join(bare, "bin"));
  for (const tool of ["bash", "env", "make", "dirname", "cmp", "sort", "awk", "git", "node"]) {
    symlinkSync(execFileSync("which", [tool], { encoding: "utf8" }).trim(), join(bare, "bin", tool));
  }
});

/** make runs `make web` there. */
function make(env) {
  return new Promise((done) => {
    execFile("make", ["web"], { cwd: bare, env: { HOME: bare, ...env } }, (err, stdout, stderr) => done({ failed: err !== null, said: stdout + stderr }));
  });
}

for (const [what, env, why] of [
  ["without npm", () => ({ PATH: join(bare, "bin") }), /Node\.js and npm are missing: install Node\.js 20\.19/],
  ["without the registry", () => ({ PATH: process.env.PATH, npm_config_registry: "http://127.0.0.1:1", npm_config_fetch_retries: "0", npm_config_cache: join(bare, "cache") }), /packages of web\/client\/package-lock\.json could not be installed/],
]) {
  test(`${what}, it says what is missing and skipped; CI fails`, async () => {
    const skipped = await make(env());
    assert.match(skipped.said, why);
    assert.match(skipped.said, /SKIPPED: .*TypeScript client.*Chromium/);
    assert.equal(skipped.failed, false);
    const inCI = await make({ ...env(), CI: "true" });
    assert.match(inCI.said, why);
    assert.equal(inCI.failed, true);
    assert.deepEqual(readdirSync(join(bare, "web/client")).filter((f) => f === "dist"), []);
  });
}
