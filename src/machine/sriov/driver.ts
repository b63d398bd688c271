// SPDX-License-Identifier: Apache-2.0
// Binds PCI functions to drivers and unbinds them: driver_override, then drivers_probe
// (Documentation/ABI/testing/sysfs-bus-pci). Idempotent.

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { CrosswireError } from '../../model/error.ts';
import type { Sysfs } from './sysfs.ts';

export const vfioDriver = 'vfio-pci';

/** How long to poll sysfs. The kernel usually completes a probe before the write returns, but drivers may defer it
 *  (probe_type in linux/device/driver.h), and sysfs gives no notification when an entry appears. */
const patience = { milliseconds: 5000, between: 10 } as const;

export interface DriverPaths {
  /** The directory of the device nodes of VFIO groups: /dev/vfio. */
  readonly vfio: string;
}

/** `override`: the final value of driver_override; by default it is cleared. */
export async function bindDriver(sysfs: Sysfs, pci: string, driver: string, override = ''): Promise<void> {
  const bound = await sysfs.driverOf(pci);
  if (bound !== driver) {
    if (!(await sysfs.drivers()).includes(driver)) throw noDriver(pci, driver);
    if (bound !== undefined) await unbindDriver(sysfs, pci);
    await setOverride(sysfs, pci, driver);
    try {
      await sysfs.writeBus('drivers_probe', pci);
      const took = await until(async () => (await sysfs.driverOf(pci)) === driver);
      if (!took) throw notTaken(pci, driver, await sysfs.driverOf(pci));
    } catch (error) {
      await setOverride(sysfs, pci, override);
      throw error;
    }
  }
  await setOverride(sysfs, pci, override);
}

/** An empty driver clears driver_override: the kernel expects an empty line for that. */
export async function setOverride(sysfs: Sysfs, pci: string, driver: string): Promise<void> {
  await sysfs.write(pci, 'driver_override', driver === '' ? '\n' : driver);
}

/** This destroys the function's interface, in whatever namespace the interface is. */
export async function unbindDriver(
  sysfs: Sysfs,
  pci: string,
  paths: DriverPaths = { vfio: '/dev/vfio' },
): Promise<void> {
  const driver = await sysfs.driverOf(pci);
  if (driver === undefined) return;
  if (driver === vfioDriver) await awaitUnused(sysfs, pci, paths);
  try {
    await sysfs.write(pci, 'driver/unbind', pci);
  } catch (error) {
    // If the driver is no longer bound, something else unbound it in the meantime, or the function itself is gone.
    if ((await sysfs.driverOf(pci)) === driver) throw error;
  }
  if (!(await until(async () => (await sysfs.driverOf(pci)) !== driver))) throw notReleased(pci, driver);
}

/** Waits for the function's interface, which a driver may make after it is bound. Undefined if there is none in time. */
export async function awaitNetdev(sysfs: Sysfs, pci: string): Promise<string | undefined> {
  let found: string | undefined;
  await until(async () => (found = await sysfs.netdevOf(pci)) !== undefined);
  return found;
}

/** Unbinding vfio-pci blocks in the kernel for as long as an application has the group open
 *  (vfio_unregister_group_dev() in drivers/vfio/vfio_main.c), so the group must be closed first. A group can be opened
 *  only once, which shows whether someone has it open. */
async function awaitUnused(sysfs: Sysfs, pci: string, { vfio }: DriverPaths): Promise<void> {
  const group = (await sysfs.read(pci))?.iommuGroup;
  if (group === undefined || (await until(async () => !(await isOpen(`${vfio}/${group}`))))) return;
  throw new CrosswireError({
    code: 'DEVICE_BUSY',
    operation: `unbind ${vfioDriver}`,
    subject: pci,
    reason: `a process has ${vfio}/${group} open`,
    hint: 'end the application that drives the device',
  });
}

/** Whether a process has the device node of a VFIO group open. */
export async function isOpen(path: string): Promise<boolean> {
  try {
    await using _file = await open(path, constants.O_RDWR);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EBUSY';
  }
}

async function until(isSo: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + patience.milliseconds;
  while (!(await isSo())) {
    if (performance.now() > deadline) return false;
    await pause(patience.between);
  }
  return true;
}

function noDriver(pci: string, driver: string): CrosswireError {
  const hint = `modprobe ${driver}`;
  const reason = 'the kernel has no such PCI driver loaded';
  return new CrosswireError({ code: 'DRIVER_MISSING', operation: `bind ${driver}`, subject: pci, reason, hint });
}

function notTaken(pci: string, driver: string, bound: string | undefined): CrosswireError {
  const reason = `the driver did not accept the device; it is bound to ${bound ?? 'no driver'}`;
  const hint = 'the kernel’s log may say why: dmesg';
  return new CrosswireError({ code: 'DRIVER_REFUSED', operation: `bind ${driver}`, subject: pci, reason, hint });
}

function notReleased(pci: string, driver: string): CrosswireError {
  const reason = `it is still bound after ${patience.milliseconds / 1000} s`;
  return new CrosswireError({ code: 'DRIVER_REFUSED', operation: `unbind ${driver}`, subject: pci, reason });
}
