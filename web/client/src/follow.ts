// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

/**
 * follow makes a controller abort with any of the signals, until what it returns is called. Of
 * AbortSignal.any something stays with a signal for each call that it outlives, in Node 20.
 */
export function follow(controller: AbortController, signals: (AbortSignal | undefined)[]): () => void {
  const all = signals.filter((s) => s !== undefined);
  function abort(this: AbortSignal) {
    controller.abort(this.reason);
  }
  for (const s of all) {
    if (s.aborted) abort.call(s);
    else s.addEventListener("abort", abort);
  }
  return () => {
    for (const s of all) s.removeEventListener("abort", abort);
  };
}
