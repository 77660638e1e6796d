// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import type { AuthProvider } from "@mcpconnect/client";

let current: string | undefined;
let asked: Promise<string | undefined> | undefined;

/**
 * pageToken gives calls the token that the app hands out to pages of who is logged in. It
 * lives in memory only. When the login has ended, it sends the user to the login page, which
 * leads back here.
 */
export const pageToken: AuthProvider = {
  async token() {
    return (current ??= await ask());
  },
  async challenged(_challenge, token) {
    if (current === token) current = undefined;
    return (await this.token()) !== undefined;
  },
};

function ask(): Promise<string | undefined> {
  return (asked ??= fetchToken().finally(() => (asked = undefined)));
}

async function fetchToken(): Promise<string | undefined> {
  const res = await fetch("/token", { method: "POST" });
  if (res.status === 401 || res.status === 403) {
    location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
    // The page goes away; who comes back to it as it was may try again.
    return new Promise((back) => addEventListener("pageshow", () => back(undefined), { once: true }));
  }
  if (!res.ok) throw new Error(`token: HTTP status ${res.status}`);
  return ((await res.json()) as { access_token: string }).access_token;
}
