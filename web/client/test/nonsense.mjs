// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { create, toBinary } from "@bufbuild/protobuf";
import { EnvelopeSchema } from "@mcpconnect/client/gen/mcp/v1/envelope_pb";
import { listen } from "./rude.mjs";

/** frame is a message with its five bytes before it, or with others. */
function frame(body, { flags = 0, length = body.length } = {}) {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, body]);
}

const answer = (resultJson) => toBinary(EnvelopeSchema, create(EnvelopeSchema, { kind: { case: "response", value: { intId: 1n, outcome: { case: "resultJson", value: Buffer.from(resultJson, "latin1") } } } }));
const bytes = (...b) => Buffer.from(b);

/** Each ends a response whose content type is right. */
export const nonsense = {
  "an empty body": (res) => res.end(),
  "no frame": (res) => res.end("hi"),
  "half a frame": (res) => res.end(frame(bytes(1, 2, 3), { length: 100 })),
  "half a frame, and the connection breaks": (res) => res.write(frame(bytes(1, 2, 3), { length: 100 }), () => res.destroy()),
  // The rest of it never comes; without frames that is a slow server.
  "a frame of 4 GiB": (res) => (res.getHeader("content-type") === "application/proto" ? res.end(bytes(1)) : res.write(frame(bytes(1, 2, 3), { length: 0xffffffff }))),
  "protobuf that is none": (res) => res.end(frame(bytes(0xff, 0xff, 0xff))),
  "a frame that is compressed by nothing": (res) => res.end(frame(bytes(1, 2, 3), { flags: 1 })),
  "unknown flags": (res) => res.end(frame(bytes(), { flags: 0x7c })),
  "an end that cannot be read": (res) => res.end(Buffer.concat([frame(bytes(0xff, 0xfe), { flags: 0x82 })])),
  "JSON that is none": (res) => res.end(frame(answer('{"a":'))),
  "text that is not UTF-8": (res) => res.end(frame(answer('{"a":"\xff"}'))),
  "no end": (res) => res.end(frame(bytes())),
  "HTML": (res) => res.setHeader("Content-Type", "text/html").end("<h1>Hi</h1>"),
  "the HTML of a proxy": (res) => res.writeHead(502, { "Content-Type": "text/html" }).end("<h1>Bad gateway</h1>"),
  "JSON with an error of another kind": (res) => res.writeHead(500, { "Content-Type": "application/json" }).end('{"code":7,"details":{}}'),
  "an error without end": (res) => {
    res.writeHead(500, { "Content-Type": "application/json" }).write('{"code":"internal","message":"');
    const more = () => {
      while (!res.destroyed && res.write("x".repeat(1 << 16)));
    };
    res.on("drain", more);
    more();
  },
  "nothing for good": (res) => res.writeHead(204).end(),
  "an unknown challenge": (res) => res.writeHead(401, { "WWW-Authenticate": 'Bearer error="' }).end(),
  "another protocol": (res) => res.setHeader("Content-Type", "application/grpc").end(frame(bytes())),
  "the end of the connection": (res) => res.destroy(),
};

/** serveNonsense serves each below its name. */
export function serveNonsense() {
  return listen((req, res) => {
    const name = decodeURIComponent(req.url.split("/")[1]);
    req.resume().on("end", () => {
      if (name === "silence") return;
      res.setHeader("Content-Type", req.headers["content-type"]);
      nonsense[name](res);
    });
  });
}
