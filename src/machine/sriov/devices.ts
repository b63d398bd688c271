// SPDX-License-Identifier: Apache-2.0
// The devices (virtual functions) of this machine, as the supervisor borrows them. A borrowed device has a lease on disk,
// from before its first change until it is fully restored.

import type { NamespaceEntry } from '../../dataplane/types.ts';
import type { DeviceChoice, DeviceSettings } from '../../model/device.ts';
import type { DeviceNode } from '../../model/status.ts';
import type { EndName } from '../../model/wire.ts';
import type { DeviceMode } from './pools.ts';

export type { DeviceMode };

/** What an end needs: the device that it names, or any device of the NIC of the wire's other end. */
export interface DeviceWant {
  readonly choice: DeviceChoice | 'beside';
  readonly mode: DeviceMode;
  /** The device must be a virtual function of the NIC with this interface. */
  readonly port?: string | undefined;
  /** The device chosen before; it is chosen again if it still fits. */
  readonly known?: string | undefined;
}

export type DeviceWants = Readonly<Partial<Record<EndName, DeviceWant>>>;

export interface DeviceOrder {
  readonly pci: string;
  /** The ownership mark of the end. */
  readonly mark: string;
  readonly settings: DeviceSettings & { readonly mac: string };
}

export interface KernelOrder extends DeviceOrder {
  readonly namespace: NamespaceEntry;
  /** The temporary name of the interface. */
  readonly name: string;
}

export interface VfioOrder extends DeviceOrder {
  readonly cgroup?: string | undefined;
}

/** A lease as the supervisor sees it: without the original state. */
export interface LeaseView extends DeviceOrder {
  readonly generation: number;
  readonly mode: DeviceMode;
  readonly namespace?: NamespaceEntry; // mode kernel only
  readonly cgroup?: string; // mode vfio only
  /** The device was taken completely and, in mode vfio, is still bound to vfio-pci. */
  readonly isHeld: boolean;
  /** Optional settings that the NIC refused, each with the reason. */
  readonly refused: readonly string[];
  readonly vfio?: { readonly group: number; readonly nodes: { container: DeviceNode; group: DeviceNode } };
}

export interface Devices {
  /** Chooses a device for each end, by PCI address, except those that are taken. Rejects if an end cannot have one. */
  choose(wants: DeviceWants, isTaken: (pci: string) => boolean): Promise<Partial<Record<EndName, string>>>;
  /** The leases whose marks begin with `prefix`: those of one wire, or all. */
  listLeases(prefix?: string): Promise<LeaseView[]>;
  /** Moves the interface to its namespace, marked, down and under the ordered name. On failure restores the device. */
  take(order: KernelOrder): Promise<LeaseView>;
  /** Binds the device and its whole IOMMU group to vfio-pci. On failure restores the device. */
  bind(order: VfioOrder): Promise<LeaseView>;
  /** Restores the device from any state. Does nothing if there is no lease, or a newer one (other generation or mark). */
  giveBack(pci: string, lease: { readonly mark: string; readonly generation?: number | undefined }): Promise<void>;
  /** Brings back a device that has our mark but no lease: its original state is unknown. */
  bringBack(pci: string): Promise<void>;
  /** Reports, within a second, each lease whose device has left the place that it was taken to. Returns the function that ends it. */
  watch(onAstray: (mark: string) => void): () => void;
}
