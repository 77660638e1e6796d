// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { inputSchema, listenShared, McpClient, McpError, webTransport, type CallEvent, type WebProtocol } from "@mcpconnect/client";
import { pageToken } from "./auth.js";
import { type Field, fieldsOf, valuesOf } from "./form.js";

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const clients = new Map<string, McpClient>();

/** client speaks the protocol that is chosen on the page. */
function client(): McpClient {
  const chosen = document.querySelector<HTMLInputElement>("input[name=protocol]:checked")!.value as WebProtocol;
  let c = clients.get(chosen);
  if (!c) clients.set(chosen, (c = new McpClient(webTransport(location.origin, chosen, { auth: pageToken }))));
  return c;
}

/** The call that runs; a page has one at a time. */
let running: AbortController | undefined;

async function showTools(): Promise<void> {
  const list = element("tools");
  list.dataset["status"] = "running";
  const items: HTMLElement[] = [];
  for await (const tool of client().tools()) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "tool";
    button.dataset["tool"] = tool.name ?? "";
    button.append(text("span", tool.title ?? tool.name ?? ""), text("small", tool.name ?? ""));
    button.addEventListener("click", () => choose(tool.name ?? "", tool.title ?? tool.name ?? "", tool.description ?? "", inputSchema(tool), button));
    const item = document.createElement("li");
    item.append(button);
    items.push(item);
  }
  list.replaceChildren(...items);
  list.dataset["status"] = "done";
}

function choose(name: string, title: string, description: string, schema: unknown, button: HTMLElement): void {
  running?.abort();
  running = undefined; // what it still says is not about this tool
  for (const other of document.querySelectorAll(".tool")) other.removeAttribute("aria-current");
  button.setAttribute("aria-current", "true");
  element("call-title").textContent = title;
  element("description").textContent = description;
  const fields = fieldsOf(schema);
  element("fields").replaceChildren(...fields.map((f) => f.row));
  element("result").replaceChildren();
  state("idle", "");
  element("progress").hidden = true;
  const form = element<HTMLFormElement>("form");
  form.hidden = false;
  form.onsubmit = (e) => {
    e.preventDefault();
    if (!running) void call(name, fields);
  };
  element("call-title").focus();
}

async function call(name: string, fields: Field[]): Promise<void> {
  const run = (running = new AbortController());
  element("result").replaceChildren();
  element("progress").hidden = true;
  state("running", "Running …");
  try {
    for await (const event of client().streamTool(name, valuesOf(fields), { signal: run.signal })) {
      if (running === run) show(event);
    }
  } catch (reason) {
    if (running === run) failed(run, reason);
  } finally {
    if (running === run) {
      running = undefined;
      buttons(false);
    }
  }
}

function failed(run: AbortController, reason: unknown): void {
  if (run.signal.aborted) return state("cancelled", "Cancelled. The tool was told.");
  const e = McpError.from(reason);
  state("error", `Failed: ${e.message} (${e.code})`);
}

function show(event: CallEvent): void {
  switch (event.kind) {
    case "progress": {
      const { progress = 0, total = 0, message = "" } = event.progress;
      element("progress").hidden = false;
      const bar = element<HTMLProgressElement>("bar");
      bar.max = total || 100;
      bar.value = progress;
      element("bar-label").textContent = message || "Progress";
      return;
    }
    case "result": {
      element("result").replaceChildren(...event.result.content.map((c) => block(c.kind)));
      return event.result.isError ? state("error", "The tool failed.") : state("done", "Done.");
    }
    case "inputRequired":
      return state("error", "The tool asks for input, which this page does not offer.");
    case "task":
      return state("done", `The tool goes on as task ${event.task.taskId}.`);
  }
}

type Kind = Extract<CallEvent, { kind: "result" }>["result"]["content"][number]["kind"];

function block(kind: Kind): HTMLElement {
  if (kind.case === "text") return text("pre", kind.value.text ?? "");
  if (kind.case === "blob" && kind.value.mimeType?.startsWith("image/")) {
    const image = document.createElement("img");
    image.src = URL.createObjectURL(new Blob([kind.value.data as Uint8Array<ArrayBuffer>], { type: kind.value.mimeType }));
    image.alt = "Image that the tool gave";
    for (const end of ["load", "error"]) image.addEventListener(end, () => URL.revokeObjectURL(image.src));
    return image;
  }
  return text("p", `(content of kind ${kind.case})`);
}

function state(name: string, words: string): void {
  element("call").dataset["status"] = name;
  element("status").textContent = words;
  buttons(name === "running");
}

function buttons(busy: boolean): void {
  element<HTMLButtonElement>("run").disabled = busy;
  element<HTMLButtonElement>("cancel").disabled = !busy;
}

async function showShelf(): Promise<void> {
  const res = await client().readResource("pantry://shelf");
  const kind = res.contents[0]?.kind;
  const items = kind?.case === "text" ? (JSON.parse(kind.value.text ?? "[]") as { name: string; amount: number }[]) : [];
  const shelf = element("shelf");
  shelf.replaceChildren(
    ...items.map((i) => {
      const item = document.createElement("li");
      item.append(text("span", i.name), text("b", `${i.amount}`));
      return item;
    }),
  );
  shelf.dataset["updates"] = `${Number(shelf.dataset["updates"]) + 1}`;
}

function text(tag: string, words: string): HTMLElement {
  const e = document.createElement(tag);
  e.textContent = words;
  return e;
}

element("cancel").addEventListener("click", () => running?.abort());

function listTools(): void {
  showTools().catch((reason: unknown) => {
    const list = element("tools");
    list.replaceChildren(text("li", `The tools cannot be listed: ${McpError.from(reason).message}`));
    list.dataset["status"] = "error";
  });
}

element("protocol").addEventListener("change", listTools);
listTools();
watch();
// A page that is shown again as it was has missed the changes meanwhile; `acknowledged` makes it read anew.
addEventListener("pageshow", (e) => e.persisted && watch());

/** watch shows the shelf, and its changes until the page is left. All tabs share its stream. */
function watch(): void {
  const left = new AbortController();
  addEventListener("pagehide", () => left.abort(), { once: true });
  void listenShared(
    client(),
    { resourceSubscriptions: ["pantry://shelf"] },
    (m) => {
      element("watching").textContent = m.kind.case === "acknowledged" ? "Watching." : `Changed at ${new Date().toLocaleTimeString()}.`;
      showShelf().catch((reason: unknown) => (element("watching").textContent = `The shelf cannot be read: ${McpError.from(reason).message}`));
    },
    { signal: left.signal, name: "pantry", onerror: () => (element("watching").textContent = "Not watching; trying again.") },
  );
}
