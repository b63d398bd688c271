// SPDX-License-Identifier: Apache-2.0
// doctor: NICs with virtual functions, the IOMMU, and the driver that hands functions to applications.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { MachineFinding } from '../model/machine.ts';
import { kernelHas } from './kernel-modules.ts';
import { vfioDriver } from './sriov/driver.ts';
import { networkClass } from './sriov/inventory.ts';
import { type PciFunction, Sysfs } from './sriov/sysfs.ts';

export async function sriovFindings(root: string, kernel: string | undefined): Promise<MachineFinding[]> {
  const sysfs = new Sysfs(join(root, 'sys'));
  return [await nics(sysfs), await iommu(root), await vfio(sysfs, root, kernel)];
}

async function nics(sysfs: Sysfs): Promise<MachineFinding> {
  const check = 'sriov';
  const read = (await sysfs.addresses()).map(async (pci) =>
    (await sysfs.hasVirtualFunctions(pci)) ? await sysfs.read(pci) : undefined,
  );
  const able = (await Promise.all(read)).filter((one) => one !== undefined && networkClass.test(one.class));
  if (able.length > 0)
    return { check, state: 'ok', found: able.map((one) => nicInWords(one as PciFunction)).join('; ') };
  return {
    check,
    state: 'note',
    found: 'no NIC here can have virtual functions',
    advice: "for wires that a NIC switches: switch SR-IOV on in the firmware; in a container, mount the host's /sys",
  };
}

function nicInWords({ pci, driver = 'no driver', interface: name, virtualFunctions }: PciFunction): string {
  const { present = 0, possible = 0 } = virtualFunctions ?? {};
  return `${name ?? pci} (${name ? `${pci}, ` : ''}${driver}) has ${present} of ${possible} virtual functions`;
}

async function iommu(root: string): Promise<MachineFinding> {
  const groups = await readdir(join(root, 'sys/kernel/iommu_groups')).catch(() => []);
  if (groups.length > 0) return { check: 'iommu', state: 'ok', found: `${groups.length} groups of devices` };
  return {
    check: 'iommu',
    state: 'note',
    found: 'none: devices cannot be handed to applications (vfio)',
    advice: 'switch VT-d or AMD-Vi on in the firmware, and boot with intel_iommu=on or amd_iommu=on',
  };
}

async function vfio(sysfs: Sysfs, root: string, kernel: string | undefined): Promise<MachineFinding> {
  const check = vfioDriver;
  if ((await sysfs.drivers()).includes(vfioDriver)) return { check, state: 'ok', found: 'the driver is loaded' };
  const there = await kernelHas(vfioDriver, root, kernel);
  const found = there === 'no' ? 'this kernel has no such driver' : 'the driver is not loaded';
  return { check, state: 'note', found, advice: `modprobe ${vfioDriver}, for devices that applications drive` };
}
