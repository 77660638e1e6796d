// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { losses } from "./losses.mjs";
import { scenarios } from "./scenarios.mjs";
import { folder } from "./server.mjs";
import { typed } from "./typed.mjs";

const elsewhere = {
  ClientBoundsRounds: "McpClient makes no rounds by itself: it returns questions",
};

test("the scenarios are those of the Go client", () => {
  const list = readFileSync(join(folder, "../../mcpconnect/testdata/scenarios.txt"), "utf8").trim().split("\n");
  const restarts = readFileSync(join(folder, "test/restarts.test.mjs"), "utf8");
  const here = [...Object.keys({ ...scenarios, ...losses, ...typed, ...elsewhere }), ...list.filter((name) => restarts.includes(name))];
  assert.deepEqual(here.sort(), list.sort());
});
