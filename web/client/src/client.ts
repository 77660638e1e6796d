// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createClient, Code, ConnectError, type CallOptions, type Client as RpcClient, type Transport } from "@connectrpc/connect";
import { errorData, McpError } from "./errors.js";
import { follow } from "./follow.js";
import type { Prompt, Resource, ResourceTemplate, Tool } from "./gen/mcp/v1/catalog_pb.js";
import type { JsonRpcError } from "./gen/mcp/v1/common_pb.js";
import { type ClientInfoSchema, JsonEncoding, type RequestMeta, RequestMetaSchema } from "./gen/mcp/v1/common_pb.js";
import type { CompleteResponse } from "./gen/mcp/v1/completion_pb.js";
import type { InputRequired, InputResponseSchema } from "./gen/mcp/v1/input_pb.js";
import { MCP } from "./gen/mcp/v1/mcp_pb.js";
import type { GetPromptResponse } from "./gen/mcp/v1/prompt_pb.js";
import type { ReadResourceResponse, ResourceEvent } from "./gen/mcp/v1/resource_pb.js";
import type { DiscoverResponse } from "./gen/mcp/v1/session_pb.js";
import type { ListenResponse, SubscriptionFilterSchema } from "./gen/mcp/v1/subscription_pb.js";
import type { Task } from "./gen/mcp/v1/task_pb.js";
import type { CallToolProgress, CallToolRequestSchema, CallToolResult, InvokeToolResponse, LogMessage } from "./gen/mcp/v1/tool_pb.js";
import { mirror } from "./metadata.js";
import { jsonText } from "./values.js";

/** The MCP version that this client speaks. */
export const PROTOCOL_VERSION = "2026-07-28";

/** What holds for one call. */
export interface CallSettings {
  /** Ends the call when it aborts; the server's tool hears of it. */
  signal?: AbortSignal;
  /** Milliseconds until the call fails with deadline_exceeded. Default: none. */
  timeoutMs?: number;
}

/** What holds for one call of a tool, prompt or resource that may ask back (SPEC.md §8). */
export interface RoundSettings extends CallSettings {
  /** Answers to the questions of the call before, under the same keys. */
  inputResponses?: Record<string, MessageInitShape<typeof InputResponseSchema>>;
  /** The requestState of the call before. */
  requestState?: string;
}

/** What holds for one call with events. */
export interface StreamSettings extends RoundSettings {
  /** Log messages of this level and worse are wanted. Default: none. */
  logLevel?: string;
}

/** What happens during a call: progress and log, then one of the others, which is the last. */
export type CallEvent =
  | { kind: "progress"; progress: CallToolProgress }
  | { kind: "log"; log: LogMessage }
  | { kind: "result"; result: CallToolResult }
  | { kind: "inputRequired"; inputRequired: InputRequired }
  | { kind: "task"; task: Task };

export interface ClientOptions {
  /** Who calls; for display only. Default: mcpconnect-web. */
  clientInfo?: MessageInitShape<typeof ClientInfoSchema>;
  /** What the client can do, as MCP's ClientCapabilities. Default: nothing. */
  capabilities?: Record<string, unknown>;
}

/** What comes of a call: a result, questions, or a task. */
export type Outcome = Exclude<InvokeToolResponse["outcome"], { case: undefined }>;

/** Free-form arguments of a tool: a JSON object. */
export type Arguments = Record<string, unknown>;

/**
 * McpClient calls a server of mcp.v1 by typed RPCs, one HTTP request each: no session, no
 * JSON-RPC. It speaks MCP 2026-07-28. Calls may run at the same time; browsers open at most
 * six connections per origin over HTTP/1.1, see listenShared. Failed calls reject with an
 * McpError.
 */
export class McpClient {
  /** The generated client, for RPCs that have no method here. */
  readonly rpc: RpcClient<typeof MCP>;
  readonly #info: MessageInitShape<typeof ClientInfoSchema>;
  readonly #capabilities: Record<string, unknown>;
  #tokens = 0n;

  constructor(transport: Transport, options: ClientOptions = {}) {
    this.rpc = createClient(MCP, transport);
    this.#info = options.clientInfo ?? { name: "mcpconnect-web", version: "0.1.0" };
    this.#capabilities = options.capabilities ?? {};
  }

