// SPDX-License-Identifier: Apache-2.0
// Hands a device over to an end. The lease is on disk before, so that the device can be restored if anything fails.

import type { DeviceStatus } from '../../model/device-status.ts';
import { CrosswireError } from '../../model/error.ts';
import { grantDevices } from '../device-access/device-access.ts';
import { type Borrowing, ownNamespace } from './borrowing.ts';
import type { KernelOrder } from './devices.ts';
import { awaitNetdev, bindDriver, unbindDriver, vfioDriver } from './driver.ts';
import type { Lease } from './lease.ts';
import { grantOf, readNodes } from './vfio-nodes.ts';

/** The interface of the physical function must be up. While it is down, a virtual function cannot reach its NIC: its driver
 *  makes up a MAC, and the original MAC cannot be restored either (the kernel's igbvf_set_mac() gets no answer). */
export async function requireUp(
  { sysfs, dataplane }: Borrowing,
  { pci, physicalFunction }: DeviceStatus,
): Promise<void> {
  const pf = await sysfs.netdevOf(physicalFunction);
  const [info] =
    pf === undefined ? [] : await dataplane.listInterfaces({ netns: ownNamespace, names: [pf], details: false });
  if (info?.up) return;
  const reason = `the interface of its physical function, ${pf ?? physicalFunction}, is down`;
  const hint = `ip link set ${pf ?? 'DEV'} up`;
  throw new CrosswireError({ code: 'DEVICE_UNAVAILABLE', operation: 'take the device', subject: pci, reason, hint });
}

/** `driver`: the driver that gives the device an interface. */
export async function takeInterface(
  borrowing: Borrowing,
  lease: Lease,
  { namespace, name, mark }: KernelOrder,
  driver: string,
): Promise<Lease> {
  const { sysfs, dataplane, journal, nodes } = borrowing;
  await unbindDriver(sysfs, lease.pci, { vfio: nodes });
  const refused = await applySettings(borrowing, lease);
  await bindDriver(sysfs, lease.pci, driver, lease.driverOverride);
  await moveAway(borrowing, lease, (netdev) =>
    dataplane.moveInterface({ netns: ownNamespace, name: netdev, alias: mark, to: namespace.path, rename: name }),
  );
  const held: Lease = { ...lease, state: 'held', refused };
  await journal.write(held);
  return held;
}

export async function bindForApplication(borrowing: Borrowing, lease: Lease, group: number): Promise<Lease> {
  const { sysfs, dataplane, journal, nodes } = borrowing;
  for (const { pci } of [lease, ...lease.companions]) await unbindDriver(sysfs, pci, { vfio: nodes });
  const refused = await applySettings(borrowing, lease);
  for (const one of [lease, ...lease.companions]) await bindDriver(sysfs, one.pci, vfioDriver, one.driverOverride);
  const bound: Lease = { ...lease, refused, group, nodes: await readNodes(nodes, group) };
  await journal.write(bound); // before the grant, because withdrawing the grant needs the nodes
  const grant = grantOf(bound);
  if (grant) await grantDevices(dataplane, grant);
  const held: Lease = { ...bound, state: 'held' };
  await journal.write(held);
  return held;
}

/** MAC and VLAN are required; the other settings are optional, and a refusal is reported in the result. */
async function applySettings({ sysfs, dataplane }: Borrowing, lease: Lease): Promise<string[]> {
  const { physicalFunction, index, settings, original } = lease;
  const pf = await sysfs.netdevOf(physicalFunction);
  if (pf === undefined)
    throw refusal('DEVICE_MISSING', lease, `the interface of its physical function ${physicalFunction} is not here`);
  const place = { netns: ownNamespace, pf, index };
  const { mac, vlan, ...optional } = settings;
  await dataplane.changeVirtualFunction({ ...place, mac });
  if (vlan !== undefined && vlan !== original.settings.vlan) await dataplane.changeVirtualFunction({ ...place, vlan });
  const refused: string[] = [];
  for (const key of ['spoofCheck', 'trust', 'maxRate'] as const) {
    if (optional[key] === undefined) continue;
    await dataplane.changeVirtualFunction({ ...place, [key]: optional[key] }).catch((error: unknown) => {
      if (!(error instanceof CrosswireError) || error.code !== 'VF_REFUSED') throw error;
      refused.push(`${key} ${optional[key]} was refused by ${pf}: ${error.reason}`);
    });
  }
  return refused;
}

/** Tries again if the interface was renamed in the meantime, for example by udev. */
async function moveAway(borrowing: Borrowing, lease: Lease, move: (netdev: string) => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const netdev = await awaitNetdev(borrowing.sysfs, lease.pci);
    if (netdev === undefined) throw refusal('DEVICE_REFUSED', lease, 'its driver made no interface in time');
    try {
      await checkMac(borrowing, lease, netdev);
      return await move(netdev);
    } catch (error) {
      const hasGone = error instanceof CrosswireError && error.code === 'INTERFACE_MISSING';
      if (!hasGone || attempt === 3) throw error;
    }
  }
}

/** A driver that cannot reach the physical function makes up a MAC, and the NIC drops frames from that MAC. */
async function checkMac({ dataplane }: Borrowing, lease: Lease, netdev: string): Promise<void> {
  const [info] = await dataplane.listInterfaces({ netns: ownNamespace, names: [netdev], details: false });
  if (!info || info.mac === lease.settings.mac) return;
  const reason = `its interface came with the MAC ${info.mac} instead of ${lease.settings.mac}`;
  throw refusal('DEVICE_REFUSED', lease, reason, 'set the interface of the physical function up: ip link set DEV up');
}

function refusal(code: string, { pci }: Lease, reason: string, hint?: string): CrosswireError {
  return new CrosswireError({ code, operation: 'take the device', subject: pci, reason, hint });
}
