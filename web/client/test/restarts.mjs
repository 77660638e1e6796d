// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { connect, createServer } from "node:net";
import { once } from "node:events";
import { start } from "./server.mjs";

/**
 * rollout runs a server that is replaced, again and again, as a mesh does it: connections go to
 * the new one before the old one drains.
 */
export async function rollout(binary, args = []) {
  const sockets = new Set();
  let server;
  const proxy = createServer((client) => {
    const there = connect(Number(new URL(server.serving).port), "127.0.0.1");
    for (const [from, to] of [[client, there], [there, client]]) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy(void sockets.delete(from)));
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const r = {
    url: `http://127.0.0.1:${proxy.address().port}`,
    get server() {
      return server;
    },
    async replace() {
      const old = server;
      server = await start(binary, args, ["pages", "serving"]);
      await old?.stop();
    },
    async stop() {
      for (const s of sockets) s.destroy();
      proxy.close();
      await server.stop();
    },
  };
  await r.replace();
  return r;
}
