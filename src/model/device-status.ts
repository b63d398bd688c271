// SPDX-License-Identifier: Apache-2.0
// Which virtual functions this machine has, who has them, and what the operator allows: plain data.

import type { EndName } from './wire.ts';

/** One physical function that the operator lets be used (contract of NSM: physicalFunctions of its SR-IOV file). */
export interface PhysicalFunctionSettings {
  readonly pci: string;
  readonly pfKernelDriver: string;
  readonly vfKernelDriver: string;
  readonly capabilities: readonly string[];
  readonly serviceDomains: readonly string[];
}

/** `serviceDomain/capability`: the names under which VFs of a physical function can be asked for. */
export function resourcesOf({ capabilities, serviceDomains }: PhysicalFunctionSettings): string[] {
  return serviceDomains.flatMap((domain) => capabilities.map((capability) => `${domain}/${capability}`));
}

/** Whose a virtual function is: its lease, in brief. */
export interface Holder {
  readonly pci: string;
  readonly wire: string;
  readonly end: EndName;
  readonly state: HolderState;
}
export type HolderState = 'taking' | 'held' | 'returning';

export interface PhysicalFunctionStatus {
  readonly pci: string;
  readonly driver?: string;
  /** In the forwarder's own network namespace. */
  readonly interface?: string;
  readonly up: boolean; // carrier
  readonly present: number; // virtual functions that there are
  readonly possible: number; // … that there can be
  readonly resources: readonly string[];
  /** Why its virtual functions cannot be used. */
  readonly problem?: string;
}

export interface DeviceStatus {
  readonly pci: string;
  readonly physicalFunction: string;
  readonly index: number; // as the driver of the physical function counts
  readonly state: 'free' | 'leased' | 'unusable';
  readonly holder?: Holder;
  /** Why it cannot be had by a network namespace, or by an application that drives it itself. Both: unusable. */
  readonly refusals: { readonly kernel?: string; readonly vfio?: string };
  readonly driver?: string;
  readonly iommuGroup?: number;
  /** In the forwarder's own network namespace. */
  readonly interface?: string;
  readonly resources: readonly string[];
  readonly mac?: string;
  readonly vlan?: number;
  readonly trust?: boolean;
  readonly spoofCheck?: boolean;
  readonly maxRate?: number; // Mbit/s
  readonly counters?: DeviceCounters;
}

/** As a wire sees it: rx is what came from the virtual function. Only where the driver of the physical one counts. */
export interface DeviceCounters {
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly rxDropped: bigint;
  readonly txDropped: bigint;
}

export interface DeviceReport {
  readonly physicalFunctions: readonly PhysicalFunctionStatus[];
  readonly devices: readonly DeviceStatus[];
  /** Leases of virtual functions that are not there any more: somebody made fewer of them. */
  readonly lost: readonly Holder[];
}
