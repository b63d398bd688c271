// SPDX-License-Identifier: Apache-2.0
// The devices of this machine as their borrower sees them. What is borrowed has a lease on disk from before its first
// change until it is as it was.

import type { NamespaceEntry } from '../../dataplane/types.ts';
import type { DeviceChoice, DeviceSettings } from '../../model/device.ts';
import type { DeviceNode } from '../../model/status.ts';
import type { EndName } from '../../model/wire.ts';
import type { DeviceMode } from './pools.ts';

export type { DeviceMode };

/** What an end needs: the device it names, or a second one of the NIC of the wire's other end. */
export interface DeviceWant {
  readonly choice: DeviceChoice | 'beside';
  readonly mode: DeviceMode;
  /** The interface of the port that it must be behind. */
  readonly port?: string | undefined;
  /** Chosen before; it stays if it still is what is asked for. */
  readonly known?: string | undefined;
}

export type DeviceWants = Readonly<Partial<Record<EndName, DeviceWant>>>;

export interface DeviceOrder {
  readonly pci: string;
  /** Ownership mark of the end. */
  readonly mark: string;
  readonly settings: DeviceSettings & { readonly mac: string };
}

export interface KernelOrder extends DeviceOrder {
  readonly namespace: NamespaceEntry;
  /** A temporary one. */
  readonly name: string;
}

export interface VfioOrder extends DeviceOrder {
  readonly cgroup?: string | undefined;
}

/** A lease, as its borrower needs to know it. */
export interface Holding extends DeviceOrder {
  readonly generation: number;
  readonly mode: DeviceMode;
  readonly namespace?: NamespaceEntry; // of mode kernel
  readonly cgroup?: string; // of mode vfio
  /** It was taken wholly; of mode vfio: and is bound still. */
  readonly isHeld: boolean;
  /** Settings that the NIC refused and that the wire can do without, with the reason. */
  readonly refused: readonly string[];
  readonly vfio?: { readonly group: number; readonly nodes: { container: DeviceNode; group: DeviceNode } };
}

export interface Devices {
  /** Every end's device by PCI address; none that `isTaken`. Rejects if there is none, or one cannot be lent. */
  choose(wants: DeviceWants, isTaken: (pci: string) => boolean): Promise<Partial<Record<EndName, string>>>;
  /** Of one wire, or all: `prefix` is what their marks begin with. */
  holdings(prefix?: string): Promise<Holding[]>;
  /** The interface is in its namespace, down, marked, under the name ordered. Rejects with the device restored. */
  take(order: KernelOrder): Promise<Holding>;
  /** Its whole IOMMU group is bound to vfio-pci. Rejects with the device restored. */
  bind(order: VfioOrder): Promise<Holding>;
  /** From any state. What is not lent, or is lent anew since (another generation, another mark), stays as it is. */
  giveBack(pci: string, lease: { readonly mark: string; readonly generation?: number | undefined }): Promise<void>;
  /** Of a device with a mark of ours and no lease: what it was is not known any more. */
  takeHome(pci: string): Promise<void>;
  /** Tells, within a second, of each lease whose device is not where it was taken to. */
  watch(onAstray: (mark: string) => void): () => void;
}
