// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// The login of "@mcpconnect/client/oauth" in Chromium: page, server and OpenID provider are three
// origins, and a person fills in the provider's forms.

import assert from "node:assert/strict";
import { after, before, beforeEach, afterEach, describe, test } from "node:test";
import { bundled, launch, site } from "./chromium.mjs";
import { provider } from "./provider.mjs";
import { until } from "./scenarios.mjs";
import { build, start } from "./server.mjs";

const lifetime = 3; // seconds, of access tokens

const script = `
  import { McpClient, webTransport } from "@mcpconnect/client";
  import { OAuth } from "@mcpconnect/client/oauth";
  const query = () => new URLSearchParams(location.search);
  const kept = JSON.parse(sessionStorage.getItem("app") ?? "{}");
  for (const [k, v] of query()) if (["resource", "protocol", "scopes"].includes(k)) kept[k] = v;
  sessionStorage.setItem("app", JSON.stringify(kept));
  const auth = new OAuth({ resource: kept.resource, clientId: "page", redirectUri: location.origin + "/callback", scopes: kept.scopes.split(" ").filter(Boolean) });
  document.title = "ready";
  if (location.pathname === "/callback") {
    try {
      history.replaceState(null, "", await auth.finishLogin());
      document.title = "logged in";
    } catch (e) {
      document.title = "failed: " + e.message;
    }
  }
  const client = new McpClient(webTransport(kept.resource, kept.protocol, { auth }));
  globalThis.call = async (tool, args) => {
    const kinds = [];
    for await (const e of client.streamTool(tool, args)) kinds.push(e.kind);
    return kinds.join();
  };
  globalThis.unary = async (tool) => (await client.callTool(tool)).case;
`;

describe("login in Chromium", () => {
  let origin, op, server, browser, context, page, seen, faults;
  before(async () => {
    origin = await site(await bundled(script), () => `default-src 'none'; script-src 'self'; connect-src ${op.issuer} ${server.serving}; img-src data:; base-uri 'none'`);
    op = await provider(`${origin.url}/callback`, lifetime);
    server = await start(build("./testserver"), ["-issuer", op.issuer, "-origins", origin.url], ["serving"]);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    op?.stop();
    await origin?.stop();
  });
  beforeEach(async () => {
    context = await browser.newContext();
    page = await context.newPage();
    [seen, faults] = [{ logins: [], grants: [] }, []];
    await context.route((url) => url.hostname !== "127.0.0.1", (route) => route.abort()); // the provider's pages want fonts
    page.on("request", (r) => {
      const url = new URL(r.url());
      if (url.origin !== op.issuer) return;
      if (url.pathname === "/auth") seen.logins.push(url.searchParams);
      if (url.pathname === "/token" && r.method() === "POST") seen.grants.push(new URLSearchParams(r.postData()));
    });
    page.on("pageerror", (e) => faults.push(e.message));
    page.on("console", (m) => m.type() === "error" && page.url().startsWith(origin.url) && faults.push(m.text()));
  });
  afterEach(async () => {
    await context.close();
    // A refused request is an error on the console, whatever the page does about it.
    assert.deepEqual(faults.filter((f) => !/status of 40[13]/.test(f)), []);
  });

  const open = (protocol, scopes) => page.goto(`${origin.url}/app?${new URLSearchParams({ protocol, scopes, resource: server.serving })}`).then(() => titled("ready"));
  const titled = (title) => page.waitForFunction((t) => document.title.startsWith(t), title);
  const call = (...args) => page.evaluate(([tool, args]) => globalThis.call(tool, args), args);
  /** begin makes a call that leads away from the page. */
  async function begin(...args) {
    const away = page.waitForEvent("framenavigated");
    await page.evaluate(([tool, args]) => void globalThis.call(tool, args), args);
    await away;
  }

  /** person fills in what the provider asks until the page is back. */
  async function person({ agree = true } = {}) {
    const asked = [];
    for (;;) {
      await page.waitForURL((url) => url.origin === origin.url || url.pathname.startsWith("/interaction/"));
      if (page.url().startsWith(origin.url)) return asked;
      const here = page.url();
      const prompt = await page.locator("input[name=prompt]").getAttribute("value");
      asked.push(prompt);
      if (!agree) await page.click("text=Cancel");
      else {
        if (prompt === "login") {
          await page.fill("input[name=login]", "ada");
          await page.fill("input[name=password]", "x");
        }
        await page.click("button[type=submit]");
      }
      await page.waitForURL((url) => url.href !== here);
    }
  }

  for (const protocol of ["connect", "grpc-web"]) {
    test(`a refused call leads to the login and back, over ${protocol}`, async () => {
      await open(protocol, "offline_access");
      const here = page.url();
      await begin("structured_object", {});
      assert.deepEqual(await person(), ["login", "consent"]);
      await titled("logged in");
      assert.equal(page.url(), here, "the page is where it was");
      assert.equal(await call("structured_object", {}), "result");
      const [login] = seen.logins;
      assert.deepEqual([login.get("response_type"), login.get("code_challenge_method"), login.get("resource")], ["code", "S256", server.serving]);
      assert.match(seen.grants[0].get("code_verifier"), /^[\w~.-]{43,}$/);
      const stored = await page.evaluate(() => [Object.keys(sessionStorage), Object.keys(localStorage), document.cookie]);
      assert.deepEqual(stored, [["app"], [], ""], "tokens stay in memory");

      // Step-up: another scope, by another login, that asks for all scopes.
      await begin("update_resource", { text: "x" });
      assert.ok(!(await person()).includes("login"), "ada is logged in already");
      await titled("logged in");
      assert.deepEqual(seen.logins.at(-1).get("scope").split(" ").sort(), ["offline_access", "write"]);
      assert.equal(await call("update_resource", { text: "x" }), "result");

      // Refresh: the token ends, and nobody is asked.
      const [logins, grants] = [seen.logins.length, seen.grants.length];
      await until(async () => (await call("update_resource", { text: "y" })) === "result" && seen.grants.length > grants, "refresh");
      assert.equal(seen.grants.at(-1).get("grant_type"), "refresh_token");
      assert.equal(await page.evaluate(() => globalThis.unary("update_resource")), "result");
      assert.equal(seen.logins.length, logins);
    });
  }

  test("an expired token without a refresh token leads to the login and back", async () => {
    await open("connect", "write");
    await begin("structured_object", {});
    await person();
    await titled("logged in");
    await context.clearCookies(); // the provider has forgotten ada, too
    const away = page.waitForEvent("framenavigated");
    await page.evaluate(() => void (async () => { while (await globalThis.call("structured_object", {})); })());
    await away;
    assert.deepEqual(await person(), ["login", "consent"]);
    await titled("logged in");
    assert.equal(await call("structured_object", {}), "result");
  });

  test("who does not agree comes back, and is told", async () => {
    await open("grpc-web", "");
    await begin("structured_object", {});
    await person({ agree: false });
    await titled("failed: ");
    assert.match(await page.title(), /authorization response/);
    assert.equal(seen.grants.length, 0);
  });

  test("an answer to a login that did not begin here is refused", async () => {
    await open("connect", "");
    await page.goto(`${origin.url}/callback?code=forged&state=forged&iss=${op.issuer}`);
    await titled("failed: no login has begun here");
    await begin("structured_object", {});
    await page.goto(`${origin.url}/callback?code=forged&state=forged&iss=${op.issuer}`);
    await titled("failed: ");
    assert.equal(seen.grants.length, 0, "a code was used that nobody asked for");
  });
});
