// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { createClient, Code, ConnectError, type Client as RpcClient, type Transport as RpcTransport } from "@connectrpc/connect";
import { isRenewed } from "./auth.js";
import { envelopeOf, type Id, type JsonRpcMessage, messageOf } from "./envelope.js";
import { isDrained, McpError, rpcError } from "./errors.js";
import type { Envelope } from "./gen/mcp/v1/envelope_pb.js";
import { MCP } from "./gen/mcp/v1/mcp_pb.js";
import { pause } from "./pause.js";

export const maxMoves = 5; // how often in a row calls go to another stream since theirs was drained
export const movePause = 10; // ms before they do, doubled each time: connections to a server that goes do not end at once

/** One Connect RPC. */
interface Stream {
  queue: Envelope[];
  /** Requests without an answer. */
  calls: Map<Id, Envelope>;
  /** A session was opened on it. */
  legacy: boolean;
  /** Something has come on it. */
  heard: boolean;
  ended: boolean;
  wake?: () => void;
}

/**
 * StreamTransport is like SendTransport of "@mcpconnect/client/sdk", but one bidirectional
 * stream carries all messages. That needs HTTP/2 and a runtime that can send while it
 * receives: Node, with nodeTransport. Browsers cannot.
 *
 * When the stream breaks, modern calls in flight fail and the next message opens another
 * one. Calls that the server has left undone as it drained (SPEC.md §10.4) are made again
 * there, and do not fail; so are those of a stream that was refused before the user had logged in.
 * A legacy session ends with its stream, which closes the transport.
 */
export class StreamTransport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  onmessage?: ((message: any, extra?: any) => void) | undefined;
  sessionId?: string | undefined;

  readonly #rpc: RpcClient<typeof MCP>;
  readonly #end = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #current: Stream | undefined;
  /** Calls between two streams, and how often in a row there were some. */
  #moving = new Map<Id, Envelope>();
  #moves = 0;

  constructor(transport: RpcTransport) {
    this.#rpc = createClient(MCP, transport);
  }

  /** Called by the SDK. The stream opens with the first message. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  /** Called by the SDK. */
  send(message: unknown): Promise<void> {
    if (this.#end.signal.aborted) return Promise.reject(new Error("the transport is closed"));
    const m = message as JsonRpcMessage;
    if (m.method === "notifications/cancelled") {
      const id = m.params?.["requestId"] as Id; // nothing more comes for it
      this.#current?.calls.delete(id);
      this.#moving.delete(id);
    }
    this.#write(envelopeOf(m), m.method === undefined ? undefined : m.id);
    return Promise.resolve();
  }

  /** Ends the stream, and the session that was opened on it. */
  async close(): Promise<void> {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    if (this.#current) finish(this.#current);
    await Promise.all(this.#running);
    this.onclose?.();
  }

  #write(envelope: Envelope, call: Id | undefined): void {
    const s = (this.#current ??= this.#open());
    if (call !== undefined) s.calls.set(call, envelope);
    s.queue.push(envelope);
    s.wake?.();
  }

  #open(): Stream {
    const s: Stream = { queue: [], calls: new Map(), legacy: false, heard: false, ended: false };
    const received = this.#receive(s).finally(() => this.#running.delete(received));
    this.#running.add(received);
    return s;
  }

  async #receive(s: Stream): Promise<void> {
    let reason: unknown = new ConnectError("the server ended the stream before it answered", Code.Unavailable);
    try {
      const responses = this.#rpc.connect(requests(s), {
        signal: this.#end.signal,
        onHeader: (h) => (this.sessionId = h.get("mcp-session-id") ?? undefined),
      });
      for await (const envelope of responses) {
        s.heard = true;
        const m = messageOf(envelope);
        if (m) this.#take(s, m);
      }
    } catch (e) {
      reason = e;
    }
    if (this.#current === s) this.#current = undefined;
    finish(s);
    if (!this.#end.signal.aborted) await this.#lost(s, McpError.from(reason));
  }

  #take(s: Stream, m: JsonRpcMessage): void {
    if (m.method !== undefined) {
      if (m.id === undefined || s.legacy) this.onmessage?.(m); // a modern client answers no requests (SPEC.md §6.6)
      return;
    }
    this.#moves = 0;
    // An error without id: the server could not read one of the requests, and will not answer it.
    const ids = m.id === undefined && m.error ? [...s.calls.keys()] : [m.id as Id];
    for (const id of ids) {
      const call = s.calls.get(id);
      if (!call) continue;
      s.calls.delete(id);
      if (call.method === "initialize" && !m.error) s.legacy = true;
      this.onmessage?.({ ...m, id });
    }
  }

  async #lost(s: Stream, e: McpError): Promise<void> {
    // What a server has refused for its credentials it has not looked at.
    const refused = isRenewed(e.cause) && !s.heard && this.#moves === 0;
    if (refused || (!s.legacy && isDrained(e) && this.#moves < maxMoves)) {
      for (const [id, call] of s.calls) this.#moving.set(id, call);
      await pause(movePause << this.#moves++, this.#end.signal);
      for (const [id, call] of this.#moving) {
        this.#moving.delete(id);
        if (!this.#end.signal.aborted) this.#write(call, id);
      }
      return;
    }
    this.onerror?.(e);
    for (const id of s.calls.keys()) this.onmessage?.(rpcError(id, e));
    if (s.legacy) void this.close();
  }
}

async function* requests(s: Stream): AsyncGenerator<Envelope> {
  for (;;) {
    for (let next = s.queue.shift(); next; next = s.queue.shift()) yield next;
    if (s.ended) return;
    await new Promise<void>((wake) => (s.wake = wake));
  }
}

/** finish half-closes a stream, and frees who waits to write on it. */
function finish(s: Stream): void {
  s.ended = true;
  s.wake?.();
}
