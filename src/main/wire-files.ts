// SPDX-License-Identifier: Apache-2.0
// The wires of --wires.

import type { Logger } from 'pino';
import type { Supervisor } from '../supervisor/supervisor.ts';
import type { Wire } from '../wire/wire.ts';
import type { Part } from './part.ts';

export class WireFiles implements Part {
  readonly #supervisor: Supervisor;
  readonly #log: Logger;
  readonly #seconds: number;
  #waiting: readonly Wire[];
  #timer: NodeJS.Timeout | undefined;

  constructor(supervisor: Supervisor, wires: readonly Wire[], seconds: number, log: Logger) {
    this.#supervisor = supervisor;
    this.#waiting = wires;
    this.#seconds = seconds;
    this.#log = log;
  }

  /** One that cannot be taken now, because a namespace is missing perhaps, keeps neither the others nor those of an
   *  earlier run from being; it is tried again until it can. */
  async start(): Promise<void> {
    const refused = await Promise.all(this.#waiting.map(async (wire) => ((await this.#isTaken(wire)) ? [] : [wire])));
    this.#waiting = refused.flat();
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => void this.start(), this.#seconds * 1000).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  async #isTaken(wire: Wire): Promise<boolean> {
    try {
      await this.#supervisor.apply([wire]);
      return true;
    } catch (error) {
      this.#log.warn({ wire: wire.name, error }, 'a wire of --wires cannot be taken yet; it is tried again');
      return false;
    }
  }
}
