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

const list = readFileSync(join(folder, "../../mcpconnect/testdata/scenarios.txt"), "utf8").trim().split("\n").sort();
const inFile = (file) => {
  const text = readFileSync(join(folder, "test", file), "utf8");
  return list.filter((name) => text.includes(name));
};

test("the scenarios are those of the Go client", () => {
  const here = [...Object.keys({ ...scenarios, ...losses, ...typed, ...elsewhere }), ...inFile("restarts.test.mjs")];
  assert.deepEqual(here.sort(), list);
});

test("Python's server plays all but those that the tests have servers of their own for", () => {
  const ownServers = [...Object.keys(losses), "StreamsThatDrainOneAfterTheOther"];
  const here = [...Object.keys({ ...scenarios, ...typed, ...elsewhere }), ...inFile("python.test.mjs"), ...ownServers];
  assert.deepEqual(here.sort(), list);
});
