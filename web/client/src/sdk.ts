// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { createClient, Code, ConnectError, type Client as RpcClient, type Transport as RpcTransport } from "@connectrpc/connect";
import { envelopeOf, type Id, type JsonRpcMessage, messageOf } from "./envelope.js";
import { McpError, rpcError } from "./errors.js";
import { follow } from "./follow.js";
import { EnvelopeSchema } from "./gen/mcp/v1/envelope_pb.js";
import { MCP } from "./gen/mcp/v1/mcp_pb.js";
import { mirror, mirroredName } from "./metadata.js";
import { Backoff } from "./pause.js";

export type { JsonRpcMessage } from "./envelope.js";

/** What the SDKs pass along with a message; the members that this transport reads. */
export interface SendOptions {
  requestSignal?: AbortSignal | undefined;
  onRequestStreamEnd?: (() => void) | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  /** Not read; SDK 1.x passes nothing of the others. */
  relatedRequestId?: Id | undefined;
}

const versionKey = "io.modelcontextprotocol/protocolVersion";
const minBackoff = 200; // ms, of a session's stream that broke
const maxBackoff = 10_000;
const farewell = 5_000; // ms for a server that may be gone

/**
 * SendTransport is a Transport for the official TypeScript SDK, of `@modelcontextprotocol/client`
 * 2.x and of `@modelcontextprotocol/sdk` 1.x. All that their clients do works over it, of
 * modern and of legacy versions:
 *
 *     await client.connect(new SendTransport(connectTransport("https://example.com")));
 *
 * Messages travel in envelopes as they are (SPEC.md §4), each by an RPC `Send` of its own,
 * and a legacy session has one more for what the server says of itself. A call that fails on
 * its way is answered by a JSON-RPC error; the connection goes on. A session that the server
 * no longer knows closes the transport.
 */
