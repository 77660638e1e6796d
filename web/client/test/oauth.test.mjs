// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client as Client2 } from "@modelcontextprotocol/client";
import { McpClient, webTransport } from "@mcpconnect/client";
import { nodeTransport, StreamTransport } from "@mcpconnect/client/node";
import { OAuth } from "@mcpconnect/client/oauth";
import { SendTransport } from "@mcpconnect/client/sdk";
import { LEGACY, MODERN, sdk2, until } from "./scenarios.mjs";
import { provider } from "./provider.mjs";
import { build, start } from "./server.mjs";

const redirectUri = "http://127.0.0.1/callback"; // nobody listens: the test plays the browser
const lifetime = 3; // seconds, of access tokens

let server, op;
before(async () => {
  op = await provider(redirectUri, lifetime);
  server = await start(build("./testserver"), ["-issuer", op.issuer], ["serving"]);
});
after(async () => {
  await server?.stop();
  op?.stop();
});

/** browser follows redirects with its cookies, logs in as Ada and agrees, as a person would. */
function browser() {
  const cookies = new Map();
  const visited = [];
  async function visit(url, body) {
    for (let hop = 0; hop < 20; hop++) {
      if (url.startsWith(redirectUri)) return url;
      visited.push(url);
      const res = await fetch(url, {
        method: body ? "POST" : "GET",
        redirect: "manual",
        headers: { Cookie: [...cookies].map(([k, v]) => `${k}=${v}`).join("; ") },
        ...(body && { body: new URLSearchParams(body) }),
      });
      for (const c of res.headers.getSetCookie()) {
        const [, key, value] = /^([^=]+)=([^;]*)/.exec(c);
        if (value) cookies.set(key, value);
        else cookies.delete(key);
      }
      const html = await res.text();
      if (res.status >= 300 && res.status < 400) {
        [url, body] = [new URL(res.headers.get("location"), url).href, undefined];
        continue;
      }
      assert.equal(res.status, 200, html);
      const prompt = /name="prompt" value="(\w+)"/.exec(html)?.[1];
      assert.ok(prompt, html);
      body = prompt === "login" ? { prompt, login: "ada", password: "x" } : { prompt };
      url = new URL(/action="([^"]+)"/.exec(html)?.[1] ?? url, url).href;
    }
    throw new Error("the login does not end");
  }
  return { visit, visited };
}

function login(scopes) {
  const kept = new Map();
  const person = browser();
  const logins = [];
  let finish;
  const auth = new OAuth({
    resource: server.serving,
    clientId: "page",
    redirectUri,
    scopes,
    storage: { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v), removeItem: (k) => kept.delete(k) },
    navigate: async (url) => {
      logins.push(new URL(url).searchParams);
      finish = await person.visit(url);
      assert.equal(await auth.finishLogin(finish), "");
    },
  });
  return { auth, kept, logins, finished: () => finish };
}

for (const protocol of ["connect", "grpc-web"]) {
  test(`login, step-up and refresh over ${protocol}`, async () => {
    const { auth, logins } = login(["offline_access"]);
    const c = new McpClient(webTransport(server.serving, protocol, { auth }));
    // The first call is refused, and tells where to log in.
    assert.equal((await c.callTool("structured_object")).case, "result");
    assert.equal(logins.length, 1);
    assert.equal(logins[0].get("code_challenge_method"), "S256");
    assert.equal(logins[0].get("resource"), server.serving);
    // A stream is refused for a scope, and goes on after a login with all scopes.
    const kinds = [];
    for await (const e of c.streamTool("update_resource", { text: "x" })) kinds.push(e.kind);
    assert.deepEqual(kinds, ["result"]);
    assert.equal(logins.length, 2);
    assert.deepEqual(logins[1].get("scope").split(" ").sort(), ["offline_access", "write"]);
    // Tokens that have ended are replaced without a login, once for all calls.
    const old = await auth.token();
    await until(async () => (await auth.token()) !== old, "another token");
    const all = await Promise.all([1, 2, 3].map(() => c.callTool("update_resource", { text: "y" })));
    assert.ok(all.every((r) => r.case === "result"));
    assert.equal(logins.length, 2);
  });
}

for (const [seam, open] of Object.entries({
  "Send by fetch": (auth) => new SendTransport(webTransport(server.serving, "grpc-web", { auth })),
  "Send over gRPC": (auth) => new SendTransport(nodeTransport(server.serving, { auth })),
})) {
  test(`login and step-up for the SDK, ${seam}`, async () => {
    const { auth, logins } = login(["offline_access"]);
    const t = sdk2(Client2, MODERN, () => open(auth));
    const c = await t.connect(t.client());
    await c.callTool({ name: "update_resource", arguments: { text: "z" } });
    assert.deepEqual(logins.map((l) => l.get("scope")), ["offline_access", "offline_access write"]);
    await c.close();
  });
}

for (const version of [MODERN, LEGACY]) {
  test(`login for the SDK, Connect over gRPC, ${version}`, async () => {
    const { auth, logins } = login(["offline_access", "write"]);
    const t = sdk2(Client2, version, () => new StreamTransport(nodeTransport(server.serving, { auth })));
    const c = await t.connect(t.client());
    await c.callTool({ name: "update_resource", arguments: { text: "z" } });
    assert.equal(logins.length, 1);
    await c.close();
  });
}

test("a stream that is refused whatever is done fails its calls", async () => {
  const transport = new StreamTransport(nodeTransport(server.serving, { auth: { token: async () => "wrong", challenged: async () => true } }));
  const answer = new Promise((come) => (transport.onmessage = come));
  await transport.send({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} });
  assert.equal((await answer).error.code, -32603);
  await transport.close();
});

test("answers to a login that did not begin here are refused", async () => {
  const { auth, kept, finished } = login(["write"]);
  await assert.rejects(auth.finishLogin(`${redirectUri}?code=x&state=y`), /no login has begun/);
  await auth.login("");
  await assert.rejects(auth.finishLogin(finished()), /no login has begun/, "a code is good once");
  for (const [what, change] of Object.entries({ state: { state: "forged" }, issuer: { iss: "https://evil.example" } })) {
    kept.set("mcpconnect:login", JSON.stringify({ issuer: op.issuer, verifier: "v".repeat(43), state: new URL(finished()).searchParams.get("state"), back: "", scope: "" }));
    const url = new URL(finished());
    for (const [key, value] of Object.entries(change)) url.searchParams.set(key, value);
    await assert.rejects(auth.finishLogin(url.href), new RegExp(what === "state" ? "state" : "iss"), what);
  }
});
