// SPDX-License-Identifier: Apache-2.0
// The devices of this machine: who knows them, and who lends them.

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
  /** What the SR-IOV file allows, if there is one. */
  readonly allowed?: readonly PhysicalFunctionSettings[] | undefined;
  /** Where the device nodes of vfio appear. */
  readonly nodes?: string;
  readonly onCorrupt?: (file: string, reason: string) => void;
  /** Tests put theirs in between. */
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
