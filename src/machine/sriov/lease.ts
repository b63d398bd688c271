// SPDX-License-Identifier: Apache-2.0
// What is written down of a borrowed device before anything is changed on it: all it takes to give it back.
//
//   (no file) → taking → held → returning → (no file)
//                  └──────────────↑   the next start finds any of them

import type { NamespaceEntry } from '../../dataplane/types.ts';
import { canonicalPci, type DeviceSettings } from '../../model/device.ts';
import type { HolderState } from '../../model/device-status.ts';
import type { DeviceNode } from '../../model/status.ts';
import type { DeviceMode } from './pools.ts';

export const leaseFormat = 1;

/** As its interface was. */
export interface OriginalInterface {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  /** The driver or the host made the MAC up, and the physical function has none for it. */
  readonly ownMac: boolean;
}

/** As the physical function told; what its driver does not tell is absent. */
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
  /** Ownership mark of the end that has it. */
  readonly mark: string;
  readonly mode: DeviceMode;
  readonly settings: DeviceSettings & { readonly mac: string };
  readonly namespace?: NamespaceEntry; // of mode kernel
  readonly cgroup?: string; // of mode vfio, as all below
  readonly group?: number;
  readonly nodes?: { readonly container: DeviceNode; readonly group: DeviceNode };
  /** The rest of its IOMMU group. */
  readonly companions: readonly OriginalDriver[];
  readonly physicalFunction: string;
  readonly index: number; // as the physical function counts
  readonly original: { readonly interface?: OriginalInterface; readonly settings: OriginalSettings };
  /** Settings that the NIC refused and the wire can do without, with the reason. */
  readonly refused: readonly string[];
}

/** Throws with a reason if the text is no lease of this device. */
export function parseLease(text: string, pci: string): Lease {
  const lease = JSON.parse(text) as Lease;
  require(typeof lease === 'object' && lease !== null, 'it is not an object');
  require(lease.format === leaseFormat, `its format is ${JSON.stringify(lease.format)}, not ${leaseFormat}`);
  require(lease.pci === pci && canonicalPci(pci) === pci, `it is not of the device ${pci}`);
  require(Number.isSafeInteger(lease.generation), 'it has no generation');
  require(['taking', 'held', 'returning'].includes(lease.state), 'its state is unknown');
  require(typeof lease.mark === 'string' && typeof lease.settings?.mac === 'string', 'its borrower is unknown');
  require(lease.mode === 'kernel' || lease.mode === 'vfio', 'its mode is unknown');
  require(typeof lease.physicalFunction === 'string' && Number.isInteger(lease.index), 'its NIC is unknown');
  require(Array.isArray(lease.companions) && typeof lease.original?.settings === 'object', 'what it was is not there');
  return lease;
}

function require(holds: boolean, reason: string): asserts holds {
  if (!holds) throw new Error(reason);
}
