// SPDX-License-Identifier: Apache-2.0
// The wires of --wires. One that cannot be made now waits; it keeps neither the others nor those of an earlier run from being.

import type { Supervisor } from '../supervisor/supervisor.ts';
import type { Wire } from '../wire/wire.ts';
import type { Part } from './part.ts';

export class WireFiles implements Part {
  readonly #supervisor: Supervisor;
  readonly #wires: readonly Wire[];

  constructor(supervisor: Supervisor, wires: readonly Wire[]) {
    this.#supervisor = supervisor;
    this.#wires = wires;
  }

  async start(): Promise<void> {
    await this.#supervisor.set('files', this.#wires, { unmakeable: 'wait' });
  }

  stop(): void {}
}
