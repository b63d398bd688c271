// SPDX-License-Identifier: Apache-2.0
// Restores name, MAC, MTU and state of the interface of a device that was given back.

import { setTimeout as pause } from 'node:timers/promises';
import type { InterfaceInfo } from '../../dataplane/types.ts';
import { CrosswireError } from '../../model/error.ts';
import { type Borrowing, ownNamespace } from './borrowing.ts';
import { awaitNetdev } from './driver.ts';
import type { OriginalInterface } from './lease.ts';

/** A service that renames new interfaces (udev) may interfere. */
const attempts = 3;
/** How long to wait until other devices that come back release the name. */
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

/** False if the interface is no longer there. */
async function isRestored({ dataplane }: Parts, name: string, original: OriginalInterface): Promise<boolean> {
  const [info] = await dataplane.listInterfaces({ netns: ownNamespace, names: [name], details: false });
  const change = info && differences(info, original);
  if (change && Object.keys(change).length > 0)
    await dataplane.changeInterface({ netns: ownNamespace, name, alias: '', ...change });
  return change !== undefined;
}

/** Releases a name that belongs to another device. The kernel gives a new interface the first free name, so that devices that
 *  come back at the same time may get each other's names and would wait for each other forever. */
async function stepAside({ dataplane }: Parts, pci: string, name: string): Promise<void> {
  const aside = `cw-${pci.replaceAll(/\W/g, '')}`;
  if (name !== aside)
    await dataplane.changeInterface({ netns: ownNamespace, name, alias: '', rename: aside }).catch(() => {});
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
