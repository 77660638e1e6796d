// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { bundled } from "./chromium.mjs";

const maxBundle = 60 * 1024; // bytes, gzipped: the client with both protocols

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
