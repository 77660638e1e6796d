// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { bundled } from "./chromium.mjs";

/** pageScript is the module of a page that plays the scenarios: what Node does for each test is told by its arguments. */
export const pageScript = () =>
  bundled(`
    import { Client as Client2 } from "@modelcontextprotocol/client";
    import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
    import * as types1 from "@modelcontextprotocol/sdk/types.js";
    import { listenShared, McpClient, webTransport } from "@mcpconnect/client";
    import { SendTransport } from "@mcpconnect/client/sdk";
    import { greeter, load } from "./load.mjs";
    import { losses } from "./losses.mjs";
    import { MODERN, play, sdk1, sdk2 } from "./scenarios.mjs";
    import { outcomes } from "./suite.mjs";
    import { typed } from "./typed.mjs";

    const blocking = async () => Number(await (await fetch("/blocking")).text());
    function client(version, url, protocol) {
      const transport = () => new SendTransport(webTransport(url, protocol));
      return version ? sdk2(Client2, version, transport, blocking) : sdk1(Client1, types1, transport, blocking);
    }
    export const scenario = (name, ...of) => play(name, client(...of));
    export const suite = (cases, ...of) => outcomes(client(...of), cases);
    export const loss = (name, url, protocol) => losses[name]({
      bidi: false,
      transport: () => new SendTransport(webTransport(url, protocol)),
      typed: () => new McpClient(webTransport(url, protocol)),
    });
    export const call = (name, url, small, protocol, noResult) => typed[name]({
      rpc: (options) => webTransport(url, protocol, options),
      small: () => webTransport(small, protocol),
      blocking,
      noResult,
    });

    let l;
    export async function begin(kind, url, protocol) {
      l = load(await greeter(kind === "typed" ? new McpClient(webTransport(url, protocol)) : client(MODERN, url, protocol)), 5);
    }
    export const answered = () => l.answered;
    export const end = () => l.stop().then(() => l.failures);
    const told = [];
    export const listen = (url, protocol) => {
      const tell = (kind) => void told.push(kind);
      void listenShared(new McpClient(webTransport(url, protocol)), { toolsListChanged: true }, (m) => tell(m.kind.case), { signal: new AbortController().signal, name: protocol, onerror: (e) => tell(e.message) });
    };
    export const heard = () => told.splice(0);
    export const block = async (url, protocol) => new McpClient(webTransport(url, protocol)).callTool("block").then(() => "done", (e) => e.code);
  `);