  /** Tells what the server is and can do. */
  discover(settings?: CallSettings): Promise<DiscoverResponse> {
    return this.#unary("server/discover", "", settings, (o) => this.rpc.discover({ meta: this.meta() }, o));
  }

  /** All tools, page by page. */
  tools(settings?: CallSettings): AsyncGenerator<Tool> {
    return this.#pages("tools/list", settings, (cursor, o) => this.rpc.listTools({ meta: this.meta(), ...cursor }, o), (p) => p.tools);
  }

  /** All resources, page by page. */
  resources(settings?: CallSettings): AsyncGenerator<Resource> {
    return this.#pages("resources/list", settings, (cursor, o) => this.rpc.listResources({ meta: this.meta(), ...cursor }, o), (p) => p.resources);
  }

  /** All resource templates, page by page. */
  resourceTemplates(settings?: CallSettings): AsyncGenerator<ResourceTemplate> {
    return this.#pages("resources/templates/list", settings, (cursor, o) => this.rpc.listResourceTemplates({ meta: this.meta(), ...cursor }, o), (p) => p.resourceTemplates);
  }

  /** All prompts, page by page. */
  prompts(settings?: CallSettings): AsyncGenerator<Prompt> {
    return this.#pages("prompts/list", settings, (cursor, o) => this.rpc.listPrompts({ meta: this.meta(), ...cursor }, o), (p) => p.prompts);
  }

  /** Calls a tool and gives the outcome: a result, questions, or a task. */
  async callTool(name: string, args?: Arguments, settings?: RoundSettings): Promise<Outcome> {
    const request = this.#call(name, args, settings, this.meta());
    const res = await this.#unary("tools/call", name, settings, (o) => this.rpc.invokeTool(request, o));
    if (res.outcome.case === undefined) throw withoutOutcome();
    return res.outcome;
  }

