// SPDX-License-Identifier: Apache-2.0
// Makes virtual functions on the NICs of the SR-IOV file that have none. A number that is already set is left alone: the
// kernel changes it only by way of 0, which would take all virtual functions from their users.

import type { PhysicalFunctionSettings } from '../../model/device-status.ts';
import { CrosswireError } from '../../model/error.ts';
import type { Sysfs } from './sysfs.ts';

export interface MadeFunctions {
  readonly pci: string;
  readonly count: number;
}

/** A failure at one NIC is reported and does not stop the others. */
export async function makeVirtualFunctions(
  sysfs: Sysfs,
  allowed: readonly PhysicalFunctionSettings[],
): Promise<{ made: MadeFunctions[]; errors: CrosswireError[] }> {
  const made: MadeFunctions[] = [];
  const errors: CrosswireError[] = [];
  for (const { pci } of allowed) {
    try {
      const count = await makeOf(sysfs, pci);
      if (count > 0) made.push({ pci, count });
    } catch (error) {
      if (!(error instanceof CrosswireError)) throw error;
      errors.push(error);
    }
  }
  return { made, errors };
}

async function makeOf(sysfs: Sysfs, pci: string): Promise<number> {
  const numbers = (await sysfs.read(pci))?.virtualFunctions;
  if (numbers === undefined) throw incapable(pci);
  const { present, possible } = numbers;
  if (present > 0 || possible === 0) return 0;
  await sysfs.write(pci, 'sriov_numvfs', String(possible));
  return possible;
}

function incapable(pci: string): CrosswireError {
  return new CrosswireError({
    code: 'DEVICE_MISSING',
    operation: 'make virtual functions',
    subject: pci,
    reason: 'there is no PCI function at that address that can have virtual ones',
    hint: 'correct the SR-IOV file; `lspci -D` lists addresses, and SR-IOV may have to be switched on in the firmware',
  });
}
