// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { folder, temporary } from "./server.mjs";

const root = join(folder, "../..");
const venv = join(root, ".tmp/venv");

/** skipped says why the tests with Python's server are, if they are. In CI they are not, and fail. */
export const skipped = existsSync(join(venv, ".installed")) || process.env.CI ? false : "SKIPPED: the packages of python/constraints.txt are missing; see make python";

/** pythonServer runs the Python server of the scenarios. */
export async function pythonServer(...args) {
  const server = run(join(venv, "bin/python3"), [join(root, "python/tests/scenarios.py"), ...args], "stdout");
  let blocking = 0;
  server.on("line", ({ event }) => {
    if (event === "blocked") blocking++;
    if (event === "unblocked") blocking--;
  });
  const { url } = await server.says((line) => line.event === "serving");
  return { serving: url, blocking: async () => blocking, stop: () => server.stop() };
}

/** gatewayTo runs `mcpconnect gateway` before a server of gRPC, for pages of an origin. */
export async function gatewayTo(binary, url, origin) {
  const config = join(temporary(), "gateway.json");
  writeFileSync(config, JSON.stringify({ listen: "127.0.0.1:0", origins: [origin], servers: { python: { url, protocol: "grpc" } } }));
  const gateway = run(binary, ["gateway", "--config", config, "--log-format", "json"], "stderr");
  const { address } = await gateway.says((line) => line.msg === "the gateway is ready");
  return { serving: `http://${address}`, stop: () => gateway.stop() };
}

/** run starts a program that tells of itself by a JSON object a line, on one of its outputs. */
function run(command, args, output) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "exit");
  process.once("exit", () => child.kill());
  if (output !== "stderr") child.stderr.pipe(process.stderr);
  const lines = createInterface({ input: child[output] });
  const heard = [];
  const listeners = [(line) => heard.push(line)];
  lines.on("line", (text) => {
    const line = JSON.parse(text);
    for (const listener of listeners) listener(line);
  });
  return {
    on: (_, listener) => listeners.push(listener),
    /** says waits for a line. */
    says(what) {
      return new Promise((resolve, reject) => {
        const found = heard.find(what);
        if (found) return resolve(found);
        listeners.push((line) => what(line) && resolve(line));
        void ended.then(([code]) => reject(new Error(`${command} ended with ${code}; it said ${JSON.stringify(heard)}`)));
      });
    },
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
