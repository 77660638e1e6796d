// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

// The samples of a section go together, and may use what the first one imports.
test("the samples of the README are programs", () => {
  const sections = readFileSync("README.md", "utf8").split(/^## /m)
    .map((section) => [...section.matchAll(/^```ts\n(.*?)^```$/gms)].map((m) => m[1]).join("\n"))
    .filter((code) => code !== "");
  assert.equal(sections.length, 3);
  const first = sections[0].match(/^import .*$/m)[0];
  const dir = mkdtempSync(join("test", "readme-")); // here, so that @mcpconnect/client is this package
  try {
    const files = sections.map((code, i) => {
      const file = join(dir, `section${i}.ts`);
      writeFileSync(file, i === 0 || code.includes(first) ? code : `${first}\n${code}`);
      return file;
    });
    const args = ["--ignoreConfig", "--noEmit", "--strict", "--target", "ES2022", "--module", "NodeNext", "--lib", "ES2022,DOM,DOM.Iterable", "--types", "node", "--skipLibCheck"];
    const tsc = spawnSync(join("node_modules", ".bin", "tsc"), [...args, ...files], { encoding: "utf8" });
    assert.equal(tsc.status, 0, `${tsc.stdout}${tsc.stderr}`);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
