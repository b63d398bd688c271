// SPDX-License-Identifier: Apache-2.0
// Reads the original state of a device before it is borrowed.

import { readFile } from 'node:fs/promises';
import type { DeviceStatus } from '../../model/device-status.ts';
import { type Borrowing, ownNamespace } from './borrowing.ts';
import type { Lease, OriginalDriver, OriginalInterface, OriginalSettings } from './lease.ts';

export type Original = Pick<Lease, 'driver' | 'driverOverride' | 'companions' | 'original'>;

export async function readOriginal(borrowing: Borrowing, device: DeviceStatus, whole: boolean): Promise<Original> {
  const { pci } = device;
  const { sysfs } = borrowing;
  const others = whole ? (await sysfs.groupMembers(pci)).filter((one) => one !== pci) : [];
  const companions = await Promise.all(others.map((one) => driverOf(borrowing, one)));
  const { pci: _pci, isFunction: _isFunction, ...driver } = await driverOf(borrowing, pci);
  const settings = await settingsOf(borrowing, device);
  const netdev = await interfaceOf(borrowing, pci, settings);
  const original = { ...(netdev ? { interface: netdev } : {}), settings };
  return { ...driver, companions: companions.flatMap(({ isFunction, ...one }) => (isFunction ? [one] : [])), original };
}

/** `isFunction`: whether it is a virtual function. Other members of an IOMMU group, such as bridges, keep their drivers. */
async function driverOf({ sysfs }: Borrowing, pci: string): Promise<OriginalDriver & { isFunction: boolean }> {
  const { driver, driverOverride, physicalFunction } = (await sysfs.read(pci)) ?? {};
  return {
    pci,
    isFunction: physicalFunction !== undefined,
    ...(driver === undefined ? {} : { driver }),
    ...(driverOverride === undefined ? {} : { driverOverride }),
  };
}

async function settingsOf(borrowing: Borrowing, { physicalFunction, index }: DeviceStatus): Promise<OriginalSettings> {
  const { sysfs, dataplane } = borrowing;
  const pf = await sysfs.netdevOf(physicalFunction);
  const told = pf === undefined ? [] : await dataplane.readVirtualFunctions(ownNamespace, pf);
  const { mac, vlan, qualityOfService, trust, spoofCheck, maxRate } = told.find((one) => one.index === index) ?? {};
  const known = Object.entries({ mac, vlan, qualityOfService, trust, spoofCheck, maxRate });
  return Object.fromEntries(known.filter(([, value]) => value !== undefined));
}

async function interfaceOf(
  { sysfs, dataplane }: Borrowing,
  pci: string,
  settings: OriginalSettings,
): Promise<OriginalInterface | undefined> {
  const name = await sysfs.netdevOf(pci);
  if (name === undefined) return undefined;
  const [info] = await dataplane.listInterfaces({ netns: ownNamespace, names: [name], details: false });
  if (!info) return undefined;
  const { mac, mtu, up } = info;
  return { name, mac, mtu, up, ownMac: settings.mac === mac && !(await isFromNic(name)) };
}

/** Whether the physical function gave the MAC: addr_assign_type is NET_ADDR_PERM (0, linux/netdevice.h). Other MACs were
 *  made up by the driver or set by the host, though some physical functions (igb) report them as their own. */
async function isFromNic(name: string): Promise<boolean> {
  const type = await readFile(`/sys/class/net/${name}/addr_assign_type`, 'utf8').catch(() => '0');
  return type.trim() === '0';
}
