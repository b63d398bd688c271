// SPDX-License-Identifier: Apache-2.0
// Chooses a virtual function from one reading of the inventory. Pure. The rule is the one of NSM's SR-IOV forwarder
// (sdk-sriov, pkg/networkservice/common/resourcepool), so that both fill a node in the same order.

import type { DeviceReport, DeviceStatus } from '../../model/device-status.ts';
import { CrosswireError } from '../../model/error.ts';
import { vfioDriver } from './driver.ts';

export type DeviceMode = 'kernel' | 'vfio';

/** A device by its address, any device of a resource, or any other device of the NIC of a given device. */
export type DeviceWish = { readonly pci: string } | { readonly resource: string } | { readonly beside: string };

/** `isTaken`: whether a device is promised to a wire but has no lease yet. Throws an error with the reason for each
 *  candidate that cannot be chosen. */
export function chooseDevice(
  { devices }: DeviceReport,
  wish: DeviceWish,
  mode: DeviceMode,
  isTaken: (pci: string) => boolean = () => false,
): DeviceStatus {
  const candidates = candidatesOf(devices, wish);
  const refusals = candidates.map((one) => whyNot(one, devices, mode, isTaken));
  const possible = candidates.filter((_, at) => refusals[at] === undefined);
  const [chosen] = possible.toSorted(
    (a, b) =>
      Number(isBoundFor(b, mode)) - Number(isBoundFor(a, mode)) ||
      freeBeside(b, possible) - freeBeside(a, possible) ||
      (a.pci < b.pci ? -1 : 1),
  );
  if (chosen) return chosen;
  throw noneFree(wish, candidates, refusals);
}

function candidatesOf(devices: readonly DeviceStatus[], wish: DeviceWish): DeviceStatus[] {
  if ('pci' in wish) return devices.filter(({ pci }) => pci === wish.pci);
  if ('resource' in wish) return devices.filter(({ resources }) => resources.includes(wish.resource));
  const physicalFunction = devices.find(({ pci }) => pci === wish.beside)?.physicalFunction;
  return devices.filter((one) => one.physicalFunction === physicalFunction && one.pci !== wish.beside);
}

function whyNot(
  device: DeviceStatus,
  devices: readonly DeviceStatus[],
  mode: DeviceMode,
  isTaken: (pci: string) => boolean,
): string | undefined {
  const { pci, holder, refusals, iommuGroup } = device;
  if (holder) return `it is leased to ${holder.end} of wire ${holder.wire}`;
  if (isTaken(pci)) return 'it is promised to another wire';
  if (refusals[mode] !== undefined) return refusals[mode];
  if (iommuGroup === undefined) return undefined;
  // A group is lent as a whole: an application that drives one device of it can reach the memory of the others.
  const others = devices.filter((one) => one.iommuGroup === iommuGroup && one.pci !== pci);
  const other = others.find((one) => one.holder !== undefined || isTaken(one.pci));
  if (other && (mode === 'vfio' || other.driver === vfioDriver))
    return `its IOMMU group ${iommuGroup} is shared with ${other.pci}, which another wire has`;
  return undefined;
}

function isBoundFor({ driver }: DeviceStatus, mode: DeviceMode): boolean {
  return driver !== undefined && (driver === vfioDriver) === (mode === 'vfio');
}

function freeBeside({ physicalFunction }: DeviceStatus, possible: readonly DeviceStatus[]): number {
  return possible.filter((one) => one.physicalFunction === physicalFunction).length;
}

function noneFree(
  wish: DeviceWish,
  candidates: readonly DeviceStatus[],
  refusals: readonly (string | undefined)[],
): CrosswireError {
  const [subject, none, hint] =
    'pci' in wish
      ? [wish.pci, 'there is no virtual function of a NIC at that address', '`crosswire get devices` lists them']
      : 'resource' in wish
        ? [wish.resource, 'no NIC of the SR-IOV file has that resource', 'it is serviceDomain/capability of that file']
        : [wish.beside, 'its NIC has no other virtual function', 'give the NIC more of them (sriov_numvfs)'];
  const reasons = Map.groupBy(candidates, (_, at) => refusals[at] ?? '');
  const listed = [...reasons].map(([reason, of]) => `${of.map(({ pci }) => pci).join(', ')}: ${reason}`);
  return new CrosswireError({
    code: candidates.length === 0 ? 'DEVICE_MISSING' : 'DEVICE_UNAVAILABLE',
    operation: 'beside' in wish ? 'find a second device beside' : 'find a device',
    subject,
    reason: candidates.length === 0 ? none : listed.slice(0, 8).join('; '),
    hint: candidates.length === 0 ? hint : '`crosswire get devices` shows who has which',
  });
}
