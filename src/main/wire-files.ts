// SPDX-License-Identifier: Apache-2.0
// Sets the wires of --wires. A wire that cannot be made yet waits, without stopping other wires or those of an earlier run.

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
