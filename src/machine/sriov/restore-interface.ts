// SPDX-License-Identifier: Apache-2.0
// Makes the interface of a device that came back what it was.

import { setTimeout as pause } from 'node:timers/promises';
import type { InterfaceInfo } from '../../dataplane/types.ts';
import { CrosswireError } from '../../model/error.ts';
import { type Borrowing, home } from './borrowing.ts';
import { awaitNetdev } from './driver.ts';
import type { OriginalInterface } from './lease.ts';

/** What somebody who names new interfaces (udev) may spoil. */
const attempts = 3;
/** Until others that come back have left the name. */
const patience = { milliseconds: 5000, between: 10 } as const;

type Parts = Pick<Borrowing, 'sysfs' | 'dataplane'>;

export async function restoreInterface(parts: Parts, pci: string, original: OriginalInterface): Promise<void> {
  const deadline = performance.now() + patience.milliseconds;
  for (let attempt = 1; attempt <= attempts; ) {
    const name = await awaitNetdev(parts.sysfs, pci);
    if (name === undefined) throw new Error(`the driver of ${pci} made no interface`);
    try {
      if (await isRestored(parts, name, original)) return;
      attempt += 1;
    } catch (error) {
      const isTaken = error instanceof CrosswireError && error.code === 'INTERFACE_EXISTS';
      if (isTaken ? performance.now() > deadline : attempt === attempts) throw error;
      if (isTaken) await stepAside(parts, pci, name);
      else attempt += 1;
    }
  }
  throw new Error(`the interface of ${pci} does not stay where it is`);
}

/** False: it was not there any more. */
async function isRestored({ dataplane }: Parts, name: string, original: OriginalInterface): Promise<boolean> {
  const [info] = await dataplane.listInterfaces({ netns: home, names: [name], details: false });
  const change = info && differences(info, original);
  if (change && Object.keys(change).length > 0)
    await dataplane.changeInterface({ netns: home, name, alias: '', ...change });
  return change !== undefined;
}

/** The kernel gives a new interface the first name that is free: devices that come back at once may get each other's, and
 *  would wait for each other for ever. */
async function stepAside({ dataplane }: Parts, pci: string, name: string): Promise<void> {
  const aside = `cw-${pci.replaceAll(/\W/g, '')}`;
  if (name !== aside) await dataplane.changeInterface({ netns: home, name, alias: '', rename: aside }).catch(() => {});
  await pause(patience.between);
}

function differences(info: InterfaceInfo, { name, mac, mtu, up }: OriginalInterface) {
  return {
    ...(info.name === name ? {} : { rename: name }),
    ...(info.mac === mac ? {} : { mac }),
    ...(info.mtu === mtu ? {} : { mtu }),
    ...(info.up === up ? {} : { up }),
  };
}
