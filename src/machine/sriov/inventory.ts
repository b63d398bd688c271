// SPDX-License-Identifier: Apache-2.0
// Reads the physical and virtual functions of this machine's NICs. Nothing is cached between two readings.

import type { Dataplane, InterfaceInfo, VirtualFunctionInfo } from '../../dataplane/types.ts';
import {
  type DeviceCounters,
  type DeviceReport,
  type DeviceStatus,
  type Holder,
  type PhysicalFunctionSettings,
  type PhysicalFunctionStatus,
  resourcesOf,
} from '../../model/device-status.ts';
import { routedInterfaces } from './host-routes.ts';
import { isOpen, vfioDriver } from './driver.ts';
import type { PciFunction, Sysfs } from './sysfs.ts';
import { type HostUse, type Neighbour, refusalsOf, sharedGroup } from './usability.ts';

export interface InventorySettings {
  readonly sysfs: Sysfs;
  readonly dataplane: Pick<Dataplane, 'listInterfaces' | 'readVirtualFunctions'>;
  /** The physical functions of the SR-IOV file. Undefined without a file: devices are then lent by address only. */
  readonly allowed: readonly PhysicalFunctionSettings[] | undefined;
  readonly holders: () => Promise<readonly Holder[]>;
  /** '/proc' except in tests. */
  readonly procfs?: string;
  /** The directory of the device nodes of VFIO groups; /dev/vfio by default. */
  readonly vfio?: string;
}

/** The state of the machine at the time of a reading. */
interface Surroundings {
  readonly holders: ReadonlyMap<string, Holder>;
  readonly interfaces: ReadonlyMap<string, InterfaceInfo>; // in this network namespace
  readonly routed: ReadonlySet<string>;
  readonly drivers: ReadonlySet<string>;
}

interface Family {
  readonly parent: PciFunction;
  readonly settings: PhysicalFunctionSettings | undefined;
  readonly children: readonly { readonly index: number; readonly device: PciFunction }[];
}

/** PCI base class 02 is a network controller. Disk and graphics controllers can have virtual functions too. */
export const networkClass = /^02/;
/** Drivers that do not stop an IOMMU group from being used by VFIO (vfio_dev_driver_allowed[] in drivers/vfio/vfio_main.c). */
const harmlessDrivers = [vfioDriver, 'pci-stub', 'pcieport'];

export class Inventory {
  readonly #settings: InventorySettings;

  constructor(settings: InventorySettings) {
    this.#settings = settings;
  }

  async read(): Promise<DeviceReport> {
    const families = await this.#families();
    const around = await this.#surroundings(families);
    const read = await Promise.all(families.map((family) => this.#readFamily(family, families, around)));
    const devices = withGroups(read.flatMap((one) => one.devices));
    const lost = [...around.holders.values()].filter(({ pci }) => !devices.some((one) => one.pci === pci));
    return { physicalFunctions: read.map(({ parent }) => parent), devices, lost };
  }

  async #families(): Promise<Family[]> {
    const { sysfs, allowed } = this.#settings;
    const families = (await sysfs.addresses()).map(async (pci) => {
      if (!(await sysfs.hasVirtualFunctions(pci))) return [];
      const parent = await sysfs.read(pci);
      if (parent === undefined || !networkClass.test(parent.class)) return [];
      const children = (await sysfs.virtualFunctions(pci)).map(async ({ index, pci: address }) => {
        const device = await sysfs.read(address);
        return device === undefined ? [] : [{ index, device }];
      });
      const settings = allowed?.find((one) => one.pci === pci);
      return [{ parent, settings, children: (await Promise.all(children)).flat() }];
    });
    return (await Promise.all(families)).flat();
  }

  async #surroundings(families: readonly Family[]): Promise<Surroundings> {
    const { sysfs, dataplane, holders, procfs } = this.#settings;
    const functions = families.flatMap(({ parent, children }) => [parent, ...children.map(({ device }) => device)]);
    const names = functions.flatMap((one) => one.interface ?? []);
    const interfaces = names.length === 0 ? [] : await dataplane.listInterfaces({ netns: '', names });
    return {
      holders: new Map((await holders()).map((holder) => [holder.pci, holder])),
      interfaces: new Map(interfaces.map((one) => [one.name, one])),
      routed: await routedInterfaces(procfs),
      drivers: new Set(await sysfs.drivers()),
    };
  }

