// SPDX-License-Identifier: Apache-2.0
// A MADE-UP sysfs in a temporary folder: PCI functions with the links and files of the real one. Writing to a file has no
// effect there. test/sriov uses the real sysfs.

import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface MadeUpFunction {
  readonly pci: string;
  readonly class?: string;
  readonly driver?: string;
  readonly override?: string;
  readonly group?: number;
  readonly interface?: string;
  readonly uppers?: readonly string[];
  readonly parent?: { readonly pci: string; readonly index: number };
  readonly virtualFunctions?: { readonly present: number; readonly possible: number };
}

export async function makeSysfs(functions: readonly MadeUpFunction[], drivers: readonly string[]) {
  const root = await mkdtemp(join(tmpdir(), 'crosswire-sysfs-'));
  const bus = join(root, 'bus/pci');
  for (const driver of drivers) await mkdir(join(bus, 'drivers', driver), { recursive: true });
  for (const one of functions) await addFunction(root, one);
  await writeFile(join(bus, 'drivers_probe'), '');
  return { root, remove: () => rm(root, { recursive: true, force: true }) };
}

async function addFunction(root: string, one: MadeUpFunction): Promise<void> {
  const { pci, driver, override, group, parent, virtualFunctions, interface: name, uppers = [] } = one;
  const at = join(root, 'bus/pci/devices', pci);
  const file = (path: string, text: string) => writeFile(join(at, path), text);
  await mkdir(at, { recursive: true });
  await file('uevent', `${driver ? `DRIVER=${driver}\n` : ''}PCI_CLASS=${one.class ?? '20000'}\nPCI_ID=8086:10C9\n`);
  await file('driver_override', `${override ?? '(null)'}\n`);
  if (driver) {
    await mkdir(join(root, 'bus/pci/drivers', driver), { recursive: true });
    await writeFile(join(root, 'bus/pci/drivers', driver, 'unbind'), '');
    await symlink(join(root, 'bus/pci/drivers', driver), join(at, 'driver'));
  }
  if (group !== undefined) {
    const members = join(root, 'kernel/iommu_groups', String(group), 'devices');
    await mkdir(members, { recursive: true });
    await symlink(at, join(members, pci));
    await symlink(join(root, 'kernel/iommu_groups', String(group)), join(at, 'iommu_group'));
  }
  if (name) {
    await mkdir(join(at, 'net', name), { recursive: true });
    for (const upper of uppers) await mkdir(join(root, 'class/net', name, `upper_${upper}`), { recursive: true });
  }
  if (virtualFunctions) {
    await file('sriov_numvfs', `${virtualFunctions.present}\n`);
    await file('sriov_totalvfs', `${virtualFunctions.possible}\n`);
  }
  if (parent) {
    const above = join(root, 'bus/pci/devices', parent.pci);
    await symlink(above, join(at, 'physfn'));
    await symlink(at, join(above, `virtfn${parent.index}`));
  }
}
