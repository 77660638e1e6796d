// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError } from "@connectrpc/connect";

/** The largest message that is taken from a server by default: 4 MiB. */
export const defaultMaxMessageBytes = 4 << 20;

/** limited is a fetch whose responses fail at a message of more than max bytes, before it is collected. */
export function limited(fetch: typeof globalThis.fetch, max: number): typeof globalThis.fetch {
  return async (input, init) => {
    const res = await fetch(input, init);
    const type = res.headers.get("content-type") ?? "";
    if (!res.body || (!res.ok && !type.includes("json"))) return res; // nobody reads it
    const framed = /grpc-web|connect\+/.test(type);
    return new Response(framed ? res.body.pipeThrough(frames(max)) : await collect(res.body, max), res);
  };
}

function tooLarge(max: number): ConnectError {
  return new ConnectError(`a message of the server is over the limit of ${max} bytes`, Code.ResourceExhausted);
}

/** collect reads a body by itself: what goes wrong in that of a Response is a TypeError to browsers. */
async function collect(body: ReadableStream<Uint8Array<ArrayBuffer>>, max: number): Promise<Blob> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const reader = body.getReader();
  for (let left = max; ; ) {
    const { done, value } = await reader.read();
    if (done) return new Blob(chunks);
    if ((left -= value.length) < 0) {
      void reader.cancel();
      throw tooLarge(max);
    }
    chunks.push(value);
  }
}

/** frames reads the five bytes before each message: its flags, and its length. */
function frames(max: number): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let header = 0; // bytes of it that have come
  let length = 0;
  return new TransformStream({
    transform(chunk, out) {
      for (let i = 0; i < chunk.length; ) {
        if (header === 5) {
          const n = Math.min(length, chunk.length - i);
          i += n;
          length -= n;
        } else {
          length = header === 0 ? 0 : length * 256 + chunk[i]!;
          header++;
          i++;
          if (header === 5 && length > max) throw tooLarge(max);
        }
        if (header === 5 && length === 0) header = 0;
      }
      out.enqueue(chunk);
    },
  });
}
