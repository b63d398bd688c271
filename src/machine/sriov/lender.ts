// SPDX-License-Identifier: Apache-2.0
// Lends the virtual functions of this machine and takes them back. Operations on one device queue behind each other. The
// leases are kept in memory as well as on disk: no other program writes them.

import { CrosswireError } from '../../model/error.ts';
import type { DeviceReport, DeviceStatus, Holder, PhysicalFunctionSettings } from '../../model/device-status.ts';
import type { EndName } from '../../model/wire.ts';
import type { Borrowing } from './borrowing.ts';
import { chooseDevices } from './device-choice.ts';
import type { DeviceOrder, Devices, DeviceWants, LeaseView, KernelOrder, VfioOrder } from './devices.ts';
import { bindDriver, unbindDriver, vfioDriver } from './driver.ts';
import { giveBack } from './give-back.ts';
import { type Lease, leaseFormat } from './lease.ts';
import type { LeaseJournal } from './lease-journal.ts';
import { readOriginal } from './original.ts';
import { chooseDevice, type DeviceMode } from './pools.ts';
import { bindForApplication, requireUp, takeInterface } from './take.ts';
import { LeaseWatcher } from './watcher.ts';

export interface LenderSettings extends Borrowing {
  readonly journal: Pick<LeaseJournal, 'load' | 'nextGeneration' | 'write' | 'erase'>;
  /** Reports all devices, lent or not. */
  readonly inventory: { read(): Promise<DeviceReport> };
  /** The physical functions of the SR-IOV file; undefined without a file. */
  readonly allowed: readonly PhysicalFunctionSettings[] | undefined;
  readonly onCorrupt?: (file: string, reason: string) => void;
}

export class Lender implements Devices {
  readonly #settings: LenderSettings;
  /** Its journal also updates `#leases`. */
  readonly #borrowing: Borrowing;
  readonly #leases = new Map<string, Lease>();
  readonly #queues = new Map<string, Promise<unknown>>();
  #loading: Promise<void> | undefined;

  constructor(settings: LenderSettings) {
    this.#settings = settings;
    const { journal } = settings;
    const write = async (lease: Lease) => {
      await journal.write(lease);
      this.#leases.set(lease.pci, lease);
    };
    const erase = async (pci: string) => {
      await journal.erase(pci);
      this.#leases.delete(pci);
    };
    this.#borrowing = { ...settings, journal: { write, erase } };
  }

  async choose(wants: DeviceWants, isTaken: (pci: string) => boolean): Promise<Partial<Record<EndName, string>>> {
    return chooseDevices(await this.#settings.inventory.read(), wants, isTaken);
  }

  /** The leases in brief, for the inventory. */
  async holders(): Promise<Holder[]> {
    await this.#load();
    return [...this.#leases.values()].map(({ pci, state, mark }) => {
      const [, , wire = mark, end] = mark.split('/');
      return { pci, state, wire, end: end === 'endpoint' ? end : 'client' };
    });
  }