  /** Calls a tool and tells how it goes on. Leaving the loop early cancels the call. */
  async *streamTool(name: string, args?: Arguments, settings?: StreamSettings): AsyncGenerator<CallEvent, void> {
    const meta = this.meta();
    meta.progressToken = { $typeName: "mcp.v1.ProgressToken", kind: { case: "intValue", value: ++this.#tokens } };
    if (settings?.logLevel) meta.logLevel = settings.logLevel;
    const request = this.#call(name, args, settings, meta);
    for await (const event of this.#stream("tools/call", name, settings, (o) => this.rpc.callTool(request, o))) {
      const k = event.kind;
      switch (k.case) {
        case "progress":
          yield { kind: "progress", progress: k.value };
          continue;
        case "log":
          yield { kind: "log", log: k.value };
          continue;
        case "result":
          yield { kind: "result", result: k.value };
          return;
        case "inputRequired":
          yield { kind: "inputRequired", inputRequired: k.value };
          return;
        case "task":
          yield { kind: "task", task: k.value };
          return;
        case "error":
          throw failed(k.value);
        default: // of a later version: nothing that this client could tell
      }
    }
    throw withoutOutcome();
  }

  /** Reads a resource. `inputRequired` is set if the server needs input first. */
  readResource(uri: string, settings?: RoundSettings): Promise<ReadResourceResponse> {
    return this.#unary("resources/read", uri, settings, (o) => this.rpc.readResource({ uri, meta: this.meta(), ...round(settings) }, o));
  }

  /** Gives the messages of a prompt. `inputRequired` is set if the server needs input first. */
  getPrompt(name: string, args: Record<string, string> = {}, settings?: RoundSettings): Promise<GetPromptResponse> {
    return this.#unary("prompts/get", name, settings, (o) => this.rpc.getPrompt({ name, arguments: args, meta: this.meta(), ...round(settings) }, o));
  }

  /** Completes an argument of a prompt (`prompt`) or of a resource template (`resource`, its URI). */
  complete(ref: { prompt: string } | { resource: string }, argument: string, value: string, settings?: CallSettings): Promise<CompleteResponse> {
    const of = "prompt" in ref ? { ref: ref.prompt, refType: "ref/prompt" } : { ref: ref.resource, refType: "ref/resource" };
    return this.#unary("completion/complete", "", settings, (o) => this.rpc.complete({ ...of, argumentName: argument, value, meta: this.meta() }, o));
  }

  /**
   * Tells of changes: first `acknowledged`, with what the server honours, then the
   * notifications. Ends when the server ends it or the loop is left. Each takes one HTTP
   * connection over HTTP/1.1; listenShared needs one for all tabs of an origin.
   */
  async *listen(filter: MessageInitShape<typeof SubscriptionFilterSchema>, settings?: CallSettings): AsyncGenerator<ListenResponse, void> {
    for await (const m of this.#stream("subscriptions/listen", "", settings, (o) => this.rpc.listen({ meta: this.meta(), notifications: filter }, o))) {
      if (m.kind.case === "completed") return;
      yield m;
    }
  }

  /** Watches one resource: each change comes with the contents after it. */
  watch(uri: string, settings?: CallSettings): AsyncGenerator<ResourceEvent, void> {
    return this.#stream("subscriptions/listen", uri, settings, (o) => this.rpc.subscribeResource({ uri, meta: this.meta() }, o));
  }

  /** Meta gives the `_meta` that every request of this client carries; for `rpc`. */
  meta(): RequestMeta {
    return create(RequestMetaSchema, {
      protocolVersion: PROTOCOL_VERSION,
      clientInfo: this.#info,
      clientCapabilities: { valuesJson: jsonText(this.#capabilities) },
      jsonEncoding: JsonEncoding.BYTES, // a Struct loses digits, and the order of members
    });
  }

  #call(name: string, args: Arguments | undefined, settings: RoundSettings | undefined, meta: RequestMeta): MessageInitShape<typeof CallToolRequestSchema> {
    return { name, meta, ...(args && { argumentsJson: jsonText(args) }), ...round(settings) };
  }

  async #unary<R>(method: string, name: string, settings: CallSettings | undefined, rpc: (o: CallOptions) => Promise<R>): Promise<R> {
    try {
      return await rpc(options(method, name, settings));
    } catch (reason) {
      throw McpError.from(reason);
    }
  }

  async *#stream<R>(method: string, name: string, settings: CallSettings | undefined, rpc: (o: CallOptions) => AsyncIterable<R>): AsyncGenerator<R, void> {
    // Leaving the loop does not end a stream of connect-web: only its signal does.
    const left = new AbortController();
    const unfollow = follow(left, [settings?.signal]);
    try {
      yield* rpc(options(method, name, { ...settings, signal: left.signal }));
    } catch (reason) {
      throw McpError.from(reason);
    } finally {
      unfollow();
      left.abort();
    }
  }

  async *#pages<P extends { nextCursor?: string | undefined }, T>(
    method: string,
    settings: CallSettings | undefined,
    page: (cursor: { cursor?: string }, o: CallOptions) => Promise<P>,
    items: (p: P) => T[],
  ): AsyncGenerator<T, void> {
    for (let cursor: string | undefined; ; ) {
      const p = await this.#unary(method, "", settings, (o) => page(cursor === undefined ? {} : { cursor }, o));
      yield* items(p);
      if (p.nextCursor === undefined || p.nextCursor === cursor) return; // a cursor that stands still never ends
      cursor = p.nextCursor;
    }
  }
}

function round(settings: RoundSettings | undefined) {
  return {
    ...(settings?.inputResponses && { inputResponses: settings.inputResponses }),
    ...(settings?.requestState !== undefined && { requestState: settings.requestState }),
  };
}

function options(method: string, name: string, settings: CallSettings | undefined): CallOptions {
  return {
    headers: mirror({ version: PROTOCOL_VERSION, method, name }),
    ...(settings?.signal && { signal: settings.signal }),
    ...(settings?.timeoutMs !== undefined && { timeoutMs: settings.timeoutMs }),
  };
}

function withoutOutcome(): McpError {
  return McpError.from(new ConnectError("the server ended the call without an outcome", Code.Unavailable));
}

function failed(e: JsonRpcError): McpError {
  return new McpError(e.message, e.code, Code.Unknown, errorData(e), new ConnectError(e.message, Code.Unknown));
}
