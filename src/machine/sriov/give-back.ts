// SPDX-License-Identifier: Apache-2.0
// Restores a borrowed device from any state. Every step is idempotent; the lease is erased last.

import type { VirtualFunctionInfo } from '../../dataplane/types.ts';
import { withdrawDevices } from '../device-access/device-access.ts';
import { type Borrowing, ownNamespace } from './borrowing.ts';
import { bindDriver, setOverride, unbindDriver } from './driver.ts';
import type { Lease, OriginalDriver } from './lease.ts';
import { restoreInterface } from './restore-interface.ts';
import { grantOf } from './vfio-nodes.ts';

export async function giveBack(borrowing: Borrowing, lease: Lease): Promise<void> {
  const { sysfs, journal, nodes } = borrowing;
  if (lease.state !== 'returning') await journal.write({ ...lease, state: 'returning' });
  const grant = grantOf(lease);
  if (grant) await withdrawDevices(borrowing.dataplane, grant);
  const present = (await sysfs.read(lease.pci)) !== undefined; // false: someone reduced the number of virtual functions
  if (present) {
    // This destroys the device's interface, in whatever namespace and under whatever name it is.
    for (const { pci } of [lease, ...lease.companions]) await unbindDriver(sysfs, pci, { vfio: nodes });
    await restoreSettings(borrowing, lease);
    for (const one of [lease, ...lease.companions]) await restoreDriver(borrowing, one);
    if (lease.original.interface) await restoreInterface(borrowing, lease.pci, lease.original.interface);
  }
  await journal.erase(lease.pci);
}

async function restoreDriver({ sysfs }: Borrowing, { pci, driver, driverOverride }: OriginalDriver): Promise<void> {
  if (driver === undefined) await setOverride(sysfs, pci, driverOverride ?? '');
  else await bindDriver(sysfs, pci, driver, driverOverride);
}

/** Writes only the settings that differ from the original. */
async function restoreSettings({ sysfs, dataplane }: Borrowing, lease: Lease): Promise<void> {
  const { physicalFunction, index, original } = lease;
  const pf = await sysfs.netdevOf(physicalFunction);
  const now = pf && (await dataplane.readVirtualFunctions(ownNamespace, pf)).find((one) => one.index === index);
  if (pf === undefined || !now) return;
  const { mac, vlan = 0, qualityOfService = 0, trust, spoofCheck, maxRate } = original.settings;
  const place = { netns: ownNamespace, pf, index };
  if (now.vlan !== undefined && (now.vlan !== vlan || (now.qualityOfService ?? 0) !== qualityOfService))
    await dataplane.changeVirtualFunction({ ...place, vlan, qualityOfService });
  if (isOther(spoofCheck, now.spoofCheck)) await dataplane.changeVirtualFunction({ ...place, spoofCheck });
  if (isOther(trust, now.trust)) await dataplane.changeVirtualFunction({ ...place, trust });
  if (isOther(maxRate, now.maxRate)) await dataplane.changeVirtualFunction({ ...place, maxRate });
  if (mac !== undefined)
    await restoreMac(mac, original.interface?.ownMac === true, now, (set) =>
      dataplane.changeVirtualFunction({ ...place, mac: set }),
    );
}

function isOther<T>(was: T | undefined, is: T | undefined): was is T {
  return was !== undefined && was !== is;
}

const noMac = '00:00:00:00:00:00';

/** If the driver or the host had made the MAC up (`ownMac`), the physical function had none for the device: reset it to
 *  zero; restoreInterface() sets the MAC on the interface. A NIC that refuses zero gets the MAC itself. */
async function restoreMac(
  mac: string,
  ownMac: boolean,
  now: VirtualFunctionInfo,
  set: (mac: string) => Promise<void>,
): Promise<void> {
  if (!ownMac) return now.mac === mac ? undefined : set(mac);
  await set(noMac).catch(() => set(mac));
}
