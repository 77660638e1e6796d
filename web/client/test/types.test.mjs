// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { folder } from "./server.mjs";

for (const options of [[], ["--exactOptionalPropertyTypes", "false"], ["--module", "preserve", "--moduleResolution", "bundler"]]) {
  test(`apps in TypeScript can use it, with both SDKs ${options.join(" ")}`, () => {
    const { stdout, status } = spawnSync("npx", ["tsc", "-p", "test/types", ...options], { cwd: folder, encoding: "utf8" });
    assert.equal(stdout, "");
    assert.equal(status, 0);
  });
}

test("the package has what it promises, and nothing else", () => {
  const [{ files }] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: folder, encoding: "utf8" }));
  const names = files.map((f) => f.path);
  for (const entry of ["index", "sdk", "oauth", "node", "gen/mcp/v1/tool_pb"]) {
    for (const type of ["js", "d.ts"]) assert.ok(names.includes(`dist/${entry}.${type}`), `${entry}.${type} is missing`);
  }
  assert.deepEqual(names.filter((n) => !n.startsWith("dist/")).sort(), ["LICENSE", "README.md", "package.json"]);
  assert.equal(readFileSync(join(folder, "LICENSE"), "utf8"), readFileSync(join(folder, "../../LICENSE"), "utf8"));
});
