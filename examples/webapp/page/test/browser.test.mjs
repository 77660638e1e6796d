// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { after, before, beforeEach, afterEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "../../../../web/client/test/chromium.mjs";
import { build, start, temporary } from "../../../../web/client/test/server.mjs";

const folder = join(dirname(fileURLToPath(import.meta.url)), "..");
const shots = join(folder, "../../../.tmp/screenshots");
const axe = readFileSync(join(folder, "node_modules/axe-core/axe.min.js"), "utf8");

test("the committed page is what its sources give", () => {
  const out = temporary();
  execFileSync("npx", ["vite", "build", "--outDir", out, "--emptyOutDir"], { cwd: folder });
  const dist = join(folder, "dist");
  assert.deepEqual(readdirSync(dist).sort(), readdirSync(out).sort());
  for (const file of readdirSync(dist)) {
    assert.ok(readFileSync(join(dist, file)).equals(readFileSync(join(out, file))), `${file} differs: run npm run build`);
  }
});

describe("the page", () => {
  let app, brief, other, stranger, friend, browser, context, page, faults;

  before(async () => {
    rmSync(shots, { recursive: true, force: true });
    mkdirSync(shots, { recursive: true });
    [other, stranger] = [await blank(), await blank()];
    friend = other.url;
    const binary = build(".", join(folder, ".."));
    app = await start(binary, ["-addr", "127.0.0.1:0", "-origins", friend], ["serving"]);
    brief = await start(binary, ["-addr", "127.0.0.1:0", "-token-life", "3s"], ["serving"]);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    other.server.close();
    stranger.server.close();
    await app?.kill();
    await brief?.kill();
    const kept = readdirSync(shots).filter((shot) => statSync(join(shots, shot)).size > 5_000);
    assert.equal(kept.length, 14, `screenshots: ${kept}`);
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

  async function login({ serving } = app, p = page) {
    await p.goto(`${serving}/assistant/`);
    assert.match(p.url(), /\/login\?next=%2Fassistant%2F$/);
    await p.fill("#user", "Ada");
    await p.click("text=Log in >> nth=-1");
    await p.waitForSelector("#tools[data-status=done]");
    await p.waitForFunction(() => document.querySelectorAll("#shelf li").length >= 3);
  }

  const status = (name) => page.waitForSelector(`#call[data-status=${name}]`);
  const result = () => page.textContent("#result");

  /** accessible asks axe, for the sizes of what one has to hit, too. */
  async function accessible(what, p = page) {
    await p.evaluate(axe);
    const { violations, passes } = await p.evaluate(() => globalThis.axe.run({ rules: { "target-size": { enabled: true } } }));
    assert.ok(passes.length > 20, `${what}: axe looked at ${passes.length} rules only`);
    assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`), [], what);
  }

  /** fits wants nothing to be wider than the window, and text of a size that can be read. */
  async function fits() {
    const { scroll, width, small } = await page.evaluate(() => ({
      scroll: document.documentElement.scrollWidth,
      width: innerWidth,
      small: [...document.body.querySelectorAll("*")].filter((e) => e.checkVisibility() && e.innerText?.trim() && parseFloat(getComputedStyle(e).fontSize) < 12).map((e) => e.outerHTML),
    }));
    assert.ok(scroll <= width, `${scroll} wide on ${width}`);
    assert.deepEqual(small, []);
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
      assert.deepEqual(await page.locator("#fields input").evaluateAll((all) => all.map((i) => i.name)), ["steps", "pause_ms"], "order of the schema");
      await page.fill("#field-steps", "5");
      await page.fill("#field-pause_ms", "400"); // much more than what a busy machine takes to show a step
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

  test("watches again when the browser shows it again as it was", async () => {
    await login();
    await page.waitForFunction(() => document.getElementById("watching").textContent === "Watching.");
    const heard = await page.evaluate(() => {
      dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
      const before = document.getElementById("shelf").dataset.updates;
      dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
      return before;
    });
    await page.waitForFunction((n) => document.getElementById("shelf").dataset.updates > n, heard);
    const form = await newPage();
    await form.goto(app.serving);
    await form.fill("#name", "Sugar");
    await form.click("text=Put on the shelf");
    await page.waitForFunction(() => document.getElementById("shelf").textContent.includes("Sugar"));
    assert.deepEqual(faults, []);
  });

  test("a tool that is chosen while another runs ends that, and is not blamed", async () => {
    await login();
    await page.click("[data-tool=take_stock]");
    await page.fill("#field-steps", "100");
    await page.click("#run");
    await page.waitForSelector("#progress:not([hidden])");
    await page.click("[data-tool=last_count]");
    for (const end = Date.now() + 10_000; ; ) {
      assert.doesNotMatch(await page.textContent("#status"), /Cancelled/);
      await page.click("#run");
      await status("done");
      if ((await result()) === "cancelled") break;
      assert.ok(Date.now() < end, "the tool was not told");
    }
    assert.deepEqual(faults, []);
  });

  test("sends no other number than was typed", async () => {
    await login();
    await page.click("[data-tool=add_item]");
    await page.fill("#field-name", "Sand");
    await page.fill("#field-amount", "9007199254740993");
    await page.click("#run");
    await status("error");
    assert.match(await page.textContent("#status"), /9007199254740993 has more digits/);
    await page.fill("#field-amount", "9007199254740991");
    await page.click("#run");
    await status("done");
    await page.waitForFunction(() => document.getElementById("shelf").textContent.includes("9007199254740991"));
    assert.deepEqual(faults, []);
  });

  test("an expired token is replaced, and an ended login leads to the login and back", async () => {
    const tokens = [];
    const refused = [];
    page.on("response", (r) => {
      if (r.url().endsWith("/token")) tokens.push(r.status());
      if (r.status() === 401 && r.url().includes("/mcp.v1.MCP/")) refused.push(r.headers()["www-authenticate"]);
    });
    await login(brief);
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
    await page.waitForURL(`${brief.serving}/assistant/`);
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
    /** tabTo moves the focus to what selector names, on which it must be seen. */
    async function tabTo(selector) {
      for (let i = 0; !(await page.evaluate((s) => document.activeElement.matches(s), selector)); i++) {
        assert.ok(i < 40, `${selector} cannot be reached`);
        await page.keyboard.press("Tab");
      }
      const { outlineStyle, outlineWidth } = await page.evaluate(() => ({ ...getComputedStyle(document.activeElement) }));
      assert.ok(outlineStyle !== "none" && parseFloat(outlineWidth) >= 2, `the focus on ${selector} is not seen`);
    }
    await page.goto(`${app.serving}/assistant/`);
    await tabTo("#user");
    await page.keyboard.type("Ada");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#tools[data-status=done]");

    await tabTo(".skip");
    assert.ok((await page.locator(".skip").boundingBox()).x >= 0, "the link is not shown");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await tabTo("input[name=protocol]");
    await page.keyboard.press("ArrowRight");
    await page.waitForSelector("input[value=grpc-web]:checked");
    await page.waitForSelector("#tools[data-status=done]");
    await tabTo("[data-tool=take_stock]");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "call-title", "the focus goes to the form's title");
    await tabTo("#field-steps");
    await page.keyboard.type("100");
    await page.keyboard.press("Enter");
    await status("running");
    await tabTo("#cancel");
    await page.keyboard.press("Enter");
    await status("cancelled");
    await page.keyboard.press("Shift+Tab");
    await tabTo("#run");
    await tabTo("[data-tool=whoami]").catch(() => page.keyboard.press("Shift+Tab"));
    assert.deepEqual(faults, []);
  });

  test("closing the page cancels its call", async () => {
    await login();
    await page.click("[data-tool=take_stock]");
    await page.fill("#field-steps", "100");
    await page.click("#run");
    await page.waitForSelector("#progress:not([hidden])");
    await page.close();
    page = await newPage();
    await page.goto(`${app.serving}/assistant/`);
    await page.click("[data-tool=last_count]");
    for (const end = Date.now() + 10_000; ; ) {
      await page.click("#run");
      await status("done");
      if ((await result()) === "cancelled") break;
      assert.ok(Date.now() < end, "the tool was not told");
    }
    assert.deepEqual(faults, []);
  });

  test("what breaks the page's policy is noticed, here and by the app", async () => {
    await login();
    const reported = page.waitForRequest((r) => r.url().endsWith("/csp-report"));
    await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "globalThis.broken = true";
      document.body.append(script);
      const image = new Image();
      image.src = "http://127.0.0.1:1/x.png";
      document.body.append(image);
    });
    assert.match((await reported).postData(), /script-src|img-src/);
    assert.equal(await page.evaluate(() => globalThis.broken), undefined);
    for (const directive of ["script-src", "img-src"]) assert.ok(faults.some((f) => f.includes(directive)), `${directive}: ${faults}`);
  });

  test("tells what fails, and goes on", async () => {
    await login();
    await page.click("[data-tool=take_stock]");
    await page.fill("#field-steps", "1000");
    await page.click("#run");
    await status("error");
    assert.match(await result(), /1 to 100 steps/);
    await accessible("a tool's error");
    const broken = "**/mcp.v1.MCP/{CallTool,ListTools}";
    await page.route(broken, (route) => route.abort());
    await page.click("#run");
    await status("error");
    assert.match(await page.textContent("#status"), /^Failed: .+ \(-32603\)$/);
    await page.check("input[value=grpc-web]");
    await page.waitForSelector("#tools[data-status=error]");
    await accessible("no tools");
    await page.unroute(broken);
    await page.route(broken, (route) => route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" }));
    await page.click("#run");
    await status("error");
    await page.unroute(broken);
    await page.check("input[value=connect]");
    await page.waitForSelector("#tools[data-status=done]");
    await page.click("[data-tool=whoami]");
    await page.click("#run");
    await status("done");
    assert.equal(await result(), "Ada");
    assert.deepEqual(faults.filter((f) => !/ERR_FAILED|status of 502/.test(f)), []);
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
      await fits();
      await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
      await page.fill("#field-name", "W".repeat(40)); // as long as it may be, and no place to break it
      await page.click("#run");
      await status("done");
      await page.waitForFunction(() => document.getElementById("shelf").textContent.includes("WWW"));
      await fits();
      await page.click("[data-tool=label]");
      await page.fill("#field-name", "W".repeat(40));
      await page.click("#run");
      await status("done");
      await page.waitForFunction(() => document.querySelector("#result img")?.naturalWidth > 50);
      await fits();
      await accessible(`${name}, image`);
      await page.click("[data-tool=take_stock]");
      await page.fill("#field-steps", "100");
      await page.click("#run");
      await page.waitForSelector("#progress:not([hidden])");
      await accessible(`${name}, progress`);
      await fits();
      await page.screenshot({ path: join(shots, `${name}-progress.png`), fullPage: true });
      await page.click("#cancel");
      await status("cancelled");
      await page.goto(app.serving);
      await accessible(`${name}, shelf`);
      await fits();
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
