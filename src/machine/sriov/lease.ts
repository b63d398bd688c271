// SPDX-License-Identifier: Apache-2.0
// A lease: the durable record of a borrowed device, written before the first change, with all that is needed to restore it.
//
//   (no file) → taking → held → returning → (no file)
//                  └──────────────↑   a start may find a lease in any state

import type { NamespaceEntry } from '../../dataplane/types.ts';
import { canonicalPci, type DeviceSettings } from '../../model/device.ts';
import type { HolderState } from '../../model/device-status.ts';
import type { DeviceNode } from '../../model/status.ts';
import type { DeviceMode } from './pools.ts';

export const leaseFormat = 1;

/** The original state of the device's interface. */
export interface OriginalInterface {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  /** The driver or the host made the MAC up: the physical function has none for this device. */
  readonly ownMac: boolean;
}

/** The original settings, as the physical function reports them; what its driver does not report is absent. */
export interface OriginalSettings extends DeviceSettings {
  readonly mac?: string;
  readonly qualityOfService?: number;
}

export interface OriginalDriver {
  readonly pci: string;
  readonly driver?: string;
  readonly driverOverride?: string;
}

export interface Lease extends OriginalDriver {
  readonly format: typeof leaseFormat;
  readonly generation: number;
  readonly state: HolderState;
  /** The ownership mark of the end that borrowed the device. */
  readonly mark: string;
  readonly mode: DeviceMode;
  readonly settings: DeviceSettings & { readonly mac: string };
  readonly namespace?: NamespaceEntry; // mode kernel only
  readonly cgroup?: string; // mode vfio only, as are group and nodes
  readonly group?: number;
  readonly nodes?: { readonly container: DeviceNode; readonly group: DeviceNode };
  /** The other functions of the device's IOMMU group. */
  readonly companions: readonly OriginalDriver[];
  readonly physicalFunction: string;
  readonly index: number; // the virtual function's number at its physical function
  readonly original: { readonly interface?: OriginalInterface; readonly settings: OriginalSettings };
  /** Optional settings that the NIC refused, each with the reason. */
  readonly refused: readonly string[];
}

/** Throws an error with the reason if the text is not a lease of this device. */
export function parseLease(text: string, pci: string): Lease {
  const lease = JSON.parse(text) as Lease;
  require(typeof lease === 'object' && lease !== null, 'it is not an object');
  require(lease.format === leaseFormat, `its format is ${JSON.stringify(lease.format)}, not ${leaseFormat}`);
  require(lease.pci === pci && canonicalPci(pci) === pci, `it is the lease of another device than ${pci}`);
  require(Number.isSafeInteger(lease.generation), 'it has no generation');
  require(['taking', 'held', 'returning'].includes(lease.state), 'its state is unknown');
  require(typeof lease.mark === 'string' && typeof lease.settings?.mac === 'string', 'its borrower is unknown');
  require(lease.mode === 'kernel' || lease.mode === 'vfio', 'its mode is unknown');
  require(typeof lease.physicalFunction === 'string' && Number.isInteger(lease.index), 'its NIC is unknown');
  require(Array.isArray(lease.companions) &&
    typeof lease.original?.settings === 'object', 'its original state is missing');
  return lease;
}

function require(holds: boolean, reason: string): asserts holds {
  if (!holds) throw new Error(reason);
}
