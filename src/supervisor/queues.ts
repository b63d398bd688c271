// SPDX-License-Identifier: Apache-2.0
// One queue per wire: its jobs run one after the other, those of different wires beside each other, up to a limit.

export class Queues {
  readonly #parallel: number;
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(parallel: number) {
    this.#parallel = parallel;
  }

  run<T>(name: string, job: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const result = before.then(() => this.#bounded(job));
    const settled = result.catch(() => {});
    this.#last.set(name, settled);
    void settled.then(() => {
      if (this.#last.get(name) === settled) this.#last.delete(name);
    });
    return result;
  }

  isBusy(name: string): boolean {
    return this.#last.has(name);
  }

  /** Also waits for jobs that are added meanwhile. */
  async drained(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values());
  }

  async #bounded<T>(job: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#parallel) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await job();
    } finally {
      const next = this.#waiting.shift(); // takes over this place
      if (next) next();
      else this.#running--;
    }
  }
}
