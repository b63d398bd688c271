// SPDX-License-Identifier: Apache-2.0
// Reads and writes PCI functions in sysfs: Documentation/ABI/testing/sysfs-bus-pci and sysfs-kernel-iommu_groups. Nothing
// is cached.

import { constants } from 'node:fs';
import { open, readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CrosswireError } from '../../model/error.ts';

export interface PciFunction {
  readonly pci: string; // address, 0000:01:10.0
  readonly driver?: string;
  /** The only driver that may bind to the function; absent: any driver that supports it. */
  readonly driverOverride?: string;
  readonly iommuGroup?: number;
  /** The function's interface, if it is in the network namespace of this sysfs mount. */
  readonly interface?: string;
  readonly class: string; // 020000: Ethernet
  /** The physical function of a virtual function. */
  readonly physicalFunction?: string;
  /** The numbers of virtual functions of a physical function. */
  readonly virtualFunctions?: { readonly present: number; readonly possible: number };
}

export interface VirtualFunctionPlace {
  readonly index: number; // the virtual function's number at its physical function
  readonly pci: string;
}

export class Sysfs {
  readonly #root: string;

  /** `root` is '/sys' except in tests, which make a tree of their own. */
  constructor(root = '/sys') {
    this.#root = root;
  }

  async addresses(): Promise<string[]> {
    return (await entries(join(this.#root, 'bus/pci/devices'))).toSorted();
  }

  /** Undefined if there is no function at the address. */
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
      driverOverride: override === '(null)' ? undefined : override || undefined, // how the kernel prints a null pointer
      iommuGroup: group === undefined ? undefined : Number(group),
      interface: netdevs[0],
      physicalFunction,
      virtualFunctions,
    };
    const told = Object.entries(known).filter(([, value]) => value !== undefined);
    return { pci, class: type.padStart(6, '0').toLowerCase(), ...Object.fromEntries(told) };
  }

  /** The virtual functions of a physical function, in the order of their indexes. */
  async virtualFunctions(physicalFunction: string): Promise<VirtualFunctionPlace[]> {
    const links = (await this.#list(physicalFunction, '')).flatMap((name) => /^virtfn(\d+)$/.exec(name)?.[1] ?? []);
    const places = links.map(async (index) => {
      const pci = await this.#target(physicalFunction, `virtfn${index}`);
      return pci === undefined ? [] : [{ index: Number(index), pci }];
    });
    return (await Promise.all(places)).flat().toSorted((a, b) => a.index - b.index);
  }

  /** All functions of the IOMMU group, including this one; without an IOMMU, this one alone. */
  async groupMembers(pci: string): Promise<string[]> {
    const members = await this.#list(pci, 'iommu_group/devices');
    return members.length === 0 ? [pci] : members.toSorted();
  }

  /** The function's interface, if it is in the network namespace of this sysfs mount. */
  async netdevOf(pci: string): Promise<string | undefined> {
    return (await this.#list(pci, 'net'))[0];
  }

  /** Undefined if there is no such function, or it is not a virtual one. */
  async physicalFunctionOf(pci: string): Promise<string | undefined> {
    return this.#target(pci, 'physfn');
  }

  async driverOf(pci: string): Promise<string | undefined> {
    return this.#target(pci, 'driver');
  }

  /** The PCI drivers that are loaded. */
  async drivers(): Promise<string[]> {
    return entries(join(this.#root, 'bus/pci/drivers'));
  }

  /** Whether the function has, or can have, virtual functions. */
  async hasVirtualFunctions(pci: string): Promise<boolean> {
    return (await this.#text(pci, 'sriov_totalvfs')) !== undefined;
  }

  /** Interfaces above this one: a bridge, a bond, a VLAN (sysfs-class-net: master, upper_*). */
  async uppersOf(netdev: string): Promise<string[]> {
    const names = await entries(join(this.#root, 'class/net', netdev));
    return names.flatMap((name) => /^upper_(.+)$/.exec(name)?.[1] ?? []);
  }

  /** Writes to a file in the directory of the function. */
  async write(pci: string, file: string, value: string): Promise<void> {
    await this.#write(join(this.#function(pci), file), value, pci);
  }

  /** Writes to a file in /sys/bus/pci. */
  async writeBus(file: string, value: string): Promise<void> {
    await this.#write(join(this.#root, 'bus/pci', file), value, value);
  }

  async #write(path: string, value: string, subject: string): Promise<void> {
    try {
      // Most of these files cannot be opened for reading, and none can be created or truncated.
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
