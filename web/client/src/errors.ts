// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError } from "@connectrpc/connect";
import { JsonRpcErrorSchema, type JsonRpcError } from "./gen/mcp/v1/common_pb.js";
import type { Id, JsonRpcMessage } from "./envelope.js";
import { textOf } from "./values.js";

/**
 * What a failed call rejects with. `code` is the JSON-RPC code of MCP (SPEC.md §11.2), or
 * the one that §11.3 gives to the status if the server sent no detail; `status` is the
 * Connect code; `data` is the error's data, if any. `cause` is the ConnectError, whose
 * metadata holds the response's headers.
 */
export class McpError extends Error {
  override readonly name = "McpError";
  constructor(
    message: string,
    readonly code: number,
    readonly status: Code,
    readonly data: unknown,
    override readonly cause: ConnectError,
  ) {
    super(message, { cause });
  }

  /** From gives the McpError of anything that an RPC rejected with. */
  static from(reason: unknown): McpError {
    if (reason instanceof McpError) return reason;
    const cause = ConnectError.from(reason);
    const detail = cause.findDetails(JsonRpcErrorSchema)[0];
    if (detail) return new McpError(detail.message, detail.code, cause.code, errorData(detail), cause);
    // What fetch fails with when nobody is there, or the connection breaks.
    const status = cause.code === Code.Unknown && cause.cause instanceof TypeError ? Code.Unavailable : cause.code;
    return new McpError(cause.rawMessage, jsonRpcCode(status), status, undefined, cause);
  }
}

/** errorData gives `data` of an error object: the Struct or the exact text, whichever came. */
export function errorData(e: JsonRpcError): unknown {
  return e.data ?? textOf(e.dataJson);
}

/** jsonRpcCode is SPEC.md §11.3. */
export function jsonRpcCode(code: Code): number {
  switch (code) {
    case Code.InvalidArgument:
    case Code.NotFound:
      return -32602;
    case Code.Unimplemented:
      return -32601;
    case Code.FailedPrecondition:
    case Code.AlreadyExists:
    case Code.ResourceExhausted:
      return -32600;
    default:
      return -32603;
  }
}

/** rpcError answers a request with what its RPC failed with. */
export function rpcError(id: Id, e: McpError): JsonRpcMessage {
  return { jsonrpc: "2.0", id, error: { code: e.code, message: e.message, ...(e.data !== undefined && { data: e.data }) } };
}

/**
 * isDrained tells whether a Connect stream ended with all answered that the server has taken:
 * calls without an answer may be made again (SPEC.md §10.4).
 */
export function isDrained(e: McpError): boolean {
  return (e.data as { drained?: unknown } | null | undefined)?.drained === true;
}
