// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createServer2 } from "node:http2";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { EnvelopeSchema } from "@mcpconnect/client/gen/mcp/v1/envelope_pb";
import { JsonRpcErrorSchema } from "@mcpconnect/client/gen/mcp/v1/common_pb";
import { MCP } from "@mcpconnect/client/gen/mcp/v1/mcp_pb";

const json = (value) => new TextEncoder().encode(JSON.stringify(value));
const envelope = (init) => create(EnvelopeSchema, init);
const reply = ({ kind: { value } }) => envelope({ kind: { case: "response", value: { id: value.id, intId: value.intId, outcome: { case: "resultJson", value: json({}) } } } });
const note = (method) => envelope({ method, kind: { case: "notification", value: {} } });
const question = () => envelope({ method: "roots/list", kind: { case: "request", value: { id: "server-1" } } });
const lunch = () => new ConnectError("gone for lunch", Code.Unavailable);
const failure = (code, message, error) => new ConnectError(message, code, undefined, [{ desc: JsonRpcErrorSchema, value: { message, ...error } }]);
const noSession = () => failure(Code.NotFound, "session not found", { code: -32600 });
const drained = () => failure(Code.Unavailable, "drained", { code: -32603, dataJson: json({ drained: true }) });

/** What servers do on their streams that a good one does not: each gives the RPCs of a server of its own. */
const behaviours = {
  AModernStreamThatIsLostIsReplaced() {
    let calls = 0;
    return {
      async *connect(requests) {
        for await (const e of requests) {
          if (++calls === 1) throw lunch();
          yield reply(e);
        }
      },
      async *send(e) {
        if (++calls === 1) throw lunch();
        yield reply(e);
      },
    };
  },
  ALegacyStreamThatIsLostEndsTheConnection: () => ({
    async *connect(requests, ctx) {
      for await (const e of requests) {
        ctx.responseHeader.set("mcp-session-id", "id");
        yield reply(e);
        return;
      }
    },
    async *send(e, ctx) {
      if (e.method !== "initialize") throw noSession();
      ctx.responseHeader.set("mcp-session-id", "id");
      yield reply(e);
    },
  }),
  AModernClientAnswersNoRequests() {
    const seen = [];
    async function* answer(e) {
      seen.push(e.kind.case);
      if (e.kind.case === "request") yield* [question(), note(`seen ${seen}`), reply(e)];
    }
    return {
      async *connect(requests) {
        for await (const e of requests) yield* answer(e);
      },
      send: answer,
    };
  },
  ACallThatTheServerCannotReadFails: () => ({
    async *connect(requests) {
      for await (const _ of requests) yield envelope({ kind: { case: "response", value: { outcome: { case: "error", value: { code: -32600, message: "request without id" } } } } });
    },
    // eslint-disable-next-line require-yield
    async *send() {
      throw failure(Code.InvalidArgument, "request without id", { code: -32600 });
    },
  }),
  ACallWithoutAnswerFails: () => ({
    async *connect(requests) {
      for await (const _ of requests) return;
    },
    async *send() {},
  }),
  ASessionStreamThatBreaksIsOpenedAgain() {
    let streams = 0;
    return {
      async *send(e, ctx) {
        if (e.kind.case === "request") {
          ctx.responseHeader.set("mcp-session-id", "id");
          yield reply(e);
        } else if (e.kind.case === undefined) {
          if (ctx.requestHeader.get("mcp-session-id") !== "id") throw new ConnectError("no session id", Code.Internal);
          if (++streams === 1) throw lunch();
          if (streams > 2) throw noSession();
          yield note("back");
        }
      },
    };
  },
  StreamsThatDrainOneAfterTheOther() {
    let streams = 0;
    return {
      async *connect(requests) {
        const n = ++streams;
        for await (const e of requests) {
          if (n <= 2) throw drained();
          yield reply(e);
        }
      },
    };
  },
  ServersThatAlwaysDrain: () => ({
    async *connect(requests) {
      for await (const _ of requests) throw drained();
    },
  }),
};

/** rude starts the server that has this behaviour. */
export async function rude(name, { http2 = false, rpcs = behaviours[name]?.() } = {}) {
  const routes = (router) => router.service(MCP, { ...rpcs, shutdown: () => ({ accepted: true }) });
  return listen(connectNodeAdapter({ routes }), http2);
}

/** listen serves a handler that pages of any origin may call. */
export async function listen(handler, http2 = false) {
  const sockets = new Set();
  const server = (http2 ? createServer2 : createServer)((req, res) => {
    res.setHeader("Access-Control-Allow-Origin", "*");
    res.setHeader("Access-Control-Allow-Headers", "*");
    res.setHeader("Access-Control-Expose-Headers", "*");
    if (req.method === "OPTIONS") return void res.writeHead(204).end();
    handler(req, res);
  });
  server.on("connection", (s) => {
    sockets.add(s);
    s.on("error", () => {}); // the client's end tells
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop() {
      const closed = once(server, "close");
      server.close();
      for (const s of sockets) s.destroy();
      return closed;
    },
  };
}
