// SPDX-License-Identifier: Apache-2.0
// Makes wires what is wanted: observe, plan, journal, act, journal. The caller holds their queues.

import type { Dataplane } from '../../dataplane/types.ts';
import { markOf, markPrefix, parseMark, temporaryName } from '../../machine/marks.ts';
import { isSame } from '../../machine/namespaces.ts';
import { findInterfaces, removeFound } from '../../machine/observation.ts';
import type { Devices } from '../../machine/sriov/devices.ts';
import { CrosswireError } from '../../model/error.ts';
import type { WireOwner } from '../../model/status.ts';
import { type EndName, endNames } from '../../model/wire.ts';
import type { Wire } from '../../wire/wire.ts';
import { tunnelReach } from '../../wire/mechanisms/index.ts';
import type { Action } from '../../plan/action.ts';
import { compile } from '../../plan/compile.ts';
import { plan } from '../../plan/planner.ts';
import { groupByResources, planTogether } from '../../plan/together.ts';
import {
  type InterfaceState,
  type NameChoice,
  type Namespace,
  nothing,
  type Tunnel,
  type WireState,
} from '../../plan/state.ts';
import type { DeviceChooser } from '../wanted/device-choice.ts';
import type { DescriptorBudget } from './descriptor-budget.ts';
import type { WireEntry } from '../wanted/entry.ts';
import { asCrosswireError } from './errors.ts';
import { Executor } from './executor.ts';
import type { Journal } from '../store/journal.ts';
import { assess, type Observation, observe } from '../look/observation.ts';
import {
  interfacePlaces,
  type JournalRecord,
  journalFormat,
  type ResolvedWire,
  resolvedWireOf,
  resolvedWiresOf,
  uplinksOf,
} from '../store/record.ts';
import { type Finders, placesOf, Resolver, type Resolving } from './resolver.ts';
import { type ExecutorStep, type Failure, run } from './steps.ts';
import type { Survey } from '../look/survey.ts';
import { sameValue } from '../store/values.ts';

export interface ReconcilerParts extends Finders {
  readonly dataplane: Dataplane;
  readonly journal: Journal;
  readonly descriptors: DescriptorBudget;
  readonly node: string;
  readonly devices: Devices | undefined;
  readonly chooser: DeviceChooser;
}

/** The change of one wire. The changes of one call are made in one step. */
export interface Change {
  readonly entry: WireEntry;
  readonly target: ResolvedWire;
  readonly owner: WireOwner;
}

/** The result of a change. */
export interface Brought {
  readonly actions: readonly Action[];
  readonly changed: boolean;
}

/** A change with all that its plan needs. */
interface Prepared extends Change {
  readonly executor: Executor;
  readonly before: JournalRecord | undefined;
  readonly observed: WireState;
  readonly names: NameChoice;
  readonly together: readonly string[] | undefined;
}

