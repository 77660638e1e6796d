// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { chromium } from "playwright-core";

/** launch starts Debian's Chromium, which may run as root here, and looks nothing up outside. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}
