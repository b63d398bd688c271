// SPDX-License-Identifier: Apache-2.0
// Retries with exponential backoff.

export interface RetrySeconds {
  readonly first: number;
  readonly longest: number;
}

interface Attempt {
  readonly timer: NodeJS.Timeout;
  readonly seconds: number;
}

export class Retries {
  readonly #wait: RetrySeconds;
  readonly #attempts = new Map<string, Attempt>();

  constructor(wait: RetrySeconds) {
    this.#wait = wait;
  }

  schedule(name: string, retry: () => void): void {
    const last = this.#attempts.get(name);
    if (last) clearTimeout(last.timer);
    const seconds = last ? Math.min(2 * last.seconds, this.#wait.longest) : this.#wait.first;
    this.#attempts.set(name, { timer: setTimeout(retry, seconds * 1000).unref(), seconds });
  }

  /** After a success, or when nobody wants it any more. */
  cancel(name: string): void {
    clearTimeout(this.#attempts.get(name)?.timer);
    this.#attempts.delete(name);
  }

  cancelAll(): void {
    for (const name of this.#attempts.keys()) this.cancel(name);
  }
}
