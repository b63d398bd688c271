// SPDX-License-Identifier: Apache-2.0
// The lab's NICs: two igb, back to back, so that what leaves one arrives at the other (docs/lab.md).

import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { run } from '../../support/shell.ts';
import { bringUp } from './links.ts';
import { VirtualFunction, type VfDriver } from './virtual-function.ts';

export class PhysicalFunction {
  readonly pci: string;
  constructor(pci: string) {
    this.pci = pci;
  }

  get folder(): string {
    return `/sys/bus/pci/devices/${this.pci}`;
  }

  /** The name of its interface, which must be in this namespace. */
  get interface(): string {
    return readdirSync(`${this.folder}/net`)[0] as string;
  }

  get virtualFunctions(): VirtualFunction[] {
    const index = (entry: string) => Number(entry.slice('virtfn'.length));
    return readdirSync(this.folder)
      .filter((entry) => entry.startsWith('virtfn'))
      .map((entry) => new VirtualFunction(basename(readlinkSync(`${this.folder}/${entry}`)), index(entry)))
      .toSorted((one, other) => one.index - other.index);
  }

  /**
   * Makes VFs with the MAC addresses 02:00:00:0P:00:0N, P the bus of the PF and N the VF's number, each bound to the driver. The MAC is set
   * before: igbvf reads it when it binds, and with another one the NIC's spoof check drops its frames.
   */
  async make(count: number, driver: VfDriver = 'igbvf'): Promise<VirtualFunction[]> {
    await bringUp(this.interface); // a VF has no carrier while its PF is down
    await writeFile(`${this.folder}/sriov_drivers_autoprobe`, '0');
    await writeFile(`${this.folder}/sriov_numvfs`, String(count));
    const made = this.virtualFunctions;
    for (const vf of made) {
      await run('ip', 'link', 'set', this.interface, 'vf', String(vf.index), 'mac', this.macOf(vf.index));
      await vf.bind(driver);
    }
    return made;
  }

  macOf(index: number): string {
    return `02:00:00:${this.pci.slice(5, 7)}:00:0${index}`;
  }

  /** Removes all VFs, wherever they are, and undoes what make() changed. */
  async remove(): Promise<void> {
    if (!existsSync(`${this.folder}/virtfn0`)) return;
    await writeFile(`${this.folder}/sriov_numvfs`, '0');
    await writeFile(`${this.folder}/sriov_drivers_autoprobe`, '1');
  }
}

export const firstNic = new PhysicalFunction('0000:01:00.0');
export const secondNic = new PhysicalFunction('0000:02:00.0');
