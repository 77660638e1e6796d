// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// What the login makes of servers that are wrong, slow or hostile.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Code, createClient, createRouterTransport } from "@connectrpc/connect";
import { authInterceptor, connectTransport, McpClient, parseChallenge } from "@mcpconnect/client";
import { MCP } from "@mcpconnect/client/gen/mcp/v1/mcp_pb";
import { OAuth } from "@mcpconnect/client/oauth";
import { listen } from "./rude.mjs";
import { rejection } from "./scenarios.mjs";

const redirectUri = "http://127.0.0.1/callback";
const json = (res, value, status = 200) => res.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));

/** The server of the resource, and two authorization servers: one that it names, and one that it could. */
let resource, issuer, other;
beforeEach(async () => {
  [issuer, other] = [await authorizationServer(), await authorizationServer()];
  resource = await listen((req, res) => {
    resource.asked.push(req.url);
    json(res, { resource: resource.url, authorization_servers: [resource.issuer], ...resource.says });
  });
  Object.assign(resource, { asked: [], says: {}, issuer: issuer.url });
});
afterEach(() => Promise.all([resource, issuer, other].map((s) => s.stop())));

/** authorizationServer gives the tokens "1", "2", … */
async function authorizationServer() {
  const server = await listen((req, res) => {
    if (req.url.startsWith("/.well-known/")) {
      return json(res, {
        issuer: server.url,
        authorization_endpoint: `${server.url}/authorize`,
        token_endpoint: `${server.url}/token`,
        code_challenge_methods_supported: ["S256"],
        ...server.metadata,
      });
    }
    let body = "";
    req.on("data", (d) => (body += d));
    req.on("end", () => {
      server.grants.push(new URLSearchParams(body).get("grant_type"));
      if (server.token) return server.token(res);
      json(res, { access_token: `${server.grants.length}`, token_type: "Bearer", expires_in: 3600, refresh_token: "r", ...server.answer });
    });
  });
  return Object.assign(server, { grants: [], metadata: {}, answer: {}, token: undefined });
}

/** login is a page whose user agrees at once. */
function login() {
  const kept = new Map();
  const logins = [];
  const options = { resource: resource.url, clientId: "page", redirectUri, storage: { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v), removeItem: (k) => kept.delete(k) } };
  const page = {
    logins,
    finish: () => page.auth.finishLogin(`${redirectUri}?code=c&state=${logins.at(-1).get("state")}`),
    auth: new OAuth({
      ...options,
      async navigate(url) {
        logins.push(new URL(url).searchParams);
        await page.finish();
      },
    }),
    /** reload forgets what is not stored. */
    reload: () => (page.auth = new OAuth(options)),
  };
  return page;
}

for (const [what, metadata, why] of [
  ["script", { authorization_endpoint: "javascript:alert(1)//" }, /neither https/],
  ["in clear", { authorization_endpoint: "http://login.example/authorize" }, /neither https/],
  ["nowhere", { authorization_endpoint: undefined }, /no authorization endpoint/],
  ["without PKCE", { code_challenge_methods_supported: undefined }, /PKCE/],
  ["with plain PKCE", { code_challenge_methods_supported: ["plain"] }, /PKCE/],
]) {
  test(`nobody is led to a login that is ${what}`, async () => {
    issuer.metadata = metadata;
    const { auth, logins } = login();
    await assert.rejects(auth.login(), why);
    assert.deepEqual(logins, []);
  });
}

test("a code goes to who was asked for it, whatever the metadata says by then", async () => {
  const page = login();
  const { finish } = page;
  page.finish = () => {
    resource.issuer = other.url;
    page.reload();
    return finish();
  };
  await page.auth.login();
  assert.deepEqual([issuer.grants, other.grants], [["authorization_code"], []]);
});

test("a refresh token goes to who has given it", async () => {
  issuer.answer = { expires_in: 0 };
  const { auth } = login();
  await auth.login();
  resource.issuer = other.url;
  assert.equal(await auth.challenged({ status: 401, resourceMetadata: `${resource.url}/elsewhere` }, "1"), true);
  assert.deepEqual([issuer.grants, other.grants], [["authorization_code", "refresh_token"], []]);
});

test("the metadata is where the challenge says, and for this server", async () => {
  const { auth, logins } = login();
  await auth.challenged({ status: 401, resourceMetadata: `${resource.url}/elsewhere` }, undefined);
  assert.deepEqual(resource.asked, ["/elsewhere"]);
  assert.equal(logins.length, 1);
  resource.says = { resource: other.url };
  await assert.rejects(login().auth.challenged({ status: 401, resourceMetadata: `${resource.url}/elsewhere` }, undefined), /resource/);
  await assert.rejects(login().auth.challenged({ status: 401, resourceMetadata: "http://mcp.example/elsewhere" }, undefined), /neither https/);
});

test("nobody is asked again and again for the same scopes", async () => {
  const { auth, logins } = login();
  const refused = (scope) => auth.token().then((token) => auth.challenged({ status: 403, error: "insufficient_scope", scope }, token));
  await auth.login();
  assert.equal(await refused("read write"), true);
  assert.equal(await refused("write"), false);
  assert.equal(await refused(undefined), false);
  assert.equal(await refused("admin"), true);
  assert.deepEqual(logins.map((l) => l.get("scope")), [null, "read write", "read write admin"]);
});