  async #readFamily(
    family: Family,
    families: readonly Family[],
    around: Surroundings,
  ): Promise<{ parent: PhysicalFunctionStatus; devices: DeviceStatus[] }> {
    const { parent, settings, children } = family;
    const problem = this.#problemOf(family, around);
    const resources = settings ? resourcesOf(settings) : [];
    const told = await this.#told(parent, around);
    const counts = [...told.values()].some(({ statistics }) => Object.values(statistics ?? {}).some((one) => one > 0n));
    const devices = children.map(async ({ index, device }): Promise<DeviceStatus> => {
      const holder = around.holders.get(device.pci);
      const refusals = refusalsOf({
        device,
        settings,
        problem,
        isLeased: holder !== undefined,
        hostUse: await this.#hostUse(device, around),
        isOpen: holder === undefined && (await this.#isOpen(device)),
        neighbours: await this.#neighbours(device, families),
        isLoaded: (driver) => around.drivers.has(driver),
      });
      const isUsable = refusals.kernel === undefined || refusals.vfio === undefined;
      const { driver, iommuGroup, interface: name } = device;
      return {
        pci: device.pci,
        physicalFunction: parent.pci,
        index,
        state: holder ? 'leased' : isUsable ? 'free' : 'unusable',
        ...(holder ? { holder } : {}),
        refusals,
        ...(driver === undefined ? {} : { driver }),
        ...(iommuGroup === undefined ? {} : { iommuGroup }),
        ...(name === undefined ? {} : { interface: name }),
        resources,
        ...attributesOf(told.get(index), counts),
      };
    });
    const { virtualFunctions: { present = 0, possible = 0 } = {}, driver, interface: name } = parent;
    return {
      parent: {
        pci: parent.pci,
        ...(driver === undefined ? {} : { driver }),
        ...(name === undefined ? {} : { interface: name }),
        up: around.interfaces.get(name ?? '')?.running ?? false,
        present,
        possible,
        resources,
        ...(problem === undefined ? {} : { problem }),
      },
      devices: await Promise.all(devices),
    };
  }

  #problemOf({ parent, settings }: Family, { interfaces }: Surroundings): string | undefined {
    const { driver = 'no driver', interface: name, pci } = parent;
    if (this.#settings.allowed && !settings) return `its physical function ${pci} is not in the SR-IOV file`;
    if (settings && driver !== settings.pfKernelDriver)
      return `its physical function ${pci} is bound to ${driver}, not to ${settings.pfKernelDriver}`;
    if (name === undefined || !interfaces.has(name))
      return `its physical function ${pci} has no interface in this network namespace`;
    return undefined;
  }

  /** What the driver of the physical function reports of each virtual function, by index. The report may be empty. */
  async #told({ interface: name }: PciFunction, around: Surroundings): Promise<Map<number, VirtualFunctionInfo>> {
    if (name === undefined || !around.interfaces.has(name)) return new Map();
    const told = await this.#settings.dataplane.readVirtualFunctions('', name).catch(() => []);
    return new Map(told.map((one) => [one.index, one]));
  }

  async #hostUse({ interface: name }: PciFunction, around: Surroundings): Promise<HostUse | undefined> {
    if (name === undefined) return undefined;
    const uppers = await this.#settings.sysfs.uppersOf(name);
    const addresses = around.interfaces.get(name)?.addresses ?? [];
    return { addresses, hasRoute: around.routed.has(name), uppers };
  }

  async #isOpen({ driver, iommuGroup }: PciFunction): Promise<boolean> {
    if (driver !== vfioDriver || iommuGroup === undefined) return false;
    return isOpen(`${this.#settings.vfio ?? '/dev/vfio'}/${iommuGroup}`);
  }

  /** Other members of the IOMMU group that have a driver. Virtual functions do not count: they are bound with the group. */
  async #neighbours({ pci, iommuGroup }: PciFunction, families: readonly Family[]): Promise<Neighbour[]> {
    if (iommuGroup === undefined) return [];
    const { sysfs } = this.#settings;
    const children = families.flatMap((family) => family.children);
    const others = (await sysfs.groupMembers(pci)).filter((one) => one !== pci);
    const strangers = others.filter((other) => !children.some(({ device }) => device.pci === other));
    const drivers = await Promise.all(strangers.map((one) => sysfs.driverOf(one)));
    return strangers.flatMap((other, at) => {
      const driver = drivers[at];
      return driver === undefined || harmlessDrivers.includes(driver) ? [] : [{ pci: other, driver }];
    });
  }
}

/** A group is bound as a whole: if the host uses one virtual function of a group, none of the group can be bound. */
function withGroups(devices: readonly DeviceStatus[]): DeviceStatus[] {
  return devices.map((device) => {
    const { iommuGroup, refusals, state } = device;
    if (iommuGroup === undefined || refusals.vfio !== undefined) return device;
    const sharing = devices.filter((one) => one.iommuGroup === iommuGroup && one !== device);
    const other = sharing.find((one) => one.state === 'unusable' && one.driver !== undefined);
    if (!other) return device;
    const vfio = sharedGroup(iommuGroup, other.pci, other.driver ?? '');
    const isFree = state === 'free' && refusals.kernel === undefined;
    return { ...device, refusals: { ...refusals, vfio }, state: state === 'free' && !isFree ? 'unusable' : state };
  });
}

function attributesOf(
  told: VirtualFunctionInfo | undefined,
  counts: boolean,
): Pick<DeviceStatus, 'mac' | 'vlan' | 'trust' | 'spoofCheck' | 'maxRate' | 'counters'> {
  if (told === undefined) return {};
  const { mac, vlan, trust, spoofCheck, maxRate, statistics } = told;
  const known = Object.entries({ mac, vlan, trust, spoofCheck, maxRate }).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(known), ...(statistics && counts ? { counters: seenByWire(statistics) } : {}) };
}

/** The physical function counts as the virtual function sees it: a frame that the function received has left a wire. */
function seenByWire(counted: DeviceCounters): DeviceCounters {
  return {
    rxPackets: counted.txPackets,
    txPackets: counted.rxPackets,
    rxBytes: counted.txBytes,
    txBytes: counted.rxBytes,
    rxDropped: counted.txDropped,
    txDropped: counted.rxDropped,
  };
}
