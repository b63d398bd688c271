// SPDX-License-Identifier: Apache-2.0
// Builds the inventory, which reports the devices of this machine, and the lender, which lends them.

import type { Dataplane } from '../../dataplane/types.ts';
import type { PhysicalFunctionSettings } from '../../model/device-status.ts';
import { Inventory } from './inventory.ts';
import { LeaseJournal } from './lease-journal.ts';
import { Lender } from './lender.ts';
import { Sysfs } from './sysfs.ts';

export interface OpenDevices {
  readonly sysfs: Sysfs;
  readonly inventory: Inventory;
  readonly lender: Lender;
}

export interface DevicesSettings {
  readonly dataplane: Dataplane;
  readonly stateDirectory: string;
  /** The physical functions of the SR-IOV file; undefined without a file. */
  readonly allowed?: readonly PhysicalFunctionSettings[] | undefined;
  /** The directory of the device nodes of VFIO groups; /dev/vfio by default. */
  readonly nodes?: string;
  readonly onCorrupt?: (file: string, reason: string) => void;
  /** Replaced in tests. */
  readonly sysfs?: Sysfs;
  readonly journal?: LeaseJournal;
}

export function openDevices(settings: DevicesSettings): OpenDevices {
  const { dataplane, stateDirectory, allowed, onCorrupt } = settings;
  const { sysfs = new Sysfs(), journal = new LeaseJournal(stateDirectory), nodes = '/dev/vfio' } = settings;
  const inventory: Inventory = new Inventory({
    sysfs,
    dataplane,
    allowed,
    vfio: nodes,
    holders: () => lender.holders(),
  });
  const more = onCorrupt ? { onCorrupt } : {};
  const lender = new Lender({ sysfs, dataplane, journal, nodes, inventory, allowed, ...more });
  return { sysfs, inventory, lender };
}
