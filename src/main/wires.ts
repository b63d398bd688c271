// SPDX-License-Identifier: Apache-2.0
// Starts the supervisor, which adopts the wires of an earlier run, and stops it.

import type { Supervisor } from '../supervisor/supervisor.ts';
import type { Part } from './part.ts';

export class Wires implements Part {
  readonly #supervisor: Supervisor;
  readonly #removeOnExit: boolean;

  constructor(supervisor: Supervisor, removeOnExit: boolean) {
    this.#supervisor = supervisor;
    this.#removeOnExit = removeOnExit;
  }

  async start(): Promise<void> {
    await this.#supervisor.start();
  }

  async stop(): Promise<void> {
    await this.#supervisor.stop({ removeWires: this.#removeOnExit });
  }
}
