// SPDX-License-Identifier: Apache-2.0
// Makes the virtual functions of the NICs that the operator gave us, where there are none. A number that somebody has
// set is theirs, and the kernel changes it only by way of 0, which would take every virtual function from its user.

import type { PhysicalFunctionSettings } from '../../model/device-status.ts';
import { CrosswireError } from '../../model/error.ts';
import type { Sysfs } from './sysfs.ts';

export interface MadeFunctions {
  readonly pci: string;
  readonly count: number;
}

/** One NIC that cannot keeps no other from it. */
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