export class SendTransport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  // The SDKs type it as a generic function, which only `any` fits on both sides.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  onmessage?: ((message: any, extra?: any) => void) | undefined;
  sessionId?: string | undefined;
  /** Tells SDK 2.x to end a call by its requestSignal. */
  readonly hasPerRequestStream = true;

  readonly #rpc: RpcClient<typeof MCP>;
  readonly #calls = new Map<Id, AbortController>();
  readonly #end = new AbortController();
  #version: string | undefined;
  #listening: Promise<void> | undefined;

  /** The transport is one of this package, or any of Connect that has server streams. */
  constructor(transport: RpcTransport) {
    this.#rpc = createClient(MCP, transport);
  }

  /** Called by the SDK. It sends nothing yet. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  /** Called by the SDK, with the version that a session agreed on. */
  setProtocolVersion(version: string): void {
    this.#version = version;
  }

  /** Called by the SDK. A request goes on by itself; other messages have been taken by the server. */
  async send(message: unknown, options: SendOptions = {}): Promise<void> {
    if (this.#end.signal.aborted) throw new Error("the transport is closed");
    const m = message as JsonRpcMessage;
    if (m.method !== undefined && m.id !== undefined) {
      void this.#call(m, m.id, options);
      return;
    }
    if (m.method === "notifications/cancelled") {
      const id = m.params?.["requestId"] as Id;
      this.#calls.get(id)?.abort(); // the end of the RPC tells the server
      this.#calls.delete(id);
      return;
    }
    await this.#tell(m, options);
    if (m.method === "notifications/initialized" && this.sessionId && !this.#listening) await this.#listen();
  }

  /** Ends all that is in flight, and a legacy session. */
  async close(): Promise<void> {
    if (this.#end.signal.aborted) return;
    const headers = mirror({ version: this.#version, session: this.sessionId });
    this.#end.abort();
    this.#calls.clear();
    if (this.sessionId) {
      try {
        await this.#rpc.shutdown({}, { headers, timeoutMs: farewell });
      } catch (reason) {
        this.onerror?.(McpError.from(reason)); // the session ends when it has been idle
      }
    }
    this.onclose?.();
  }

  async #call(m: JsonRpcMessage, id: Id, options: SendOptions): Promise<void> {
    const abort = new AbortController();
    const unfollow = follow(abort, [this.#end.signal, options.requestSignal]);
    const cancelled = () => abort.signal.aborted;
    this.#calls.set(id, abort);
    let session = "";
    try {
      const stream = this.#rpc.send(envelopeOf(m), {
        headers: this.#headers(m, options),
        signal: abort.signal,
        onHeader: (h) => (session = h.get("mcp-session-id") ?? ""),
      });
      let answered = false;
      for await (const envelope of stream) {
        const got = messageOf(envelope);
        if (!got || cancelled()) continue;
        if (got.method === undefined) {
          if (got.id !== id || answered) continue;
          answered = true;
          if (m.method === "initialize" && got.result !== undefined) this.sessionId = session || undefined;
          this.#calls.delete(id);
        } else if (!this.#expects(got)) {
          continue;
        }
        this.onmessage?.(got);
      }
      if (!answered) throw new ConnectError("the server ended the call without an answer", Code.Unavailable);
    } catch (reason) {
      if (!cancelled()) this.#fail(id, reason);
    } finally {
      this.#calls.delete(id);
      unfollow();
      abort.abort(); // leaving the loop by an exception of the SDK's own must not leave the stream
      if (!options.requestSignal?.aborted && !this.#end.signal.aborted) options.onRequestStreamEnd?.();
    }
  }

  #fail(id: Id, reason: unknown): void {
    const e = McpError.from(reason);
    this.onerror?.(e);
    this.onmessage?.(rpcError(id, e));
    if (this.sessionId && e.status === Code.NotFound && e.code === -32600) this.#lost();
  }

  /** A modern client answers no requests (SPEC.md §6.6). */
  #expects(m: JsonRpcMessage): boolean {
    return m.id === undefined || this.sessionId !== undefined;
  }

  async #tell(m: JsonRpcMessage, options: SendOptions): Promise<void> {
    try {
      for await (const _ of this.#rpc.send(envelopeOf(m), { headers: this.#headers(m, options), signal: this.#end.signal })) {
        // nothing comes, but the end
      }
    } catch (reason) {
      throw McpError.from(reason);
    }
  }

  #headers(m: JsonRpcMessage, options: SendOptions): Headers {
    const named = (m.params?.["_meta"] as Record<string, unknown> | undefined)?.[versionKey];
    const method = m.method;
    const headers = mirror({
      version: typeof named === "string" ? named : method === "initialize" ? undefined : this.#version,
      method,
      name: method === undefined || m.id === undefined ? undefined : mirroredName(method, m.params),
      session: typeof named === "string" ? undefined : this.sessionId,
    });
    for (const [key, value] of Object.entries(options.headers ?? {})) {
      if (key.toLowerCase().startsWith("mcp-param-")) headers.set(key, value);
    }
    return headers;
  }

  /** Keeps the session's stream open, and waits until it stands for the first time or cannot. */
  #listen(): Promise<void> {
    return new Promise((stands) => {
      this.#listening = this.#keepListening(stands).finally(stands);
    });
  }

  async #keepListening(stands: () => void): Promise<void> {
    for (const backoff = new Backoff(minBackoff, maxBackoff); !this.#end.signal.aborted; await backoff.wait(this.#end.signal)) {
      backoff.begin();
      try {
        const headers = mirror({ version: this.#version, session: this.sessionId });
        for await (const envelope of this.#rpc.send(create(EnvelopeSchema), { headers, signal: this.#end.signal, onHeader: stands })) {
          const m = messageOf(envelope);
          if (m) this.onmessage?.(m);
        }
      } catch (reason) {
        if (this.#end.signal.aborted) return;
        const e = McpError.from(reason);
        this.onerror?.(e);
        if (e.status === Code.NotFound) return this.#lost();
        if (e.status === Code.Unimplemented || e.status === Code.InvalidArgument) return; // a server without such streams
      }
      stands();
    }
  }

  #lost(): void {
    this.sessionId = undefined;
    void this.close();
  }
}
