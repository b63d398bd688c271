// SPDX-License-Identifier: Apache-2.0
// Performs the actions of one wire's plan.

import type { Dataplane, InterfaceChange } from '../../dataplane/types.ts';
import { uplinkMark } from '../../machine/marks.ts';
import type { Devices, LeaseView } from '../../machine/sriov/devices.ts';
import { CrosswireError } from '../../model/error.ts';
import type { Action } from '../../plan/action.ts';
import { newborn } from '../../plan/planner.ts';
import type { Device, InterfaceState } from '../../plan/state.ts';
import { describe } from '../../plan/words.ts';
import type { WireEntry } from '../wanted/entry.ts';
import {
  changes,
  engineWireRequest,
  linkRequest,
  tapRequest,
  tunnelRequest,
  vethSide,
  vlanRequest,
} from './requests.ts';

export class Executor {
  readonly #dataplane: Dataplane;
  readonly #devices: Devices | undefined;
  readonly #entry: WireEntry;

  constructor(dataplane: Dataplane, devices: Devices | undefined, entry: WireEntry) {
    this.#dataplane = dataplane;
    this.#devices = devices;
    this.#entry = entry;
  }

  get wire(): string {
    return this.#entry.name;
  }

  /** A veth pair has a carrier once both sides are up, but the kernel updates the first side later. Setting it up again
   *  updates it at once, so that the first frame is not lost. */
  async settleCarriers(actions: readonly Action[]): Promise<void> {
    const raised = actions.flatMap((action) =>
      action.kind === 'changeInterface' && action.to.up && !action.from.up ? [action.to] : [],
    );
    for (const { namespace, name, alias } of raised.slice(0, -1)) {
      await this.#dataplane.changeInterface({ netns: namespace.path, name, alias, up: true });
    }
  }

  /** Carries on past failures: for undoing and for removal. */
  async runAnyway(actions: readonly Action[]): Promise<CrosswireError[]> {
    const errors: CrosswireError[] = [];
    for (const action of actions) {
      try {
        await this.perform(action);
      } catch (error) {
        errors.push(explained(error, action));
      }
    }
    return errors;
  }

  async perform(action: Action): Promise<void> {
    const { meter } = this.#entry;
    switch (action.kind) {
      case 'createVethPair':
        return this.#createVethPair(action.client, action.endpoint);
      case 'createInterface':
        await this.#create(action.interface);
        return this.#finish([action.interface]);
      case 'removeVethPair':
        await this.#readOnceMore();
        await this.#delete(action.client);
        meter.forget(action.client);
        return meter.forget(action.endpoint);
      case 'removeInterface':
        await this.#readOnceMore();
        await this.#delete(action.interface);
        return meter.forget(action.interface);
      case 'takeDevice':
        await this.#take(action.interface);
        return this.#finish([action.interface]);
      case 'returnDevice':
        await this.#readOnceMore();
        await this.#giveBack(action.interface.device, action.interface.alias);
        return meter.forget(action.interface);
      case 'bindDevice': {
        const { device, alias: mark, cgroup } = action.device;
        const { pci, ...settings } = device;
        return this.#hold(await this.#lender.bind({ pci, mark, settings, cgroup }));
      }
      case 'unbindDevice':
        return this.#giveBack(action.device.device, action.device.alias);
      case 'changeInterface':
        await this.#change(changes(action.from, action.to), () => changes(action.to, action.from));
        return meter.rename(action.from, action.to);
      case 'startEngineWire': {
        const id = await this.#dataplane.startWire(engineWireRequest(action.engine));
        this.#entry.engine = { id, state: action.engine };
        return meter.watchEngine(id);
      }
      case 'stopEngineWire':
        return this.stopEngine();
      case 'replaceEngineEnd':
        return this.#replaceEnd(action);
    }
  }

