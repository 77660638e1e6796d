// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, beforeEach, afterEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "../../../../web/client/test/chromium.mjs";
import { build, start } from "../../../../web/client/test/server.mjs";

const folder = join(dirname(fileURLToPath(import.meta.url)), "..");
const shots = join(folder, "../../../.tmp/screenshots");
const axe = readFileSync(join(folder, "node_modules/axe-core/axe.min.js"), "utf8");

test("the committed page is what its sources give", () => {
  const out = mkdtempSync(join(tmpdir(), "dist-"));
  execFileSync("npx", ["vite", "build", "--outDir", out, "--emptyOutDir"], { cwd: folder });
  const dist = join(folder, "dist");
  assert.deepEqual(readdirSync(dist).sort(), readdirSync(out).sort());
  for (const file of readdirSync(dist)) {
    assert.ok(readFileSync(join(dist, file)).equals(readFileSync(join(out, file))), `${file} differs: run npm run build`);
  }
});

describe("the page", () => {
  let app, other, stranger, friend, browser, context, page, faults;

  before(async () => {
    mkdirSync(shots, { recursive: true });
    [other, stranger] = [await blank(), await blank()];
    friend = other.url;
    app = await start(build(".", join(folder, "..")), ["-addr", "127.0.0.1:0", "-token-life", "4s", "-origins", friend], ["serving"]);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    other.server.close();
    stranger.server.close();
    await app?.kill();
  });

  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    faults = [];
    page = await newPage();
  });
  afterEach(() => context.close());

  /** newPage notes what no page may do: log errors, break its policy, fail. */
  async function newPage() {
    const p = await context.newPage();
    p.on("console", (m) => ["error", "warning"].includes(m.type()) && faults.push(`console: ${m.text()}`));
    p.on("pageerror", (e) => faults.push(`error: ${e.message}`));
    p.on("request", (r) => r.url().endsWith("/csp-report") && faults.push(`policy: ${r.postData()}`));
    await p.addInitScript(() => addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`)));
    return p;
  }

  async function login(p = page) {
    await p.goto(`${app.serving}/assistant/`);
    assert.match(p.url(), /\/login\?next=%2Fassistant%2F$/);
    await p.fill("#user", "Ada");
    await p.click("text=Log in >> nth=-1");
    await p.waitForSelector("#tools[data-status=done]");
    await p.waitForFunction(() => document.querySelectorAll("#shelf li").length >= 3);
  }

  const status = (name) => page.waitForSelector(`#call[data-status=${name}]`);
  const result = () => page.textContent("#result");

  async function accessible(what, p = page) {
    await p.evaluate(axe);
    const { violations } = await p.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`), [], what);
  }

  for (const protocol of ["connect", "grpc-web"]) {
    test(`works over ${protocol}`, async () => {
      const sent = new Set();
      page.on("request", (r) => r.url().includes("/mcp.v1.MCP/") && sent.add(r.headers()["content-type"]));
      await login();
      await page.check(protocol === "connect" ? "input[value=grpc-web]" : "input[value=connect]");
      await page.waitForSelector("#tools[data-status=done]");
      sent.clear();
      await page.check(`input[value=${protocol}]`);
      await page.waitForSelector("#tools[data-status=done]");

      await page.click("[data-tool=whoami]");
      await page.click("#run");
      await status("done");
      assert.equal(await result(), "Ada");

      // Progress arrives while the call runs: each step has a time of its own.
      await page.click("[data-tool=take_stock]");
      await page.fill("#field-steps", "5");
      await page.fill("#field-pause_ms", "200");
      await page.evaluate(() => {
        globalThis.times = [];
        const bar = document.getElementById("bar-label");
        new MutationObserver(() => globalThis.times.push([performance.now(), bar.textContent, document.getElementById("call").dataset.status])).observe(bar, { childList: true });
      });
      await page.click("#run");
      await page.waitForFunction(() => globalThis.times.length === 3);
      await page.screenshot({ path: join(shots, `progress-${protocol}.png`) });
      await status("done");
      const done = await page.evaluate(() => performance.now());
      const times = await page.evaluate(() => globalThis.times);
      assert.deepEqual(times.map((t) => t[1]), [1, 2, 3, 4, 5].map((n) => `Step ${n} of 5`));
      assert.ok(times.every((t) => t[2] === "running"), "progress after the end");
      for (let i = 1; i < times.length; i++) assert.ok(times[i][0] - times[i - 1][0] > 80, `steps came together: ${JSON.stringify(times)}`);
      assert.ok(done - times[0][0] > 600, "the first step came with the result");

      // Cancelling reaches the tool.
      await page.fill("#field-steps", "100");
      await page.click("#run");
      await page.waitForFunction(() => globalThis.times.length > 6);
      await page.click("#cancel");
      await status("cancelled");
      await page.click("[data-tool=last_count]");
      for (const end = Date.now() + 10_000; ; ) {
        await page.click("#run");
        await status("done");
        if ((await result()) === "cancelled") break;
        assert.ok(Date.now() < end, "the tool was not told");
      }

      await page.click("[data-tool=label]");
      await page.fill("#field-name", "Cinnamon");
      await page.click("#run");
      await status("done");
      await page.waitForFunction(() => document.querySelector("#result img")?.naturalWidth > 50);
      await page.screenshot({ path: join(shots, `image-${protocol}.png`) });

      const want = protocol === "connect" ? ["application/connect+proto", "application/proto"] : ["application/grpc-web+proto"];
      const own = [...sent].filter((type) => type.includes("grpc-web") === (protocol === "grpc-web"));
      assert.deepEqual(own.sort(), want);
      await accessible("after calls");
      assert.deepEqual(faults, []);
    });
  }

  test("shows changes of a resource in all tabs, over one connection", async () => {
    await login();
    let streams = 0;
    const tabs = [page];
    for (let i = 0; i < 7; i++) {
      const tab = await newPage();
      tab.on("request", (r) => (streams += r.url().endsWith("/Listen") ? 1 : 0));
      await tab.goto(`${app.serving}/assistant/`);
      await tab.waitForSelector("#tools[data-status=done]"); // six connections would be gone with the fifth tab
      tabs.push(tab);
    }
    const form = await newPage();
    const add = async (name) => {
      await form.goto(app.serving);
      await form.fill("#name", name);
      await form.click("text=Put on the shelf");
      for (const tab of tabs) await tab.waitForFunction((n) => document.getElementById("shelf").textContent.includes(n), name);
    };
    await add("Rice");
    assert.equal(streams, 0, "other tabs opened streams");
    await tabs.shift().close(); // it held the stream
    await tabs[0].waitForFunction(() => document.getElementById("watching").textContent === "Watching.");
    await add("Tea");
    assert.equal(streams, 1, "one other tab takes over");
    assert.deepEqual(faults, []);
  });

  test("an expired token is replaced, and an ended login leads to the login and back", async () => {
    const tokens = [];
    const refused = [];
    page.on("response", (r) => {
      if (r.url().endsWith("/token")) tokens.push(r.status());
      if (r.status() === 401 && r.url().includes("/mcp.v1.MCP/")) refused.push(r.headers()["www-authenticate"]);
    });
    await login();
    await page.click("[data-tool=whoami]");
    const before = tokens.length;
    for (const end = Date.now() + 20_000; tokens.length === before; ) {
      assert.ok(Date.now() < end, "no new token");
      await page.click("#run");
      await status("done");
      assert.equal(await result(), "Ada");
    }
    assert.ok(tokens.every((s) => s === 200));

    await context.clearCookies(); // the login has ended
    for (const end = Date.now() + 20_000; !page.url().includes("/login"); ) {
      assert.ok(Date.now() < end, "not led to the login");
      await page.click("#run", { timeout: 500 }).catch(() => {});
      await page.waitForTimeout(100);
    }
    assert.match(page.url(), /\/login\?next=%2Fassistant%2F$/);
    await page.screenshot({ path: join(shots, "login.png") });
    await accessible("login");
    await page.fill("#user", "Grace");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${app.serving}/assistant/`);
    await page.waitForSelector("#tools[data-status=done]");
    await page.click("[data-tool=whoami]");
    await page.click("#run");
    await status("done");
    assert.equal(await result(), "Grace");
    // A refused request is an error on the console, whatever the page does about it.
    assert.deepEqual(faults.filter((f) => !/status of 401/.test(f)), []);
  });

  test("pages of other origins are refused, and known ones are not", async () => {
    const call = (url) => async () => {
      try {
        const res = await fetch(`${url}/mcp.v1.MCP/ListTools`, { method: "POST", headers: { "Content-Type": "application/json", "Mcp-Param-Region": "x" }, body: "{}" });
        return [res.status, res.headers.get("www-authenticate") !== null];
      } catch (e) {
        return e.name;
      }
    };
    const evaluate = (p) => p.evaluate(`(${call(app.serving)})`.replace("(url) =>", "").replaceAll("${url}", app.serving) + "()");
    await page.goto(stranger.url);
    assert.equal(await evaluate(page), "TypeError", "a page of a stranger");
    await page.goto(other.url);
    assert.deepEqual(await evaluate(page), [401, true], "a page that may call, without a token, can read why");
    const forged = await fetch(`${app.serving}/token`, { method: "POST", headers: { Origin: stranger.url, "Sec-Fetch-Site": "cross-site" } });
    assert.equal(forged.status, 403, "a forged request for a token");
    const named = await fetch(`${app.serving}/mcp.v1.MCP/ListTools`, { method: "POST", headers: { Origin: stranger.url, "Content-Type": "application/json" }, body: "{}" });
    assert.equal(named.status, 403);
  });

  test("can be used with the keyboard alone", async () => {
    await login();
    await page.focus("body");
    const focus = () => page.evaluate(() => document.activeElement.textContent.trim());
    for (let i = 0; (await focus()) !== "Who am I?whoami"; i++) {
      assert.ok(i < 20, "the tool cannot be reached");
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Enter");
    assert.equal(await focus(), "Who am I?", "the focus goes to the form's title");
    await page.keyboard.press("Tab");
    assert.equal(await focus(), "Call");
    await page.keyboard.press("Enter");
    await status("done");
    assert.equal(await result(), "Ada");
    assert.deepEqual(faults, []);
  });

  for (const [name, options] of Object.entries({
    desktop: { viewport: { width: 1280, height: 900 } },
    phone: { viewport: { width: 320, height: 720 }, isMobile: true, hasTouch: true },
    dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  })) {
    test(`is accessible and fits: ${name}`, async () => {
      await context.close();
      context = await browser.newContext(options);
      page = await newPage();
      await login();
      await page.click("[data-tool=add_item]");
      await accessible(name);
      const { scroll, width } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, width: innerWidth }));
      assert.ok(scroll <= width, `${scroll} wide on ${width}`);
      await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
      await page.goto(app.serving);
      await accessible(`${name}, shelf`);
      await page.screenshot({ path: join(shots, `${name}-shelf.png`) });
      assert.deepEqual(faults, []);
    });
  }
});

/** blank serves an empty page on an origin of its own. */
async function blank() {
  const server = createServer((_, res) => res.setHeader("Content-Type", "text/html").end("<title>another</title>"));
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}
