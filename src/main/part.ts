// SPDX-License-Identifier: Apache-2.0
// What a program consists of. Constructors do nothing: `start` acquires, `stop` releases.

import type { Logger } from 'pino';

export interface Part {
  start(): Promise<void> | void;
  /** Also called after a `start` that failed half-way. */
  stop(): Promise<unknown> | void;
}

/** Started in order, stopped in reverse. Itself a part. */
export class Parts implements Part {
  readonly #parts: readonly Part[];
  readonly #log: Logger;
  readonly #begun: Part[] = [];

  constructor(parts: readonly Part[], log: Logger) {
    this.#parts = parts;
    this.#log = log;
  }

  async start(): Promise<void> {
    for (const part of this.#parts) {
      this.#begun.push(part);
      await part.start();
    }
  }

  /** Carries on past failures. */
  async stop(): Promise<void> {
    for (const part of this.#begun.splice(0).toReversed()) {
      try {
        await part.stop();
      } catch (error) {
        this.#log.error({ error }, 'could not be stopped cleanly');
      }
    }
  }
}

/** A part whose modules are loaded when it starts: gRPC and what belongs to it are most of the program's, and most uses
 *  need none of them. */
export class LazyPart implements Part {
  readonly #load: () => Promise<Part>;
  #part: Part | undefined;

  constructor(load: () => Promise<Part>) {
    this.#load = load;
  }

  async start(): Promise<void> {
    this.#part = await this.#load();
    await this.#part.start();
  }

  async stop(): Promise<void> {
    await this.#part?.stop();
  }
}
