// SPDX-License-Identifier: Apache-2.0
// Says why a virtual function cannot be lent, from the facts that were read. Pure.

import type { PhysicalFunctionSettings } from '../../model/device-status.ts';
import { vfioDriver } from './driver.ts';
import type { PciFunction } from './sysfs.ts';

/** How the host uses an interface. */
export interface HostUse {
  readonly addresses: readonly string[];
  readonly hasRoute: boolean;
  /** Bridges, bonds and VLANs above the interface. */
  readonly uppers: readonly string[];
}

/** Another function of the same IOMMU group that stays with its driver. */
export interface Neighbour {
  readonly pci: string;
  readonly driver: string;
}

export interface DeviceFacts {
  readonly device: PciFunction;
  readonly settings: PhysicalFunctionSettings | undefined;
  /** What is wrong with the physical function. */
  readonly problem: string | undefined;
  readonly isLeased: boolean;
  readonly hostUse: HostUse | undefined;
  /** An application drives the device, and the device has no lease. */
  readonly isOpen: boolean;
  readonly neighbours: readonly Neighbour[];
  readonly isLoaded: (driver: string) => boolean;
}

export interface Refusals {
  readonly kernel?: string;
  readonly vfio?: string;
}

export function refusalsOf(facts: DeviceFacts): Refusals {
  const both = facts.problem ?? (facts.isLeased ? undefined : inUse(facts));
  if (both !== undefined) return { kernel: both, vfio: both };
  const kernel = noKernel(facts);
  const vfio = noVfio(facts);
  return { ...(kernel === undefined ? {} : { kernel }), ...(vfio === undefined ? {} : { vfio }) };
}

function inUse({ device, settings, hostUse, isOpen }: DeviceFacts): string | undefined {
  if (hostUse) return usedBy(device.interface ?? '', hostUse);
  if (isOpen) return `an application drives it: a process has the group ${device.iommuGroup} of /dev/vfio open`;
  const { driver } = device;
  if (driver === undefined || driver === vfioDriver) return undefined;
  if (settings && driver !== settings.vfKernelDriver)
    return `it is bound to ${driver}, which is neither ${settings.vfKernelDriver} nor ${vfioDriver}`;
  return `${driver} drives it, but its interface is not in this network namespace: another program may have lent it`;
}

function usedBy(name: string, { addresses, hasRoute, uppers }: HostUse): string | undefined {
  const [address] = addresses;
  if (address !== undefined) return `the host uses it: ${name} has the address ${address}`;
  if (hasRoute) return `the host uses it: a route goes through ${name}`;
  if (uppers.length > 0) return `the host uses it: ${uppers.join(', ')} is above ${name}`;
  return undefined;
}

function noKernel({ device, settings, isLoaded }: DeviceFacts): string | undefined {
  const driver = settings?.vfKernelDriver;
  if (driver !== undefined)
    return isLoaded(driver) ? undefined : `the driver ${driver} is not loaded: modprobe ${driver}`;
  if (device.driver !== undefined && device.driver !== vfioDriver) return undefined;
  return 'which driver makes an interface of it is not known: the SR-IOV file has to say';
}

function noVfio({ device, neighbours, isLoaded }: DeviceFacts): string | undefined {
  if (device.iommuGroup === undefined) return 'it has no IOMMU group: the machine has no IOMMU, or it is switched off';
  if (!isLoaded(vfioDriver)) return `the driver ${vfioDriver} is not loaded: modprobe ${vfioDriver}`;
  const [other] = neighbours;
  if (other === undefined) return undefined;
  return sharedGroup(device.iommuGroup, other.pci, other.driver);
}

export function sharedGroup(group: number, other: string, driver: string): string {
  return `its IOMMU group ${group} is shared with ${other}, which ${driver} drives`;
}
