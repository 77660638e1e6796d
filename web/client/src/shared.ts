// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { McpClient } from "./client.js";
import { ListenResponseSchema, type ListenResponse, type SubscriptionFilterSchema } from "./gen/mcp/v1/subscription_pb.js";
import { Backoff } from "./pause.js";

export interface SharedListenOptions {
  /** Ends the subscription of this page. */
  signal: AbortSignal;
  /**
   * Which pages share a stream: those with the same name. Pages that share must want the
   * same, from the same server, as the same user. Default: "mcpconnect".
   */
  name?: string;
  /** Told of failures; the stream is opened again after them. Default: nobody. */
  onerror?: (reason: unknown) => void;
}

const minWait = 500; // ms
const maxWait = 30_000;

/**
 * listenShared is Listen for pages that are open in several tabs: all tabs of an origin
 * share one stream, because over HTTP/1.1 a browser has six connections for all of them. One
 * tab holds it (Web Locks) and tells the others (BroadcastChannel); when it goes, another
 * takes over. A change that falls into that gap is not told, so every page gets
 * `acknowledged` anew after it and reads again what it shows. Streams that break are opened
 * again, within 0.5 s, then within twice as long each time, up to 30 s.
 *
 * Where there are no Web Locks, which are for pages from https and from this machine only, each
 * page has a stream of its own.
 */
export async function listenShared(
  client: McpClient,
  filter: MessageInitShape<typeof SubscriptionFilterSchema>,
  onchange: (m: ListenResponse) => void,
  options: SharedListenOptions,
): Promise<void> {
  const { signal, name = "mcpconnect", onerror } = options;
  let tell = (_: Uint8Array): void => {};
  let acknowledged: Uint8Array | undefined;

  async function hold(): Promise<void> {
    for (const backoff = new Backoff(minWait, maxWait); !signal.aborted; await backoff.wait(signal)) {
      backoff.begin();
      try {
        for await (const m of client.listen(filter, { signal })) {
          const bytes = toBinary(ListenResponseSchema, m);
          if (m.kind.case === "acknowledged") acknowledged = bytes;
          tell(bytes);
          onchange(m);
        }
      } catch (reason) {
        if (!signal.aborted) onerror?.(reason);
      }
      acknowledged = undefined;
    }
  }

  const locks = globalThis.navigator?.locks as LockManager | undefined;
  if (!locks) return hold();
  const channel = new BroadcastChannel(`${name}:listen`);
  channel.onmessage = (e: MessageEvent<Uint8Array | null>) => {
    if (e.data !== null) onchange(fromBinary(ListenResponseSchema, e.data));
    else if (acknowledged) channel.postMessage(acknowledged); // a page came late to ours, which holds the stream
  };
  channel.postMessage(null);
  tell = (bytes) => channel.postMessage(bytes);
  try {
    await locks.request(`${name}:listen`, { signal }, hold);
  } catch (reason) {
    if (!signal.aborted) throw reason;
  } finally {
    channel.close();
  }
}
