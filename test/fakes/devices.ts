// SPDX-License-Identifier: Apache-2.0
// A FAKE of the devices of a machine: four virtual functions of one NIC over a FakeKernel, and leases that outlive the
// process. It has no frames, IOMMU groups, refusals of a NIC or delays. onStep works as in FakeDataplane.

import type {
  DeviceOrder,
  Devices,
  DeviceWants,
  LeaseView,
  KernelOrder,
  VfioOrder,
} from '../../src/machine/sriov/devices.ts';
import { type EndName, endNames } from '../../src/model/wire.ts';
import { FakePowerCut } from './dataplane.ts';
import { type FakeInterface, type FakeKernel, refusal } from './kernel.ts';

interface FakeFunction {
  driver: string;
  mac: string;
  vlan: number;
  /** Its interface, while that is in another namespace than the forwarder's. */
  abroad?: FakeInterface | undefined;
}

const original = { driver: 'igbvf', mac: '52:54:00:00:00:01', vlan: 0 };

/** The part that outlives a process. */
export class FakeHardware {
  readonly functions = new Map<string, FakeFunction>();
  readonly leases = new Map<string, LeaseView>();
  generation = 0;

  constructor() {
    for (const at of ['10.0', '10.2', '10.4', '10.6']) this.functions.set(`0000:01:${at}`, { ...original });
  }

  /** The functions that are not in their original state. */
  changed(): string[] {
    const isOriginal = ({ driver, mac, vlan, abroad }: FakeFunction) =>
      driver === original.driver && mac === original.mac && vlan === original.vlan && abroad === undefined;
    const changed = [...this.functions].filter(([, one]) => !isOriginal(one));
    return [
      ...changed.map(([pci, { driver, mac, vlan }]) => JSON.stringify([pci, driver, mac, vlan])),
      ...[...this.leases.values()].map((lease) => JSON.stringify({ ...lease, name: '', generation: 0 })),
    ].sort();
  }
}

export class FakeDevices implements Devices {
  onStep: (step: string) => void = () => {};
  onAstray: (mark: string) => void = () => {};
  readonly #kernel: FakeKernel;
  readonly #hardware: FakeHardware;

  constructor(kernel: FakeKernel, hardware: FakeHardware) {
    this.#kernel = kernel;
    this.#hardware = hardware;
  }

  async choose(wants: DeviceWants, isTaken: (pci: string) => boolean): Promise<Partial<Record<EndName, string>>> {
    const chosen: Partial<Record<EndName, string>> = {};
    const named = endNames.filter((end) => typeof wants[end]?.choice === 'object' && 'pci' in wants[end].choice);
    for (const end of [...named, ...endNames.filter((one) => !named.includes(one))]) {
      const want = wants[end];
      if (!want) continue;
      const { choice, known } = want;
      const isFree = (pci: string) => !isTaken(pci) && !Object.values(chosen).includes(pci);
      const pci =
        typeof choice === 'object' && 'pci' in choice
          ? choice.pci
          : known !== undefined && isFree(known)
            ? known
            : [...this.#hardware.functions.keys()].find(isFree);
      if (pci === undefined || !this.#hardware.functions.has(pci))
        throw refusal('DEVICE_NONE_FREE', end, 'none is free');
      chosen[end] = pci;
    }
    return chosen;
  }

  async listLeases(prefix = ''): Promise<LeaseView[]> {
    return [...this.#hardware.leases.values()].filter(({ mark }) => mark.startsWith(prefix));
  }

  take(order: KernelOrder): Promise<LeaseView> {
    return this.#lend({ ...order, mode: 'kernel' }, () => {
      const one = this.#function(order.pci);
      this.onStep('bind the driver of the kernel');
      one.driver = original.driver;
      this.onStep('move the interface');
      one.abroad = this.#kernel.create(order.namespace.path, order.name, '', order.settings.mac);
      Object.assign(one.abroad, { alias: order.mark, device: order.pci });
    });
  }

  bind(order: VfioOrder): Promise<LeaseView> {
    const { cgroup, ...rest } = order;
    return this.#lend({ ...rest, mode: 'vfio', ...(cgroup === undefined ? {} : { cgroup }) }, () => {
      this.onStep('bind vfio-pci');
      this.#function(order.pci).driver = 'vfio-pci';
    });
  }

  async #lend(order: DeviceOrder & Pick<LeaseView, 'mode'>, hand: () => void): Promise<LeaseView> {
    const { leases } = this.#hardware;
    const { pci, mark, settings } = order;
    if (leases.has(pci)) await this.giveBack(pci, { mark });
    if (leases.has(pci)) throw refusal('DEVICE_LEASED', pci, 'it is lent');
    this.onStep('write the lease');
    const lease: LeaseView = { ...order, generation: ++this.#hardware.generation, isHeld: false, refused: [] };
    leases.set(pci, lease);
    try {
      this.#unbind(pci);
      this.onStep('set mac and vlan');
      Object.assign(this.#function(pci), { mac: settings.mac, vlan: settings.vlan ?? original.vlan });
      hand();
      this.onStep('write that it is held');
      const held = { ...lease, isHeld: true };
      leases.set(pci, held);
      return held;
    } catch (error) {
      if (!(error instanceof FakePowerCut)) await this.giveBack(pci, { mark });
      throw error;
    }
  }

  async giveBack(pci: string, { mark, generation }: { mark: string; generation?: number | undefined }): Promise<void> {
    const lease = this.#hardware.leases.get(pci);
    if (!lease || lease.mark !== mark || (generation !== undefined && lease.generation !== generation)) return;
    this.onStep('write that it goes home');
    this.#hardware.leases.set(pci, { ...lease, isHeld: false });
    this.#unbind(pci);
    this.onStep('restore mac and vlan');
    Object.assign(this.#function(pci), { mac: original.mac, vlan: original.vlan });
    this.onStep('bind the original driver');
    this.#function(pci).driver = original.driver;
    this.onStep('erase the lease');
    this.#hardware.leases.delete(pci);
  }

  async bringBack(pci: string): Promise<void> {
    const lease = this.#hardware.leases.get(pci);
    if (lease) await this.giveBack(pci, lease);
    else this.#unbind(pci);
  }

  watch(onAstray: (mark: string) => void): () => void {
    this.onAstray = onAstray;
    return () => {
      this.onAstray = () => {};
    };
  }

  #unbind(pci: string): void {
    this.onStep('unbind the driver');
    const one = this.#function(pci);
    one.abroad?.home.interfaces.delete(one.abroad.name);
    one.abroad = undefined;
    one.driver = '';
  }

  #function(pci: string): FakeFunction {
    const found = this.#hardware.functions.get(pci);
    if (found) return found;
    throw refusal('DEVICE_MISSING', pci, 'there is no such device');
  }
}
