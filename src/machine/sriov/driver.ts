// SPDX-License-Identifier: Apache-2.0
// Which driver a PCI function is bound to, and binding it to another: driver_override, then drivers_probe
// (Documentation/ABI/testing/sysfs-bus-pci). Safe to repeat; what is so already is left as it is.

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { CrosswireError } from '../../model/error.ts';
import type { Sysfs } from './sysfs.ts';

export const vfioDriver = 'vfio-pci';

/** The kernel answers a probe when it is done, but drivers may put it off (probe_type in linux/device/driver.h), and
 *  sysfs tells nobody when something appears: it has to be looked for. */
const patience = { milliseconds: 5000, between: 10 } as const;

export interface DriverPaths {
  /** Where the device nodes of VFIO groups are: /dev/vfio. */
  readonly vfio: string;
}

/** `override`: what driver_override is to be afterwards; by default nothing, as on a machine where nobody set it. */
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

/** An empty line takes it away. */
export async function setOverride(sysfs: Sysfs, pci: string, driver: string): Promise<void> {
  await sysfs.write(pci, 'driver_override', driver === '' ? '\n' : driver);
}

/** Destroys its interface, in whatever namespace that is. A function without a driver stays as it is. */
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
    // Somebody else unbound it meanwhile, or the function itself is gone.
    if ((await sysfs.driverOf(pci)) === driver) throw error;
  }
  if (!(await until(async () => (await sysfs.driverOf(pci)) !== driver))) throw notReleased(pci, driver);
}

/** The name of its interface, awaited: a driver may make it after it was bound. Undefined: there was none in time. */
export async function awaitNetdev(sysfs: Sysfs, pci: string): Promise<string | undefined> {
  let found: string | undefined;
  await until(async () => (found = await sysfs.netdevOf(pci)) !== undefined);
  return found;
}

/** The kernel would let whoever unbinds wait, for as long as an application has the group open
 *  (vfio_unregister_group_dev() in drivers/vfio/vfio_main.c). A group can be opened once: who else has it shows. */
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
  const reason = `the driver did not take it; it is bound to ${bound ?? 'none'}`;
  const hint = 'the kernel’s log may say why: dmesg';
  return new CrosswireError({ code: 'DRIVER_REFUSED', operation: `bind ${driver}`, subject: pci, reason, hint });
}

function notReleased(pci: string, driver: string): CrosswireError {
  const reason = `it is bound still after ${patience.milliseconds / 1000} s`;
  return new CrosswireError({ code: 'DRIVER_REFUSED', operation: `unbind ${driver}`, subject: pci, reason });
}
