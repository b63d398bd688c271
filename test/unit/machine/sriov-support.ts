// SPDX-License-Identifier: Apache-2.0
// The machine of the tests of inventory and pools: a made-up sysfs and a fake kernel.
//
//   0000:01:00.0 eth0 (igb, 3 of 7 VFs)        0000:02:00.0 eth1 (igb, 2 of 7 VFs)
//     0 0000:01:10.0 eth2  group 10              0 0000:02:10.0 eth5  group 20
//     1 0000:01:10.2 eth3  group 11              1 0000:02:10.2       group 21, vfio-pci
//     2 0000:01:10.4 eth4  group 12

import type { ExecutionContext } from 'ava';
import { Inventory, type InventorySettings } from '../../../src/machine/sriov/inventory.ts';
import { Sysfs } from '../../../src/machine/sriov/sysfs.ts';
import type { PhysicalFunctionSettings } from '../../../src/model/device-status.ts';
import { FakeDataplane } from '../../fakes/dataplane.ts';
import { makeSysfs, type MadeUpFunction } from '../../support/sysfs-tree.ts';

export const pf = { one: '0000:01:00.0', two: '0000:02:00.0' };
const settings = { pfKernelDriver: 'igb', vfKernelDriver: 'igbvf', serviceDomains: ['worker.domain'] };
export const allowed: readonly PhysicalFunctionSettings[] = [
  { ...settings, pci: pf.one, capabilities: ['intel', '10G'] },
  { ...settings, pci: pf.two, capabilities: ['intel', '1G'] },
];

const vf = (pci: string, parent: string, index: number, group: number, name?: string): MadeUpFunction => ({
  pci,
  parent: { pci: parent, index },
  group,
  driver: name ? 'igbvf' : 'vfio-pci',
  ...(name ? { interface: name } : {}),
});

export const functions: readonly MadeUpFunction[] = [
  { pci: '0000:00:00.0', class: '60000' },
  { pci: pf.one, driver: 'igb', group: 1, interface: 'eth0', virtualFunctions: { present: 3, possible: 7 } },
  { pci: pf.two, driver: 'igb', group: 2, interface: 'eth1', virtualFunctions: { present: 2, possible: 7 } },
  vf('0000:01:10.0', pf.one, 0, 10, 'eth2'),
  vf('0000:01:10.2', pf.one, 1, 11, 'eth3'),
  vf('0000:01:10.4', pf.one, 2, 12, 'eth4'),
  vf('0000:02:10.0', pf.two, 0, 20, 'eth5'),
  vf('0000:02:10.2', pf.two, 1, 21),
  // A disk controller with virtual functions is not used.
  { pci: '0000:05:00.0', class: '10802', driver: 'nvme', virtualFunctions: { present: 0, possible: 4 } },
];

export interface MachineChanges extends Partial<Pick<InventorySettings, 'allowed' | 'holders'>> {
  /** Changes to functions, by address. */
  readonly functions?: Readonly<Record<string, Partial<MadeUpFunction>>>;
  readonly more?: readonly MadeUpFunction[];
  readonly drivers?: readonly string[];
}

/** There are no routes unless a test writes `proc/net/route` in `root`. */
export async function machine(t: ExecutionContext, changes: MachineChanges = {}) {
  const made = [...functions.map((one) => ({ ...one, ...changes.functions?.[one.pci] })), ...(changes.more ?? [])];
  const tree = await makeSysfs(made, changes.drivers ?? ['igb', 'igbvf', 'vfio-pci']);
  t.teardown(() => tree.remove());
  const dataplane = new FakeDataplane();
  dataplane.kernel.addNamespace('');
  for (const { pci, interface: name } of made)
    if (name) Object.assign(dataplane.kernel.create('', name, '', '02:00:00:00:00:01'), { device: pci });
  const sysfs = new Sysfs(tree.root);
  const inventory = new Inventory({
    sysfs,
    dataplane,
    allowed: 'allowed' in changes ? changes.allowed : allowed,
    holders: changes.holders ?? (async () => []),
    procfs: `${tree.root}/proc`,
  });
  return { root: tree.root, sysfs, dataplane, kernel: dataplane.kernel, inventory };
}
