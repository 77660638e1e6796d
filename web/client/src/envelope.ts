// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { errorData } from "./errors.js";
import { type Envelope, EnvelopeSchema } from "./gen/mcp/v1/envelope_pb.js";
import { jsonText, textOf } from "./values.js";

/** A JSON-RPC id as MCP has it. */
export type Id = string | number;

/** A JSON-RPC message, as the SDKs pass it to a transport. */
export interface JsonRpcMessage {
  jsonrpc: "2.0";
  id?: Id;
  method?: string;
  params?: Record<string, unknown>;
  result?: unknown;
  error?: { code: number; message: string; data?: unknown };
}

/** envelopeOf puts a message into an envelope (SPEC.md §4.1). It throws for ids that have no place there. */
export function envelopeOf(m: JsonRpcMessage): Envelope {
  const params = m.params === undefined ? {} : { paramsJson: jsonText(m.params) };
  if (m.method !== undefined && m.id !== undefined) {
    return create(EnvelopeSchema, { method: m.method, kind: { case: "request", value: { ...idOf(m.id), ...params } } });
  }
  if (m.method !== undefined) {
    return create(EnvelopeSchema, { method: m.method, kind: { case: "notification", value: params } });
  }
  const id = m.id === undefined ? {} : idOf(m.id);
  if (m.error) {
    const { code, message, data } = m.error;
    const error = { code, message, ...(data !== undefined && { dataJson: jsonText(data) }) };
    return create(EnvelopeSchema, { kind: { case: "response", value: { ...id, outcome: { case: "error", value: error } } } });
  }
  return create(EnvelopeSchema, { kind: { case: "response", value: { ...id, outcome: { case: "resultJson", value: jsonText(m.result) } } } });
}

function idOf(id: Id): { id: string } | { intId: bigint } {
  if (typeof id === "string") return { id };
  if (!Number.isSafeInteger(id)) throw new RangeError(`JSON-RPC id ${id}: want a string or an integer below 2^53`);
  return { intId: BigInt(id) };
}

/** messageOf is the way back; undefined for what is no JSON-RPC message. */
export function messageOf(e: Envelope): JsonRpcMessage | undefined {
  const k = e.kind;
  switch (k.case) {
    case "request":
    case "notification": {
      const params = (k.value.params ?? textOf(k.value.paramsJson)) as Record<string, unknown> | undefined;
      const rest = { method: e.method, ...(params !== undefined && { params }) };
      return k.case === "request" ? { jsonrpc: "2.0", ...readId(k.value), ...rest } : { jsonrpc: "2.0", ...rest };
    }
    case "response": {
      const { outcome } = k.value;
      const id = readId(k.value);
      switch (outcome.case) {
        case "result":
          return { jsonrpc: "2.0", ...id, result: outcome.value };
        case "resultJson":
          return { jsonrpc: "2.0", ...id, result: textOf(outcome.value) };
        case "error": {
          const { code, message } = outcome.value;
          const data = errorData(outcome.value);
          return { jsonrpc: "2.0", ...id, error: { code, message, ...(data !== undefined && { data }) } };
        }
        default:
          return undefined;
      }
    }
    default:
      return undefined;
  }
}

function readId(v: { id?: string | undefined; intId?: bigint | undefined }): { id?: Id } {
  if (v.id !== undefined) return { id: v.id };
  return v.intId === undefined ? {} : { id: Number(v.intId) };
}