export class Reconciler {
  readonly #parts: ReconcilerParts;
  readonly #resolver: Resolver;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
    this.#resolver = new Resolver(parts);
  }

  resolve(wire: Wire, how?: Resolving): Promise<ResolvedWire> {
    return this.#resolver.resolve(wire, how);
  }

  isInPlace(entry: WireEntry, finders?: Finders): Promise<boolean> {
    return this.#resolver.isInPlace(entry, finders);
  }

  /** Whether a survey shows the wire as it is wanted, with nothing left to do. */
  async isAsWanted(entry: WireEntry, survey: Survey): Promise<boolean> {
    const { name, wire, record } = entry;
    if (record?.phase !== 'applied' || record.wire !== wire) return false;
    const now = await this.resolve(wire, { before: record, finders: survey }).catch(() => undefined);
    if (!now || !samePlaces(now, record) || now.deviceMtu !== record.deviceMtu) return false;
    const wanted = this.compile(record);
    const found = await survey.take(name, distinct(interfacePlaces(now)));
    const { node, devices } = this.#parts;
    const leases = (await devices?.listLeases(markPrefix(node, name))) ?? [];
    const observation = assess(found, { node, name, wanted: wanted.interfaces, leases });
    const state = stateOf({ ...observation, devices: observation.bound, engine: entry.engine });
    if (!isTidy(observation) || plan(state, wanted, chooseNames()).length > 0) return false;
    remember(entry, observation);
    return true;
  }

  compile({ wire, ...known }: ResolvedWire): WireState {
    const { node } = this.#parts;
    const alias = (end: EndName) => markOf(node, wire.name, end);
    return compile(wire, { node, ...known, alias });
  }

  async observe(entry: WireEntry, target: ResolvedWire | undefined): Promise<Observation> {
    const observer = { ...this.#parts, compile: (resolved: ResolvedWire) => this.compile(resolved) };
    return observe(observer, entry.name, entry.record, target);
  }

  /** Asks the tunnel of a wire that has sessions when it last heard of its other side. */
  async listen(entry: WireEntry): Promise<void> {
    const devices = entry.interfaces.filter(({ tunnel }) => tunnel && hasSessions(tunnel));
    for (const { end, namespace, name } of devices) {
      const found = { namespaces: [namespace], names: [name], details: false };
      const [one] = await findInterfaces(this.#parts.dataplane, found);
      const lookedAt = Math.floor(Date.now() / 1000);
      entry.heard = { [end]: one?.info.tunnel?.handshake ?? 0, lookedAt };
    }
  }

  /** Groups the changes that take resources from each other. */
  group<C extends Change>(changes: readonly C[]): C[][] {
    if (changes.length === 1 || changes.every(({ entry }) => !entry.record)) return changes.map((one) => [one]);
    const resources = changes.map(({ entry, target }) => ({
      before: resolvedWiresOf(entry.record).map((one) => this.#compiled(one)),
      after: this.#compiled(target),
    }));
    return groupByResources(resources).map((group) => group.map((at) => changes[at] as C));
  }

  /** A wire that cannot be compiled has no resources here; planning it fails later. */
  #compiled(resolved: ResolvedWire): WireState {
    try {
      return this.compile(resolved);
    } catch {
      return nothing;
    }
  }

  /** On failure undoes everything and rejects; the entries hold what exists then. */
  async bring(changes: readonly Change[]): Promise<Brought[]> {
    const prepared = await Promise.all(
      changes.map(async (change) => {
        const observation = await this.#observeWhole(change.entry, change.target);
        refuseTaken(observation, this.#parts.node, changes);
        remember(change.entry, observation);
        return this.#prepare(change, changes, stateOf(change.entry));
      }),
    );
    const { steps, brought } = this.#plan(prepared);
    if (steps.length > 0) await this.#perform(prepared, steps);
    else await Promise.all(prepared.map((one, at) => this.#writeApplied(one, brought[at] as Brought)));
    for (const { entry, target, owner } of changes) Object.assign(entry, { wire: target.wire, owner });
    return brought;
  }

  /** The results of `bring`, without acting. Rejects as `bring` would. */
  async preview(changes: readonly Change[]): Promise<Brought[]> {
    const prepared = await Promise.all(
      changes.map(async (change) => {
        const observation = await this.observe(change.entry, change.target);
        refuseTaken(observation, this.#parts.node, changes);
        const observed = stateOf({ ...observation, devices: observation.bound, engine: change.entry.engine });
        return this.#prepare(change, changes, observed);
      }),
    );
    return this.#plan(prepared).brought;
  }

  #prepare(change: Change, changes: readonly Change[], observed: WireState): Prepared {
    const { entry } = change;
    const together = changes.length > 1 ? changes.map((one) => one.entry.name) : undefined;
    const [before, executor, names] = [entry.record, this.#executor(entry), chooseNames()];
    return { ...change, executor, before, observed, names, together };
  }

  #plan(prepared: readonly Prepared[]) {
    const steps = planTogether(prepared.map(({ target, ...one }) => ({ ...one, wanted: this.compile(target) }))).map(
      ({ at, action }) => ({ executor: (prepared[at] as Prepared).executor, action }),
    );
    const brought = prepared.map((one): Brought => {
      const actions = steps.flatMap(({ executor, action }) => (executor === one.executor ? [action] : []));
      this.#parts.descriptors.require(one.entry.name, actions);
      return { actions, changed: actions.length > 0 || !isSameRecord(one.before, this.#record(one, 'applied')) };
    });
    return { steps, brought };
  }

  /** Removes everything of the wire and, if nothing failed, its record. Carries on past failures. */
  async takeAway(entry: WireEntry): Promise<CrosswireError[]> {
    const errors: CrosswireError[] = [];
    const attempt = async (step: () => Promise<unknown>) => {
      try {
        await step();
      } catch (error) {
        errors.push(asCrosswireError(error, 'remove the wire', entry.name));
      }
    };
    const executor = this.#executor(entry);
    await attempt(async () => {
      const looking = this.observe(entry, undefined); // by the record of the wire as it stands
      const observation = await looking.finally(() => this.#announceRemoval(entry));
      remember(entry, observation);
      errors.push(...(await executor.runAnyway(plan(stateOf(entry), nothing, chooseNames()))));
      await this.#clear(observation);
      await this.#sweepRules(entry);
      await this.#sweepUplinks(entry);
    });
    if (errors.length > 0) return errors;
    await attempt(() => this.#erase(entry));
    return errors;
  }

  /** Rules of policy routing outlive an interface that somebody else removed; deleting the interface again removes them. */
  async #sweepRules({ record, wire }: WireEntry): Promise<void> {
    for (const end of endNames) {
      const { mechanism } = wire[end];
      if (mechanism.type !== 'kernel' || !mechanism.policies) continue;
      const known = record?.namespaces[end];
      const place = known && (await this.#parts.finder.findAgain(known));
      const alias = markOf(this.#parts.node, wire.name, end);
      if (place) await this.#parts.dataplane.deleteInterface(place.path, mechanism.interface, alias).catch(() => {});
    }
  }

  /** Removes macvlans whose upper interface went with its namespace. */
  async #sweepUplinks({ record }: WireEntry, inUse: readonly InterfaceState[] = []): Promise<void> {
    const uplinks = resolvedWiresOf(record).flatMap((resolved) => uplinksOf(resolved, this.#parts.node));
    const left = uplinks.filter(({ name }) => !inUse.some(({ uplink }) => uplink?.name === name));
    for (const { name, mark } of left) await this.#parts.dataplane.deleteInterface('', name, mark);
  }

  /** A full disk must not prevent a removal; then only a crash would leave it unfinished. */
  async #announceRemoval(entry: WireEntry): Promise<void> {
    const { record } = entry;
    if (record && record.phase !== 'removing')
      await this.#write(entry, { ...record, phase: 'removing' }).catch(() => {});
  }

  /** Stops the engine wire, so that it does not keep alive a namespace that has ended for everybody else. */
  async letGo(entry: WireEntry): Promise<void> {
    entry.interfaces = [];
    await this.#executor(entry).stopEngine();
    const places = entry.record ? interfacePlaces(entry.record) : [];
    const reachable = await Promise.all(places.map((one) => this.#parts.finder.findAgain(one)));
    if (reachable.every((one) => one === undefined)) await this.#sweepUplinks(entry);
  }

  /** Removes strays and observes again: removing one side of a veth pair removes the other. */
  async #observeWhole(entry: WireEntry, target: ResolvedWire): Promise<Observation> {
    const first = await this.observe(entry, target);
    await this.#clear(first);
    await this.#sweepUplinks(entry, first.interfaces);
    return isTidy(first) ? first : this.observe(entry, target);
  }

  /** Gives back devices that left their place first: the lease restores a device that is among the strays. */
  async #clear({ strays, astray }: Observation): Promise<void> {
    const { dataplane, devices } = this.#parts;
    for (const one of astray) await devices?.giveBack(one.pci, one);
    const [error] = await removeFound(
      dataplane,
      strays.filter(({ info }) => !astray.some(({ pci }) => pci === info.device)),
      devices,
    );
    if (error) throw error;
  }

  /** Gives back the device of an end whose namespace has gone. */
  async bringHome(entry: WireEntry): Promise<void> {
    const { devices, node } = this.#parts;
    const leases = (await devices?.listLeases(markPrefix(node, entry.name))) ?? [];
    if (leases.length === 0) return;
    const observation = await this.observe(entry, undefined);
    await this.#clear({ ...observation, strays: [] });
  }

  #executor(entry: WireEntry): Executor {
    return new Executor(this.#parts.dataplane, this.#parts.devices, entry);
  }

  async #perform(prepared: readonly Prepared[], steps: readonly ExecutorStep[]): Promise<void> {
    const applying = prepared.map((one) => this.#record(one, 'applying'));
    const change = await this.#announce(prepared, applying);
    const failure = await run(steps, async () => {
      for (const one of prepared) await this.#write(one.entry, this.#record(one, 'applied'));
    });
    for (const [at, one] of prepared.entries()) {
      if (failure) await this.#restoreRecord(one, applying[at] as JournalRecord, failure);
      else this.#settle(one);
    }
    // If the file stays, the next start sees that the change is over.
    if (change !== undefined) await this.#parts.journal.end(change).catch(() => {});
    if (failure) throw failure.error;
  }

  /** Journals the changes before the first action; several become durable together. */
  async #announce(prepared: readonly Prepared[], applying: readonly JournalRecord[]): Promise<string | undefined> {
    const [first, ...others] = applying;
    if (first && others.length === 0) await this.#parts.journal.write(first);
    const change = others.length === 0 ? undefined : await this.#parts.journal.begin(applying);
    for (const [at, { entry }] of prepared.entries()) entry.record = applying[at];
    return change;
  }

  #settle({ entry, target }: Prepared): void {
    const { interfaces, devices = [] } = this.compile(target);
    entry.interfaces = interfaces;
    entry.devices = devices;
    entry.running = {};
    entry.heard = {};
    entry.meter.settle(entry.interfaces);
  }

  async #writeApplied(one: Prepared, { changed }: Brought): Promise<void> {
    const isNeeded = changed || one.before?.owner !== one.owner;
    if (isNeeded) await this.#write(one.entry, this.#record(one, 'applied'));
  }

  /** After a failure, restores the record from before. If the undo was incomplete, the record also says where parts may be. */
  async #restoreRecord(
    { entry, before, executor }: Prepared,
    applying: JournalRecord,
    failure: Failure,
  ): Promise<void> {
    const left = failure.unclean.has(executor) ? applying : undefined;
    // The engine wire may be incomplete, too: the next attempt starts it again on what it finds.
    if (left) await executor.stopEngine().catch(() => {});
    try {
      if (before) {
        const { names, together } = applying;
        const previous = left && [...resolvedWiresOf(before), resolvedWireOf(left)];
        await this.#write(entry, left ? { ...before, phase: 'applying', names, together, previous } : before);
      } else if (left) {
        await this.#write(entry, { ...left, phase: 'removing' });
      } else {
        await this.#erase(entry);
      }
    } catch {
      // The record of the attempt stays: the next observation finds everything by it. A new wire is then removed.
      if (!before && entry.record) entry.record = { ...entry.record, phase: 'removing' };
    }
  }

  async #write(entry: WireEntry, record: JournalRecord): Promise<void> {
    await this.#parts.journal.write(record);
    entry.record = record;
  }

  async #erase(entry: WireEntry): Promise<void> {
    await this.#parts.journal.erase(entry.name);
    entry.record = undefined;
  }

  #record({ entry, target, owner, before, names, together }: Prepared, phase: 'applying' | 'applied'): JournalRecord {
    const record: JournalRecord = {
      format: journalFormat,
      phase,
      createdAt: entry.createdAt,
      owner,
      ...resolvedWireOf(target),
    };
    return phase === 'applied' ? record : { ...record, names, together, previous: resolvedWiresOf(before) };
  }
}

function hasSessions({ kind }: Tunnel): boolean {
  return tunnelReach(kind).sessionSeconds !== undefined;
}

/** Whether the wire is the same, whoever owns it. */
function isSameRecord(one: JournalRecord | undefined, other: JournalRecord): boolean {
  return one !== undefined && sameValue({ ...one, owner: '' }, { ...other, owner: '' });
}

/** A name that another of these wires holds is not taken: that wire gives it up first. */
function refuseTaken({ taken }: Observation, node: string, changes: readonly Change[]): void {
  const isGivenUp = (alias: string) => changes.some(({ entry }) => entry.name === parseMark(node, alias)?.wire);
  const foreign = taken.find(({ info }) => !isGivenUp(info.alias));
  if (!foreign) return;
  const { info, namespace } = foreign;
  throw new CrosswireError({
    code: 'INTERFACE_TAKEN',
    operation: 'name the interface',
    subject: `${info.name} in ${namespace.path}`,
    reason: info.alias
      ? `one of that name is there and belongs to '${info.alias}'`
      : 'one of that name is there and is not ours',
    hint: 'choose another name, or remove that interface',
  });
}

/** Whether nothing is in a wrong place. */
function isTidy({ strays, astray }: Observation): boolean {
  return strays.length === 0 && astray.length === 0;
}

function remember(entry: WireEntry, { interfaces, bound, leases, running, handshakes }: Observation): void {
  entry.interfaces = interfaces;
  entry.devices = bound;
  entry.leases = leases;
  entry.running = running;
  entry.heard = { ...handshakes, lookedAt: Math.floor(Date.now() / 1000) };
  entry.meter.settle(interfaces);
}

function samePlaces(a: ResolvedWire, b: ResolvedWire): boolean {
  const others = placesOf(b);
  return placesOf(a).every((one, at) => {
    const other = others[at];
    return one && other ? one.path === other.path && isSame(one, other) : one === other;
  });
}

function distinct(places: readonly Namespace[]): Namespace[] {
  return places.filter((one, at) => places.findIndex((other) => isSame(one, other)) === at);
}

function stateOf({ interfaces, devices, engine }: Pick<WireEntry, 'interfaces' | 'devices' | 'engine'>): WireState {
  return { interfaces, devices, ...(engine ? { engine: engine.state } : {}) };
}

function chooseNames(): NameChoice {
  const pair = () => ({ fresh: temporaryName(), retired: temporaryName() });
  return { client: pair(), endpoint: pair() };
}
