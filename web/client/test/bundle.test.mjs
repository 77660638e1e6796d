// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { bundled } from "./chromium.mjs";
import { folder } from "./server.mjs";

const maxBundle = 60 * 1024; // bytes, gzipped: the client with both protocols

test("the client with both protocols is small", async () => {
  const size = gzipSync(await bundled(`export * from "@mcpconnect/client"; export * from "@mcpconnect/client/sdk"`)).length;
  console.log(`bundle of the client, the transport for the SDK and both protocols: ${size} bytes gzipped`);
  const kilobytes = Math.round(size / 1024);
  assert.match(readFileSync(join(folder, "README.md"), "utf8"), new RegExp(`With both protocols it is ${kilobytes} KB gzipped`));
  assert.ok(size <= maxBundle, `${size} bytes gzipped, at most ${maxBundle} are allowed`);
});

test("what is not used is left out", async () => {
  const one = await bundled(`import { connectTransport } from "@mcpconnect/client"; console.log(connectTransport)`);
  const all = await bundled(`export * from "@mcpconnect/client"`);
  assert.ok(one.length < 0.8 * all.length, `${one.length} of ${all.length} bytes`);
  // Words of the other protocol, of listenShared, and of the login.
  for (const [word, inAll] of [["application/grpc-web", true], ["BroadcastChannel", true], ["code_challenge", false]]) {
    assert.deepEqual([one.includes(word), all.includes(word)], [false, inAll], word);
  }
});