  #create(state: InterfaceState): Promise<void> {
    if (state.uplink) return this.#dataplane.createVlan(vlanRequest(state));
    if (state.tunnel) return this.#dataplane.createTunnel(tunnelRequest(state));
    return this.#dataplane.createTap(tapRequest(state));
  }

  get #lender(): Devices {
    if (this.#devices) return this.#devices;
    throw new Error('there are no devices');
  }

  async #take({ device, alias: mark, namespace, name, mtu }: InterfaceState): Promise<void> {
    if (!device) throw new Error(`the interface ${name} has no device`);
    const { pci, ...settings } = device;
    this.#hold(await this.#lender.take({ pci, mark, settings, namespace, name }));
    try {
      await this.#dataplane.changeInterface({ netns: namespace.path, name, alias: mark, mtu });
    } catch (error) {
      await this.#giveBack(device, mark).catch(() => {}); // if that fails, the lease finds it
      throw error;
    }
  }

  #hold(lease: LeaseView): void {
    this.#entry.leases = [...this.#entry.leases.filter(({ pci }) => pci !== lease.pci), lease];
  }

  async #giveBack(device: Device | undefined, mark: string): Promise<void> {
    if (!device) return;
    const held = this.#entry.leases.find(({ pci }) => pci === device.pci);
    await this.#lender.giveBack(device.pci, { mark, generation: held?.generation });
    this.#entry.leases = this.#entry.leases.filter((one) => one !== held);
  }

  async stopEngine(): Promise<void> {
    const { engine, meter } = this.#entry;
    if (!engine) return;
    await this.#readOnceMore();
    await this.#dataplane.stopWire(engine.id);
    this.#entry.engine = undefined;
    meter.watchEngine(undefined);
  }

  /** A failure loses some counts, and must not prevent a removal. */
  async #readOnceMore(): Promise<void> {
    await this.#entry.meter.refresh(this.#dataplane).catch(() => {});
  }

  async #replaceEnd({ end, to }: Extract<Action, { kind: 'replaceEngineEnd' }>): Promise<void> {
    const { engine } = this.#entry;
    if (!engine) throw new Error('there is no engine wire');
    await this.#dataplane.replaceEnd(engine.id, end, linkRequest(to));
    engine.state = { ...engine.state, [end]: to };
  }

  async #createVethPair(client: InterfaceState, endpoint: InterfaceState): Promise<void> {
    await this.#dataplane.createVethPair(vethSide(client), vethSide(endpoint));
    await this.#finish([client, endpoint]);
  }

  /** Configures a new interface: one that undoing makes again gets its whole configuration. */
  async #finish(states: readonly InterfaceState[]): Promise<void> {
    try {
      for (const state of states) await this.#change(changes(newborn(state), state), () => []);
    } catch (error) {
      for (const state of states) await this.#delete(state).catch(() => {});
      throw error;
    }
    for (const state of states) this.#entry.meter.watch(state);
  }

  /** Deleting the uplink below an interface deletes the interface in the same step. */
  async #delete({ namespace, name, alias, device, uplink }: InterfaceState): Promise<void> {
    if (uplink?.name && (await this.#dataplane.deleteInterface('', uplink.name, uplinkMark(alias)))) return;
    try {
      if (device) return await this.#giveBack(device, alias);
      await this.#dataplane.deleteInterface(namespace.path, name, alias);
    } catch (error) {
      if (!(error instanceof CrosswireError) || error.code !== 'NAMESPACE_MISSING') throw error;
    }
  }

  async #change(steps: readonly InterfaceChange[], back: () => readonly InterfaceChange[]): Promise<void> {
    const [first, ...rest] = steps;
    if (first && !isEmpty(first)) await this.#dataplane.changeInterface(first);
    try {
      for (const step of rest) await this.#dataplane.changeInterface(step);
    } catch (error) {
      // The interface is down under its old name, so it is restored without a rename.
      for (const { rename: _, ...step } of back())
        await this.#dataplane.changeInterface({ ...step, name: first?.name ?? step.name }).catch(() => {});
      throw error;
    }
  }
}

export function isReturn({ kind }: Action): boolean {
  return kind === 'returnDevice' || kind === 'unbindDevice';
}

function isEmpty(change: InterfaceChange): boolean {
  return Object.keys(change).every((key) => ['netns', 'name', 'alias'].includes(key));
}

export function explained(cause: unknown, action: Action): CrosswireError {
  const known = cause instanceof CrosswireError ? cause : undefined;
  return new CrosswireError({
    code: known?.code ?? 'INTERNAL',
    operation: describe(action),
    subject: '',
    reason: cause instanceof Error ? cause.message : String(cause),
    errno: known?.errno ?? 0,
    cause,
  });
}
