// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/**
 * textOf reads the JSON text of a `…Json` field; undefined if it is empty. Numbers that
 * JavaScript cannot hold lose digits here, as in JSON.parse: read the bytes yourself if
 * you need them all.
 */
export function textOf(json: Uint8Array): unknown {
  return json.length === 0 ? undefined : JSON.parse(decoder.decode(json));
}

/** jsonText writes a value as the bytes of a `…Json` field. */
export function jsonText(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/** inputSchema gives the JSON Schema of a tool's arguments; undefined if it has none. */
export function inputSchema(tool: { inputSchema?: unknown; inputSchemaJson: Uint8Array }): unknown {
  return tool.inputSchema ?? textOf(tool.inputSchemaJson);
}

/** structuredContent gives the structured part of a result; undefined if it has none. */
export function structuredContent(result: { structuredContent?: unknown; structuredContentJson: Uint8Array }): unknown {
  return result.structuredContent ?? textOf(result.structuredContentJson);
}
