// SPDX-License-Identifier: Apache-2.0
// PCI functions as the kernel shows them: Documentation/ABI/testing/sysfs-bus-pci and sysfs-kernel-iommu_groups.
// Nothing is kept: what is there now is what is told.

import { constants } from 'node:fs';
import { open, readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CrosswireError } from '../../model/error.ts';

export interface PciFunction {
  readonly pci: string; // address, 0000:01:10.0
  readonly driver?: string;
  /** The only driver that it may be bound to; absent: any that knows it. */
  readonly driverOverride?: string;
  readonly iommuGroup?: number;
  /** Its interface, if that is in the network namespace that this sysfs is mounted for. */
  readonly interface?: string;
  readonly class: string; // 020000: Ethernet
  /** Of a virtual function: the physical one. */
  readonly physicalFunction?: string;
  /** Of a physical function that can have virtual ones. */
  readonly virtualFunctions?: { readonly present: number; readonly possible: number };
}

export interface VirtualFunctionPlace {
  readonly index: number; // as the driver of the physical function counts
  readonly pci: string;
}

export class Sysfs {
  readonly #root: string;

  /** '/sys' but for tests, which make a tree up. */
  constructor(root = '/sys') {
    this.#root = root;
  }

  async addresses(): Promise<string[]> {
    return (await entries(join(this.#root, 'bus/pci/devices'))).toSorted();
  }

  /** Undefined: there is none at that address. */
  async read(pci: string): Promise<PciFunction | undefined> {
    const facts = await this.#text(pci, 'uevent');
    if (facts === undefined) return undefined;
    const type = /^PCI_CLASS=(.*)$/m.exec(facts)?.[1] ?? '';
    const [override, group, physicalFunction, netdevs, virtualFunctions] = await Promise.all([
      this.#text(pci, 'driver_override'),
      this.#target(pci, 'iommu_group'),
      this.#target(pci, 'physfn'),
      this.#list(pci, 'net'),
      this.#numbers(pci),
    ]);
    const known = {
      driver: /^DRIVER=(.*)$/m.exec(facts)?.[1],
      driverOverride: override === '(null)' ? undefined : override || undefined, // as the kernel prints no pointer
      iommuGroup: group === undefined ? undefined : Number(group),
      interface: netdevs[0],
      physicalFunction,
      virtualFunctions,
    };
    const told = Object.entries(known).filter(([, value]) => value !== undefined);
    return { pci, class: type.padStart(6, '0').toLowerCase(), ...Object.fromEntries(told) };
  }

  /** By their index; none of a function that has none. */
  async virtualFunctions(physicalFunction: string): Promise<VirtualFunctionPlace[]> {
    const links = (await this.#list(physicalFunction, '')).flatMap((name) => /^virtfn(\d+)$/.exec(name)?.[1] ?? []);
    const places = links.map(async (index) => {
      const pci = await this.#target(physicalFunction, `virtfn${index}`);
      return pci === undefined ? [] : [{ index: Number(index), pci }];
    });
    return (await Promise.all(places)).flat().toSorted((a, b) => a.index - b.index);
  }

  /** All functions that can only be given away together, this one among them; this one alone without an IOMMU. */
  async groupMembers(pci: string): Promise<string[]> {
    const members = await this.#list(pci, 'iommu_group/devices');
    return members.length === 0 ? [pci] : members.toSorted();
  }

  /** Its interface, if that is in the network namespace that this sysfs is mounted for. */
  async netdevOf(pci: string): Promise<string | undefined> {
    return (await this.#list(pci, 'net'))[0];
  }

  /** Undefined: it is no virtual function, or not there. */
  async physicalFunctionOf(pci: string): Promise<string | undefined> {
    return this.#target(pci, 'physfn');
  }

  async driverOf(pci: string): Promise<string | undefined> {
    return this.#target(pci, 'driver');
  }

  /** That are loaded. */
  async drivers(): Promise<string[]> {
    return entries(join(this.#root, 'bus/pci/drivers'));
  }

  /** Whether there are some, or can be. */
  async hasVirtualFunctions(pci: string): Promise<boolean> {
    return (await this.#text(pci, 'sriov_totalvfs')) !== undefined;
  }

  /** Interfaces above this one: a bridge, a bond, a VLAN (sysfs-class-net: master, upper_*). */
  async uppersOf(netdev: string): Promise<string[]> {
    const names = await entries(join(this.#root, 'class/net', netdev));
    return names.flatMap((name) => /^upper_(.+)$/.exec(name)?.[1] ?? []);
  }

  /** Below the directory of the function. */
  async write(pci: string, file: string, value: string): Promise<void> {
    await this.#write(join(this.#function(pci), file), value, pci);
  }

  /** Below /sys/bus/pci. */
  async writeBus(file: string, value: string): Promise<void> {
    await this.#write(join(this.#root, 'bus/pci', file), value, value);
  }

  async #write(path: string, value: string, subject: string): Promise<void> {
    try {
      // Most of these files may not be opened for reading, and none be made or cut.
      await using file = await open(path, constants.O_WRONLY);
      await file.write(value);
    } catch (cause) {
      throw refused(path, value, subject, cause as NodeJS.ErrnoException);
    }
  }

  #function(pci: string): string {
    return join(this.#root, 'bus/pci/devices', pci);
  }

  async #numbers(pci: string): Promise<PciFunction['virtualFunctions']> {
    const possible = await this.#text(pci, 'sriov_totalvfs');
    if (possible === undefined) return undefined;
    return { present: Number((await this.#text(pci, 'sriov_numvfs')) ?? 0), possible: Number(possible) };
  }

  async #text(pci: string, file: string): Promise<string | undefined> {
    return readFile(join(this.#function(pci), file), 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    );
  }

  async #target(pci: string, link: string): Promise<string | undefined> {
    return readlink(join(this.#function(pci), link)).then(
      (path) => basename(path),
      () => undefined,
    );
  }

  async #list(pci: string, directory: string): Promise<string[]> {
    return entries(join(this.#function(pci), directory));
  }
}

async function entries(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}

function refused(path: string, value: string, subject: string, cause: NodeJS.ErrnoException): CrosswireError {
  const missing = cause.code === 'ENOENT' || cause.code === 'ENODEV';
  const hint =
    cause.code === 'EROFS' || cause.code === 'EACCES'
      ? 'sysfs must be writable: run privileged, with the host’s /sys'
      : undefined;
  return new CrosswireError({
    code: missing ? 'DEVICE_MISSING' : 'DEVICE_REFUSED',
    operation: `write '${value.trim()}' to ${path}`,
    subject,
    reason: cause.message,
    errno: Math.abs(cause.errno ?? 0),
    hint,
    cause,
  });
}
