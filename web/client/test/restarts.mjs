// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { until } from "./scenarios.mjs";
import { build, start } from "./server.mjs";

export const binary = build("./testserver");

/**
 * rollout runs a server that is replaced, again and again, as a mesh does it: connections go to
 * the new one before the old one drains. begin() starts one that tells its blocking() calls.
 */
export async function rollout(begin) {
  const forwarder = await start(binary, ["-forward"], ["control", "serving"]);
  const tell = async (what) => {
    const res = await fetch(`${forwarder.control}/${what}`);
    assert.equal(res.status, 200, await res.text());
  };
  let server;
  const r = {
    url: forwarder.serving,
    get server() {
      return server;
    },
    async replace(beforeItGoes = async () => {}) {
      const old = server;
      server = await begin();
      await tell(`to?address=${new URL(server.serving).host}`);
      await beforeItGoes();
      await old?.stop();
    },
    /** arrived waits until servers have said something on all connections that there are. */
    arrived: () => tell("arrived"),
    /** lose carries nothing more on the connections that there are. */
    lose: () => tell("lose"),
    async stop() {
      await forwarder.stop();
      await server?.stop();
    },
  };
  try {
    await r.replace();
  } catch (e) {
    await r.stop();
    throw e;
  }
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
