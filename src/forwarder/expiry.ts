// SPDX-License-Identifier: Apache-2.0
// A connection whose caller stops refreshing it ends when the caller's token does.

/** setTimeout(3) of Node takes a signed 32-bit number of milliseconds. */
const longestTimer = 0x7fff_ffff;

export class Expiry {
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #onExpired: (id: string) => void;

  constructor(onExpired: (id: string) => void) {
    this.#onExpired = onExpired;
  }

  arm(id: string, milliseconds: number): void {
    this.disarm(id);
    const delay = Math.min(Math.max(milliseconds, 0), longestTimer);
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      this.#onExpired(id);
    }, delay);
    this.#timers.set(id, timer.unref());
  }

  disarm(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  stop(): void {
    for (const id of this.#timers.keys()) this.disarm(id);
  }
}