test("a token that is refused as soon as it is there is not replaced by a login", async () => {
  issuer.answer = { refresh_token: undefined };
  const { auth, logins } = login();
  assert.equal(await auth.challenged({ status: 401 }, undefined), true);
  assert.equal(await auth.challenged({ status: 401, error: "invalid_token" }, "1"), false);
  assert.equal(logins.length, 1);
  // One that was good for a while is.
  issuer.answer = { refresh_token: undefined, expires_in: 0 };
  await auth.login();
  assert.equal(await auth.challenged({ status: 401, error: "invalid_token" }, "2"), true);
});

test("a refresh that does not come about is tried again; one that is refused leads to the login", async () => {
  issuer.answer = { expires_in: 0 };
  const { auth, logins } = login();
  await auth.login();
  const answer = async (token) => {
    issuer.token = token;
    return rejection(auth.token(), "refresh");
  };
  await answer((res) => res.destroy());
  await answer((res) => json(res, { error: "temporarily_unavailable" }, 503));
  await answer((res) => res.writeHead(502).end("<h1>Bad gateway</h1>"));
  issuer.token = undefined;
  assert.equal(await auth.token(), "5");
  issuer.token = (res) => json(res, { error: "invalid_grant" }, 400);
  assert.equal(await auth.token(), undefined);
  assert.equal(logins.length, 1);
});

test("a logout holds, though a refresh is under way", async () => {
  issuer.answer = { expires_in: 0 };
  const { auth } = login();
  await auth.login();
  let answer;
  const asked = new Promise((come) => {
    issuer.token = (res) => {
      answer = () => json(res, { access_token: "late", token_type: "Bearer" });
      come();
    };
  });
  const refreshed = auth.token();
  await asked;
  auth.logout();
  answer();
  assert.equal(await refreshed, undefined);
  assert.equal(await auth.token(), undefined);
});

const never = new Promise(() => {});
for (const [what, provider] of Object.entries({
  token: { token: () => never, challenged: async () => false },
  challenge: { token: async () => undefined, challenged: () => never },
})) {
  test(`a call waits for its ${what} no longer than it has time`, async () => {
    const refusing = await listen((_, res) => json(res, { code: "unauthenticated", message: "log in" }, 401));
    const c = new McpClient(connectTransport(refusing.url, { auth: provider }));
    for (const call of [(s) => c.callTool("x", {}, s), (s) => c.streamTool("x", {}, s).next()]) {
      assert.equal((await rejection(call({ timeoutMs: 50 }), "deadline")).status, Code.DeadlineExceeded);
      const stop = new AbortController();
      const stopped = rejection(call({ signal: stop.signal }), "abort");
      setImmediate(() => stop.abort());
      assert.equal((await stopped).status, Code.Canceled);
      assert.equal((await rejection(call({ signal: AbortSignal.abort() }), "aborted before")).status, Code.Canceled);
    }
    await refusing.stop();
  });
}

test("a challenge on a stream that was not refused costs none of its messages", async () => {
  let asked = 0;
  const provider = { token: async () => "t", challenged: async () => (asked++, true) };
  const transport = createRouterTransport(
    ({ service }) =>
      service(MCP, {
        async *listen(_, ctx) {
          ctx.responseHeader.set("www-authenticate", "Bearer");
          yield { kind: { case: "toolsListChanged", value: {} } };
          await never;
        },
      }),
    { transport: { interceptors: [authInterceptor(provider)] } },
  );
  const events = createClient(MCP, transport).listen({})[Symbol.asyncIterator]();
  assert.equal((await events.next()).value.kind.case, "toolsListChanged");
  assert.equal(asked, 0);
});

test("credentials go in clear to this machine only", async () => {
  const sent = [];
  const fetch = async (url, init) => {
    sent.push(new Headers(init.headers).get("authorization"));
    throw new TypeError("nobody there");
  };
  const auth = { token: async () => "secret", challenged: async () => false };
  for (const [url, options, want] of [
    ["http://mcp.example", { auth }, 9],
    ["http://mcp.example", { headers: { authorization: "Bearer secret" } }, 9],
    ["http://127.0.0.1.example", { auth }, 9],
    ["http://mcp.example", { headers: { authorization: "Bearer secret" }, insecureCredentials: true }, 14],
    ["http://mcp.example", { headers: { "x-team": "agents" } }, 14],
    ["http://127.0.0.1:1", { auth }, 14],
    ["http://[::1]:1", { auth }, 14],
    ["http://localhost:1", { auth }, 14],
    ["https://mcp.example", { auth }, 14],
  ]) {
    const e = await rejection(new McpClient(connectTransport(url, { ...options, fetch })).discover(), url);
    assert.equal(e.status, want, `${url}: ${e.message}`);
    assert.doesNotMatch(`${e.message} ${e.stack}`, /secret/);
  }
  assert.equal(sent.length, 6);
});

test("challenges are read in all their forms", () => {
  for (const [header, want] of [
    ["Bearer error=invalid_token", { error: "invalid_token" }],
    ['Bearer scope = "a b" , error="insufficient_scope"', { error: "insufficient_scope", scope: "a b" }],
    ['Basic realm="x", bearer error="invalid_token"', { error: "invalid_token" }],
    ['Bearer error="a \\"b\\""', { error: 'a "b"' }],
    ["Bearer", {}],
  ]) {
    assert.deepEqual(parseChallenge(header), want, header);
  }
});
