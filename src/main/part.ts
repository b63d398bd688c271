// SPDX-License-Identifier: Apache-2.0
// A part of a program. Constructors do nothing; `start` acquires and `stop` releases.

import type { Logger } from 'pino';

export interface Part {
  start(): Promise<void> | void;
  /** Also called after a `start` that failed. */
  stop(): Promise<unknown> | void;
}

/** A list of parts, started in order and stopped in reverse order. It is a part itself. */
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

  /** Goes on after failures. */
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

/** A part whose modules are loaded when it starts: gRPC is most of the program's modules, and most uses do not need it. */
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
