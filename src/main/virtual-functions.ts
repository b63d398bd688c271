// SPDX-License-Identifier: Apache-2.0
// Makes the virtual functions of the NICs in the SR-IOV file. They outlive the daemon, because wires may use them.

import type { Logger } from 'pino';
import { makeVirtualFunctions } from '../machine/sriov/numvfs.ts';
import type { Sysfs } from '../machine/sriov/sysfs.ts';
import type { PhysicalFunctionSettings } from '../model/device-status.ts';
import type { Part } from './part.ts';

export class VirtualFunctions implements Part {
  readonly #sysfs: Sysfs;
  readonly #allowed: readonly PhysicalFunctionSettings[];
  readonly #log: Logger;

  constructor(sysfs: Sysfs, allowed: readonly PhysicalFunctionSettings[], log: Logger) {
    this.#sysfs = sysfs;
    this.#allowed = allowed;
    this.#log = log;
  }

  /** A NIC that cannot have virtual functions is logged; everything else is served. */
  async start(): Promise<void> {
    const { made, errors } = await makeVirtualFunctions(this.#sysfs, this.#allowed);
    for (const { pci, count } of made) this.#log.info({ pci, count }, 'virtual functions made: there were none');
    for (const error of errors) this.#log.warn({ error }, 'a NIC of the SR-IOV file cannot be used');
  }

  stop(): void {}
}
