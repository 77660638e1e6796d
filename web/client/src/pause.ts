// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

/** pause waits, or until signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}

/** Backoff is how long to wait before a stream that has ended is opened again: between min and max, in milliseconds. */
export class Backoff {
  #next: number;
  #began = 0;

  constructor(
    readonly min: number,
    readonly max: number,
  ) {
    this.#next = min;
  }

  /** Called when the stream is opened. */
  begin(): void {
    this.#began = performance.now();
  }

  /** Called when it has ended. One that ends as soon as it stands has not gone well, whatever it has said. */
  async wait(signal: AbortSignal): Promise<void> {
    const most = performance.now() - this.#began >= this.max ? this.min : this.#next;
    this.#next = Math.min(2 * most, this.max);
    await pause(most * (0.5 + Math.random() / 2), signal); // clients of one server must not come in step
  }
}
