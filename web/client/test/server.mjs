// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createInterface } from "node:readline";

export const folder = join(dirname(fileURLToPath(import.meta.url)), "..");

/** temporary makes a folder that ends with the process. */
export function temporary() {
  const dir = mkdtempSync(join(tmpdir(), "mcpconnect-web-"));
  process.once("exit", () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** build compiles a Go command and gives its path. */
export function build(pkg, cwd = folder) {
  const binary = join(temporary(), "command");
  execFileSync("go", ["build", "-o", binary, pkg], { cwd, stdio: "inherit" });
  return binary;
}

/** start runs a command until stop() and gives what its lines "word value" say. */
export async function start(binary, args, words) {
  const child = spawn(binary, args, { stdio: ["pipe", "pipe", "inherit"] });
  const said = {};
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const lines = createInterface({ input: child.stdout });
  await new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      const [word, value] = line.split(" ");
      if (words.includes(word)) said[word] = value;
      if (words.every((w) => w in said)) resolve();
    });
    void exited.then((code) => reject(new Error(`${binary} ended with ${code}`)));
  });
  return {
    ...said,
    /** kill interrupts a command that does not watch its standard input. */
    kill() {
      child.kill("SIGINT");
      return exited;
    },
    stop() {
      child.stdin.end();
      return exited;
    },
  };
}
