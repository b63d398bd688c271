// SPDX-License-Identifier: Apache-2.0
// doctor: NICs with virtual functions, the IOMMU, and vfio-pci, the driver that gives devices to applications.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PhysicalFunctionSettings } from '../../model/device-status.ts';
import type { MachineFinding } from '../../model/machine.ts';
import { kernelHas } from '../kernel-modules.ts';
import { vfioDriver } from '../sriov/driver.ts';
import { networkClass } from '../sriov/inventory.ts';
import { type PciFunction, Sysfs } from '../sriov/sysfs.ts';

type ReadFile = () => Promise<readonly PhysicalFunctionSettings[] | undefined>;

export async function sriovFindings(
  root: string,
  kernel: string | undefined,
  readFile: ReadFile,
): Promise<MachineFinding[]> {
  const sysfs = new Sysfs(join(root, 'sys'));
  return [await nics(sysfs), ...(await file(sysfs, readFile)), await iommu(root), await vfio(sysfs, root, kernel)];
}

/** Checks the SR-IOV file against the machine. No finding if no file is configured. */
async function file(sysfs: Sysfs, readFile: ReadFile): Promise<MachineFinding[]> {
  const check = 'sriov-file';
  try {
    const allowed = await readFile();
    if (allowed === undefined) return [];
    const problems = (await Promise.all(allowed.map((one) => problemOf(sysfs, one)))).filter(Boolean);
    if (problems.length === 0)
      return [{ check, state: 'ok', found: `${allowed.length} of ${allowed.length} NICs are as the file says` }];
    const advice = 'load the drivers (modprobe), or correct the file; `lspci -Dk` shows who drives what';
    return [{ check, state: 'warning', found: problems.join('; '), advice }];
  } catch (error) {
    const [first] = error instanceof AggregateError ? (error.errors as Error[]) : [error as Error];
    const advice = 'correct the file: the daemon does not start with it';
    return [{ check, state: 'warning', found: first?.message ?? '', advice }];
  }
}

async function problemOf(
  sysfs: Sysfs,
  { pci, pfKernelDriver, vfKernelDriver }: PhysicalFunctionSettings,
): Promise<string> {
  const nic = await sysfs.read(pci);
  if (nic?.virtualFunctions === undefined) return `${pci} is not a NIC that can have virtual functions`;
  const { driver = 'no driver' } = nic;
  if (driver !== pfKernelDriver) return `${pci} has ${driver}, not ${pfKernelDriver}`;
  return (await sysfs.drivers()).includes(vfKernelDriver) ? '' : `${vfKernelDriver} is not loaded`;
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
    found: 'no NIC of this machine can have virtual functions',
    advice: "for wires that a NIC switches: enable SR-IOV in the firmware; in a container, mount the host's /sys",
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
    found: 'none: devices cannot be given to applications (vfio)',
    advice: 'enable VT-d or AMD-Vi in the firmware, and boot with intel_iommu=on or amd_iommu=on',
  };
}

async function vfio(sysfs: Sysfs, root: string, kernel: string | undefined): Promise<MachineFinding> {
  const check = vfioDriver;
  if ((await sysfs.drivers()).includes(vfioDriver)) return { check, state: 'ok', found: 'the driver is loaded' };
  const there = await kernelHas(vfioDriver, root, kernel);
  const found = there === 'no' ? 'this kernel has no such driver' : 'the driver is not loaded';
  return { check, state: 'note', found, advice: `modprobe ${vfioDriver}, for devices that applications drive` };
}
