// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Client as Client2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as Stdio2 } from "@modelcontextprotocol/client/stdio";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as Stdio1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import * as types1 from "@modelcontextprotocol/sdk/types.js";
import { sdk1, sdk2, VERSIONS } from "./scenarios.mjs";
import { folder } from "./server.mjs";
import { outcomes } from "./suite.mjs";

const cases = JSON.parse(readFileSync(join(folder, "../../handlers/testdata/suite.json"), "utf8"));
const native = {};

/** expected gives the requests of the suite, and what comes of them over the SDKs' own transport. */
export async function expected(binary, client) {
  const server = { command: binary, args: ["-stdio"] };
  const version = VERSIONS.find((v) => client.endsWith(v));
  const t = version ? sdk2(Client2, version, () => new Stdio2(server)) : sdk1(Client1, types1, () => new Stdio1(server));
  const want = await (native[client] ??= outcomes(t, cases));
  if (Object.keys(want).length < 150) throw new Error(`only ${Object.keys(want).length} requests`);
  return { cases, want };
}
