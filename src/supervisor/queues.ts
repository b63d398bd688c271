// SPDX-License-Identifier: Apache-2.0
// One queue for each wire: jobs on the same wire run one after the other, jobs on different wires in parallel, up to a limit.

export interface Place {
  /** Resolves when all earlier places have been left. */
  readonly turn: Promise<unknown>;
  readonly leave: () => void;
}

export class Queues {
  readonly #parallel: number;
  /** By wire: resolves when the newest place has been left. */
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(parallel: number) {
    this.#parallel = parallel;
  }

  run<T>(name: string, job: () => Promise<T>): Promise<T> {
    return this.runAll([name], job);
  }

  /** Runs a job that holds the queues of several wires. */
  async runAll<T>(names: readonly string[], job: () => Promise<T>): Promise<T> {
    const places = names.map((name) => this.enter(name));
    try {
      await Promise.all(places.map(({ turn }) => turn));
      return await this.bounded(job);
    } finally {
      for (const { leave } of places) leave();
    }
  }

  /** Takes a place in the queue of a wire. */
  enter(name: string): Place {
    const turn = this.#last.get(name) ?? Promise.resolve();
    const { promise, resolve: leave } = Promise.withResolvers<void>();
    const left = turn.then(() => promise);
    this.#last.set(name, left);
    void left.then(() => {
      if (this.#last.get(name) === left) this.#last.delete(name);
    });
    return { turn, leave };
  }

  /** Also waits for jobs that are added meanwhile. */
  async drained(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values());
  }

  /** Runs a job as soon as fewer jobs than the limit run. */
  async bounded<T>(job: () => Promise<T>): Promise<T> {
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
