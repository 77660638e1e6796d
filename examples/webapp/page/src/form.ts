// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

/** One input of a tool's form. */
export interface Field {
  name: string;
  row: HTMLElement;
  /** The value as JSON; undefined for an optional field that is empty. */
  value(): unknown;
}

interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  description?: string;
  title?: string;
  default?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
}

/** fieldsOf makes inputs for the properties of a schema. What it does not know is typed as JSON. */
export function fieldsOf(schema: unknown): Field[] {
  const { properties = {}, required = [] } = (schema ?? {}) as Schema;
  return Object.entries(properties).map(([name, s]) => field(name, s, required.includes(name)));
}

/** valuesOf gives the arguments that the user filled in. */
export function valuesOf(fields: Field[]): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  for (const f of fields) {
    const v = f.value();
    if (v !== undefined) args[f.name] = v;
  }
  return args;
}

function field(name: string, schema: Schema, required: boolean): Field {
  const row = document.createElement("div");
  row.className = "field";
  const label = document.createElement("label");
  label.htmlFor = `field-${name}`;
  label.textContent = (schema.title ?? name) + (required ? "" : " (optional)");
  const input = document.createElement("input");
  input.id = label.htmlFor;
  input.name = name;
  input.required = required;
  row.append(label, input);
  if (schema.description) {
    const hint = document.createElement("small");
    hint.id = `${input.id}-hint`;
    hint.textContent = schema.description;
    input.setAttribute("aria-describedby", hint.id);
    row.append(hint);
  }
  const type = Array.isArray(schema.type) ? schema.type.find((t) => t !== "null") : schema.type;
  if (type === "boolean") {
    input.type = "checkbox";
    input.required = false;
    return { name, row, value: () => input.checked };
  }
  if (schema.default !== undefined) input.value = `${schema.default as string}`;
  if (type === "integer" || type === "number") {
    input.type = "number";
    input.step = type === "integer" ? "1" : "any";
    if (schema.minimum !== undefined) input.min = `${schema.minimum}`;
    if (schema.maximum !== undefined) input.max = `${schema.maximum}`;
    return { name, row, value: () => (input.value === "" ? undefined : exactly(input.value)) };
  }
  if (type === "string") return { name, row, value: () => (input.value === "" && !required ? undefined : input.value) };
  return { name, row, value: () => (input.value === "" ? undefined : (JSON.parse(input.value) as unknown)) };
}

/** exactly reads a number, or fails if it would be another one. */
function exactly(digits: string): number {
  const n = Number(digits);
  if (Number.isInteger(n) && !Number.isSafeInteger(n)) throw new RangeError(`${digits} has more digits than this page can send`);
  return n;
}
