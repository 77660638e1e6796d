// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// What `make web` does on machines where these tests cannot run.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, test } from "node:test";
import { folder, temporary } from "./server.mjs";

const root = join(folder, "../..");
const folders = ["web/client", "examples/webapp/page"];
let bare;
before(() => {
  bare = temporary();
  for (const file of ["Makefile", ".ci/npm", ...folders.flatMap((d) => [`${d}/package.json`, `${d}/package-lock.json`])]) {
    mkdirSync(dirname(join(bare, file)), { recursive: true });
    copyFileSync(join(root, file), join(bare, file));
  }
  mkdirSync(join(bare, "bin"));
  for (const tool of ["bash", "env", "make", "dirname", "cmp", "sort", "awk", "git", "node"]) {
    symlinkSync(execFileSync("which", [tool], { encoding: "utf8" }).trim(), join(bare, "bin", tool));
  }
});

/** make runs `make web` there. */
function make(env, cwd = bare) {
  return new Promise((done) => {
    execFile("make", ["web"], { cwd, env: { HOME: cwd, ...env } }, (err, stdout, stderr) => done({ failed: err !== null, said: stdout + stderr }));
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

test("without the packages for Python, it says what is skipped, and goes on; CI fails", async () => {
  const dir = temporary();
  mkdirSync(join(dir, "bin"));
  for (const file of ["Makefile", ".ci/npm", "python/pyproject.toml", "python/constraints.txt", ...folders.map((d) => `${d}/package-lock.json`)]) {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    copyFileSync(join(root, file), join(dir, file));
  }
  for (const d of folders) { // as if npm had been there
    mkdirSync(join(dir, d, "node_modules"));
    copyFileSync(join(root, d, "package-lock.json"), join(dir, d, "node_modules/.lock"));
  }
  const tool = (name, script) => writeFileSync(join(dir, "bin", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  tool("python3", "echo no registry >&2; exit 1");
  tool("npm", 'echo "npm $*"');
  tool("npx", "");
  const run = (env) => make({ PATH: `${join(dir, "bin")}:${process.env.PATH}`, ...env }, dir);
  const skipped = await run();
  assert.match(skipped.said, /SKIPPED: .*Python's server/);
  assert.match(skipped.said, /npm run --silent build\nnpm test --silent\n/);
  assert.equal(skipped.failed, false);
  const inCI = await run({ CI: "true" });
  assert.match(inCI.said, /SKIPPED: .*Python's server/);
  assert.doesNotMatch(inCI.said, /npm/);
  assert.equal(inCI.failed, true);
});
