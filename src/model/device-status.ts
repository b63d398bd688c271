// SPDX-License-Identifier: Apache-2.0
// Plain data about the virtual functions of this machine: their state, who borrowed them, and what the operator allows.

import type { EndName } from './wire.ts';

/** A physical function whose virtual functions may be lent: an entry of physicalFunctions in NSM's SR-IOV file. */
export interface PhysicalFunctionSettings {
  readonly pci: string;
  readonly pfKernelDriver: string;
  readonly vfKernelDriver: string;
  readonly capabilities: readonly string[];
  readonly serviceDomains: readonly string[];
}

/** The resources of a physical function, `serviceDomain/capability`: the names by which its VFs are requested. */
export function resourcesOf({ capabilities, serviceDomains }: PhysicalFunctionSettings): string[] {
  return serviceDomains.flatMap((domain) => capabilities.map((capability) => `${domain}/${capability}`));
}

/** A lease in brief: which end of which wire has a virtual function. */
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
  /** Absent if the interface is not in the forwarder's own network namespace. */
  readonly interface?: string;
  readonly up: boolean; // has carrier
  readonly present: number; // number of virtual functions
  readonly possible: number; // largest number of virtual functions
  readonly resources: readonly string[];
  /** Why the virtual functions cannot be used. */
  readonly problem?: string;
}

export interface DeviceStatus {
  readonly pci: string;
  readonly physicalFunction: string;
  readonly index: number; // its number at the physical function
  readonly state: 'free' | 'leased' | 'unusable';
  readonly holder?: Holder;
  /** Why the device cannot be lent as an interface (kernel), or to an application (vfio). With both it is unusable. */
  readonly refusals: { readonly kernel?: string; readonly vfio?: string };
  readonly driver?: string;
  readonly iommuGroup?: number;
  /** Absent if the interface is not in the forwarder's own network namespace. */
  readonly interface?: string;
  readonly resources: readonly string[];
  readonly mac?: string;
  readonly vlan?: number;
  readonly trust?: boolean;
  readonly spoofCheck?: boolean;
  readonly maxRate?: number; // Mbit/s
  readonly counters?: DeviceCounters;
}

/** Counters as the wire sees them: rx are frames from the virtual function. Absent if the physical function's driver has none. */
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
  /** Leases of virtual functions that no longer exist: someone reduced their number. */
  readonly lost: readonly Holder[];
}
