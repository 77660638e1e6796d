// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// The tests of mcpconnect/transport_loss_test.go under the same names, for the transports of
// the SDK by themselves: what they make of the servers of rude.mjs. They run in Node and in
// browsers: nothing here belongs to either.

import { check, equal, rejection, until } from "./scenarios.mjs";

/** open is a client of a transport that keeps what it is told. */
function open(transport) {
  const c = { transport, messages: [], errors: [], closed: false };
  transport.onmessage = (m) => void c.messages.push(m);
  transport.onerror = (e) => void c.errors.push(e);
  transport.onclose = () => void (c.closed = true);
  c.tell = (method, params = {}) => transport.send({ jsonrpc: "2.0", method, params });
  c.ask = async (id, method, params = {}) => {
    const from = c.messages.length;
    await transport.send({ jsonrpc: "2.0", id, method, params });
    let answer;
    await until(() => (answer = c.messages.slice(from).find((m) => m.id === id && m.method === undefined)), `answer to ${id}`);
    return answer;
  };
  return c;
}

/** Each takes { transport(): one of the SDK, bidi: whether it has one stream for all }. */
export const losses = {
  async AModernStreamThatIsLostIsReplaced(t) {
    const c = open(t.transport());
    const lost = await c.ask("7", "tools/list");
    equal([lost.error.code, /gone for lunch/.test(lost.error.message)], [-32603, true], "error");
    equal((await c.ask(7, "tools/list")).result, {}, "result");
    await c.transport.close();
  },

  async ALegacyStreamThatIsLostEndsTheConnection(t) {
    const c = open(t.transport());
    equal((await c.ask(1, "initialize")).result, {}, "result");
    equal(c.transport.sessionId, "id", "session");
    if (!t.bidi) equal((await c.ask(2, "tools/list")).error.code, -32600, "code");
    await until(() => c.closed, "end of the connection");
    await rejection(c.tell("notifications/initialized"), "message to a closed transport");
  },

  async AModernClientAnswersNoRequests(t) {
    const c = open(t.transport());
    await c.ask(1, "tools/list");
    await c.ask(2, "tools/list");
    equal(c.messages.map((m) => m.method ?? m.id), ["seen request", 1, "seen request,request", 2], "messages");
    await c.transport.close();
  },

  async ACallThatTheServerCannotReadFails(t) {
    const c = open(t.transport());
    const { error } = await c.ask(1, "tools/list");
    equal([error.code, error.message], [-32600, "request without id"], "error");
    await c.transport.close();
  },

  async ACallWithoutAnswerFails(t) {
    const c = open(t.transport());
    const { error } = await c.ask(1, "tools/list");
    equal([error.code, /without an answer|before it answered/.test(error.message)], [-32603, true], "error");
    await c.transport.close();
  },

  async ASessionStreamThatBreaksIsOpenedAgain(t) {
    const c = open(t.transport());
    await c.ask(1, "initialize");
    await c.tell("notifications/initialized");
    await until(() => c.messages.some((m) => m.method === "back"), "another stream");
    await until(() => c.closed, "end of a session that is not known");
    check(c.errors.some((e) => /gone for lunch/.test(e.message)), "nobody was told of the loss");
  },

  async NobodyThere(t) {
    const c = open(t.transport());
    for (const id of [1, 2]) equal((await c.ask(id, "tools/list")).error.code, -32603, "code");
    equal(c.errors.map((e) => e.status), [14, 14], "status");
    await c.transport.close();
    const e = await rejection(t.typed().discover(), "typed client");
    equal([e.code, e.status], [-32603, 14], "error of the typed client");
  },
};
