// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { createClient, type Transport as RpcTransport } from "@connectrpc/connect";
import { envelopeOf, type JsonRpcMessage, messageOf } from "./envelope.js";
import { McpError } from "./errors.js";
import type { Envelope } from "./gen/mcp/v1/envelope_pb.js";
import { MCP } from "./gen/mcp/v1/mcp_pb.js";

/**
 * StreamTransport is like SendTransport of "@mcpconnect/client/sdk", but one bidirectional
 * stream carries all messages. That needs HTTP/2 and a runtime that can send while it
 * receives: Node, with nodeTransport. Browsers cannot.
 */
export class StreamTransport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  onmessage?: ((message: any, extra?: any) => void) | undefined;
  sessionId?: string | undefined;

  readonly #transport: RpcTransport;
  readonly #end = new AbortController();
  readonly #queue: Envelope[] = [];
  #wake: (() => void) | undefined;
  #done: Promise<void> | undefined;
  #halfClosed = false;

  constructor(transport: RpcTransport) {
    this.#transport = transport;
  }

  /** Called by the SDK. The stream opens with the first message. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  /** Called by the SDK. */
  send(message: unknown): Promise<void> {
    if (this.#end.signal.aborted || this.#halfClosed) return Promise.reject(new Error("the transport is closed"));
    this.#queue.push(envelopeOf(message as JsonRpcMessage));
    this.#done ??= this.#receive();
    this.#wake?.();
    return Promise.resolve();
  }

  /** Ends the stream, and the session that was opened on it. */
  async close(): Promise<void> {
    this.#halfClosed = true;
    this.#wake?.();
    this.#end.abort();
    await this.#done;
    if (!this.#done) this.onclose?.();
  }

  async *#requests(): AsyncGenerator<Envelope> {
    for (;;) {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) yield next;
      if (this.#halfClosed) return;
      await new Promise<void>((wake) => (this.#wake = wake));
    }
  }

  async #receive(): Promise<void> {
    const rpc = createClient(MCP, this.#transport);
    try {
      const responses = rpc.connect(this.#requests(), {
        signal: this.#end.signal,
        onHeader: (h) => (this.sessionId = h.get("mcp-session-id") ?? undefined),
      });
      for await (const envelope of responses) {
        const m = messageOf(envelope);
        if (m) this.onmessage?.(m);
      }
    } catch (reason) {
      if (!this.#end.signal.aborted) this.onerror?.(McpError.from(reason));
    } finally {
      this.#halfClosed = true;
      this.#wake?.();
      this.onclose?.();
    }
  }
}
