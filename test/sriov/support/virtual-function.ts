// SPDX-License-Identifier: Apache-2.0
// A virtual function of a NIC of the lab, by its PCI address.

import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { eventually } from '../../support/shell.ts';

export type VfDriver = 'igbvf' | 'vfio-pci' | 'none';

export class VirtualFunction {
  readonly pci: string;
  readonly index: number;
  constructor(pci: string, index: number) {
    this.pci = pci;
    this.index = index;
  }

  get folder(): string {
    return `/sys/bus/pci/devices/${this.pci}`;
  }

  get driver(): VfDriver {
    const link = `${this.folder}/driver`;
    return existsSync(link) ? (basename(readlinkSync(link)) as VfDriver) : 'none';
  }

  /** The group in /dev/vfio/GROUP; undefined without an IOMMU. */
  get iommuGroup(): number | undefined {
    const link = `${this.folder}/iommu_group`;
    return existsSync(link) ? Number(basename(readlinkSync(link))) : undefined;
  }

  /** The PCI addresses of its IOMMU group, including its own. */
  get companions(): string[] {
    return readdirSync(`${this.folder}/iommu_group/devices`);
  }

  /** The name of its interface; undefined if the driver makes none, or if the interface is in another namespace. */
  get interface(): string | undefined {
    return existsSync(`${this.folder}/net`) ? readdirSync(`${this.folder}/net`)[0] : undefined;
  }

  async bind(driver: VfDriver): Promise<void> {
    if (this.driver !== 'none') await writeFile(`${this.folder}/driver/unbind`, this.pci);
    await writeFile(`${this.folder}/driver_override`, driver === 'none' ? '\n' : driver);
    if (driver === 'none') return;
    await writeFile('/sys/bus/pci/drivers_probe', this.pci);
    await eventually(`${this.pci} is bound to ${driver}`, async () => this.driver === driver);
  }

  /** Waits until its interface is in this namespace, and returns the name. */
  async appears(): Promise<string> {
    return eventually(`${this.pci} has an interface here`, async () => this.interface);
  }
}
