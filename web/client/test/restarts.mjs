// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { until } from "./scenarios.mjs";

/**
 * rollout runs a server that is replaced, again and again, as a mesh does it: connections go to
 * the new one before the old one drains. begin() starts one that tells its blocking() calls.
 */
export async function rollout(begin) {
  const sockets = new Set();
  const onward = new Set(); // those to servers
  let server;
  const proxy = createServer((client) => {
    const there = connect(Number(new URL(server.serving).port), "127.0.0.1");
    onward.add(there.on("close", () => void onward.delete(there)));
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
    async replace(beforeItGoes = async () => {}) {
      const old = server;
      server = await begin();
      await beforeItGoes();
      await old?.stop();
    },
    /**
     * arrived waits until servers have said something on all connections that carry something now: the
     * kernel resets those that they have not accepted when they go.
     */
    arrived() {
      const carrying = [...onward].filter((s) => s.bytesWritten > 0);
      return until(() => carrying.every((s) => s.destroyed || s.bytesRead > 0), "an answer on each connection");
    },
    /** lose carries nothing more on the connections that there are. */
    lose() {
      for (const s of sockets) s.unpipe().pause();
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

const rollouts = 4;

/** survives replaces the server some times; answered tells how many answers there were. */
export async function survives(r, answered) {
  for (let i = 0; i < rollouts; i++) {
    const before = await answered();
    await until(async () => (await answered()) >= before + 50, "50 answers");
    await r.replace(r.arrived);
  }
}

/** cutOff replaces a server, which has no patience, in the middle of a call, which it may have done. */
export async function cutOff(begin, block) {
  const r = await rollout(begin);
  try {
    const cut = block(r.url);
    await until(async () => (await r.server.blocking()) === 1, "begin of block");
    await r.replace();
    assert.equal(await cut, -32603);
    assert.equal(await r.server.blocking(), 0, "the call was made again");
  } finally {
    await r.stop();
  }
}
