// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import type { StreamRequest, UnaryRequest } from "@connectrpc/connect";

export type Request = UnaryRequest | StreamRequest;

/** repeatable gives an RPC's request as often as it is called; undefined for streams of requests, which the first try consumes. */
export async function repeatable(req: Request): Promise<(() => Request) | undefined> {
  if (!req.stream) return () => req;
  if (req.method.methodKind !== "server_streaming") return undefined;
  const messages = await all(req.message);
  return () => ({ ...req, message: each(messages) });
}

/** all reads a stream to its end. */
async function all<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const m of messages) list.push(m);
  return list;
}

async function* each<T>(messages: T[]): AsyncGenerator<T> {
  yield* messages;
}
