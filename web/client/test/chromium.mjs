// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { join } from "node:path";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { listen } from "./rude.mjs";
import { folder } from "./server.mjs";

/** launch starts Debian's Chromium, which may run as root here, and looks nothing up outside. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** bundled is the script of a page; what it imports with "./" is in this folder. */
export async function bundled(contents) {
  const out = await build({
    stdin: { contents, resolveDir: join(folder, "test") },
    bundle: true, minify: true, format: "esm", platform: "browser", target: "es2022", write: false, logLevel: "error",
  });
  return out.outputFiles[0].text;
}

/** site serves an empty page with the module /run.js, on an origin of its own; policy() is its CSP, if any. */
export function site(script, policy) {
  return listen((req, res) => {
    if (policy) res.setHeader("Content-Security-Policy", policy());
    if (req.url === "/run.js") res.setHeader("Content-Type", "text/javascript").end(script);
    else res.setHeader("Content-Type", "text/html").end(`<!doctype html><title>test</title><link rel="icon" href="data:,">${policy ? `<script type="module" src="/run.js"></script>` : ""}`);
  });
}