  async listLeases(prefix = ''): Promise<LeaseView[]> {
    await this.#load();
    const leases = [...this.#leases.values()].filter(({ mark }) => mark.startsWith(prefix));
    return Promise.all(leases.map((lease) => this.#viewOf(lease)));
  }

  take(order: KernelOrder): Promise<LeaseView> {
    return this.#lend(order, 'kernel', { namespace: order.namespace }, (lease, device) =>
      takeInterface(this.#borrowing, lease, order, this.#driverFor(device)),
    );
  }

  bind(order: VfioOrder): Promise<LeaseView> {
    const { cgroup } = order;
    return this.#lend(order, 'vfio', cgroup === undefined ? {} : { cgroup }, (lease, device) =>
      bindForApplication(this.#borrowing, lease, device.iommuGroup ?? -1),
    );
  }

  giveBack(pci: string, { mark, generation }: { mark: string; generation?: number | undefined }): Promise<void> {
    return this.#queued(pci, async () => {
      const lease = this.#leases.get(pci);
      if (lease?.mark !== mark || (generation !== undefined && lease.generation !== generation)) return;
      await this.#return(lease);
    });
  }

  async bringBack(pci: string): Promise<void> {
    const lease = (await this.listLeases()).find((one) => one.pci === pci);
    if (lease) return this.giveBack(pci, lease);
    const { sysfs, nodes } = this.#settings;
    return this.#queued(pci, async () => {
      const { driver, driverOverride, physicalFunction } = (await sysfs.read(pci)) ?? {};
      if (physicalFunction === undefined || driver === undefined) return; // not a virtual function, so not ours
      await unbindDriver(sysfs, pci, { vfio: nodes });
      await bindDriver(sysfs, pci, driver, driverOverride);
    });
  }

  watch(onAstray: (mark: string) => void): () => void {
    const leases = () => [...this.#leases.values()];
    const watcher = new LeaseWatcher({ borrowing: this.#settings, leases, onAstray });
    watcher.start();
    return () => watcher.stop();
  }

  #lend(
    order: DeviceOrder,
    mode: DeviceMode,
    more: Pick<Lease, 'namespace' | 'cgroup'>,
    hand: (lease: Lease, device: DeviceStatus) => Promise<Lease>,
  ): Promise<LeaseView> {
    const { pci, mark, settings } = order;
    const { inventory, journal } = this.#settings;
    return this.#queued(pci, async () => {
      const before = this.#leases.get(pci);
      if (before?.mark === mark) await this.#return(before);
      const device = chooseDevice(await inventory.read(), { pci }, mode);
      await requireUp(this.#settings, device);
      const was = await readOriginal(this.#settings, device, mode === 'vfio');
      const { physicalFunction, index } = device;
      const generation = await journal.nextGeneration();
      const about = { pci, generation, mark, mode, settings, ...more, physicalFunction, index };
      const lease: Lease = { format: leaseFormat, ...about, ...was, state: 'taking', refused: [] };
      await this.#borrowing.journal.write(lease);
      try {
        return await this.#viewOf(await hand(lease, device));
      } catch (error) {
        // If restoring fails, the lease remains, and restoring is tried again later.
        await this.#return(this.#leases.get(pci) ?? lease).catch(() => {});
        throw error;
      }
    });
  }

  async #return(lease: Lease): Promise<void> {
    await giveBack(this.#borrowing, lease);
  }

  async #viewOf(lease: Lease): Promise<LeaseView> {
    const { pci, mark, generation, mode, settings, namespace, cgroup, state, refused, group, nodes } = lease;
    const isBound = mode === 'kernel' || (await this.#settings.sysfs.driverOf(pci)) === vfioDriver;
    return {
      pci,
      mark,
      generation,
      mode,
      settings,
      isHeld: state === 'held' && isBound,
      refused,
      ...(namespace ? { namespace } : {}),
      ...(cgroup === undefined ? {} : { cgroup }),
      ...(group === undefined || nodes === undefined ? {} : { vfio: { group, nodes } }),
    };
  }

  /** The driver that gives the device an interface. */
  #driverFor({ pci, physicalFunction, driver }: DeviceStatus): string {
    const settings = this.#settings.allowed?.find((one) => one.pci === physicalFunction);
    const name = settings?.vfKernelDriver ?? driver;
    if (name !== undefined && name !== vfioDriver) return name;
    const reason = 'which driver makes an interface of it is not known';
    const hint = 'name it in the SR-IOV file: vfKernelDriver';
    throw new CrosswireError({ code: 'DRIVER_MISSING', operation: 'take the device', subject: pci, reason, hint });
  }

  async #queued<T>(pci: string, job: () => Promise<T>): Promise<T> {
    await this.#load();
    const result = (this.#queues.get(pci) ?? Promise.resolve()).then(job);
    const settled = result.catch(() => {});
    this.#queues.set(pci, settled);
    void settled.then(() => {
      if (this.#queues.get(pci) === settled) this.#queues.delete(pci);
    });
    return result;
  }

  #load(): Promise<void> {
    this.#loading ??= this.#read();
    return this.#loading;
  }

  async #read(): Promise<void> {
    const { leases, corrupt } = await this.#settings.journal.load();
    for (const lease of leases) this.#leases.set(lease.pci, lease);
    for (const { file, reason } of corrupt) this.#settings.onCorrupt?.(file, reason);
  }
}
