// SPDX-License-Identifier: Apache-2.0
// The supervisor's interface to sources of wires, the control API and metrics.

import { HostDeviceFinder } from '../machine/host-devices.ts';
import { checkNode, parseMark } from '../machine/marks.ts';
import { NamespaceFinder } from '../machine/namespaces.ts';
import type { LeaseView } from '../machine/sriov/devices.ts';
import { CrosswireError } from '../model/error.ts';
import type { ApplyReport, Explanation, HealthRecord, RemoveReport, WireCounters, WireOwner } from '../model/status.ts';
import type { WireStatus } from '../wire/status.ts';
import type { Wire } from '../wire/wire.ts';
import { Claims } from '../wire/claims.ts';
import { DeviceChooser } from './wanted/device-choice.ts';
import { DescriptorBudget } from './act/descriptor-budget.ts';
import type { WireEntry } from './wanted/entry.ts';
import { explain } from './tell/explanation.ts';
import { HealthBook } from './tell/health.ts';
import { Keeper } from './keeper.ts';
import { read } from './count/meter.ts';
import { partsFor, type SupervisorParts } from './parts.ts';
import { Queues } from './queues.ts';
import { Reconciler } from './act/reconciler.ts';
import { Roll } from './count/roll.ts';
import { Resync } from './resync.ts';
import { Retries } from './retries.ts';
import type { Log } from '../model/log.ts';
import type { StopOptions, SupervisorSettings } from './settings.ts';
import { recover, returnUnclaimed } from './start-up.ts';
import { statusOf } from './tell/status.ts';
import { type SetOptions, WantedWires } from './wanted-wires.ts';
import { Survey } from './look/survey.ts';
import { TimeSlices } from './store/time-slices.ts';

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** The number of wires between two checks of the time. */
const readAtOnce = 50;

export class Supervisor {
  readonly settings: SupervisorSettings;
  readonly #parts: SupervisorParts;
  readonly #log: Log;
  readonly #finder: NamespaceFinder;
  readonly #health = new HealthBook();
  readonly #claims = new Claims();
  readonly #chooser: DeviceChooser;
  #stopWatching = () => {};
  #roll = new Roll([]);
  readonly #reconciler: Reconciler;
  readonly #keeper: Keeper;
  readonly #wanted: WantedWires;
  readonly #resync: Resync;
  #state: 'new' | 'running' | 'stopping' | 'stopped' = 'new';

  constructor(settings: SupervisorSettings, parts: SupervisorParts = partsFor(settings.stateDirectory)) {
    const { dataplane, node, devices, log = silent, onWireMade = () => {} } = settings;
    this.settings = settings;
    this.#parts = parts;
    this.#log = log;
    this.#finder = new NamespaceFinder(dataplane);
    const descriptors = new DescriptorBudget(parts.descriptors);
    this.#chooser = new DeviceChooser(devices, this.#claims);
    const [finder, chooser, journal] = [this.#finder, this.#chooser, parts.journal];
    const hostDevices = new HostDeviceFinder(dataplane);
    this.#reconciler = new Reconciler({
      dataplane,
      finder,
      hostDevices,
      journal,
      descriptors,
      node,
      devices,
      chooser,
    });
    const queues = new Queues(settings.parallel ?? 32);
    const { retrySeconds = { first: 1, longest: 30 } } = settings;
    const retries = new Retries(retrySeconds);
    const [claims, reconciler, health] = [this.#claims, this.#reconciler, this.#health];
    this.#keeper = new Keeper({ claims, reconciler, queues, retries, health, log, onWireMade });
    const devicesOf = (name: string) => this.#keeper.entries.get(name)?.record?.devices;
    const admission = { dataplane, node, finder, claims, chooser, devicesOf };
    const [keeper, attempts] = [this.#keeper, new Retries(retrySeconds)];
    this.#wanted = new WantedWires({ keeper, queues, retries: attempts, reconciler, admission, log });
    const onFailed = (error: unknown) => log.error({ error }, 'the comparison with what exists failed; it comes again');
    this.#resync = new Resync(settings.resyncSeconds ?? 30, (quick) => this.#keepAll(quick), onFailed);
  }

  /** Locks the state directory, adopts what earlier runs left, repairs or removes the rest. The dataplane must have
   *  been started. Wires that cannot be made yet are tried again later; they do not make this reject. */
  async start(): Promise<void> {
    const { dataplane, node, devices } = this.settings;
    checkNode(node);
    this.#parts.lock.acquire();
    try {
      const { journal } = this.#parts;
      const records = await recover({ dataplane, journal, devices, node, health: this.#health, log: this.#log });
      for (const record of records) this.#keeper.remember(record);
      await this.#keepAll(false);
    } catch (error) {
      await this.#keeper.stop();
      this.#parts.lock.release();
      throw error;
    }
    this.#state = 'running';
    this.#resync.start();
    this.#stopWatching = devices?.watch((mark) => this.#seeTo(mark)) ?? this.#stopWatching;
  }

  /** Finishes what is under way, stops engine wires, releases the lock. Idempotent. The dataplane stays open. */
  async stop({ removeWires = false }: StopOptions = {}): Promise<RemoveReport[]> {
    if (this.#state !== 'running') return [];
    this.#state = 'stopping';
    this.#resync.stop();
    this.#wanted.stop();
    this.#stopWatching();
    await this.#keeper.stop();
    const names = [...this.#keeper.entries.keys()];
    const reports = removeWires ? await Promise.all(names.map((name) => this.#keeper.remove(name))) : [];
    await Promise.all([...this.#keeper.entries.values()].map((entry) => this.#letGo(entry)));
    this.#parts.lock.release();
    this.#state = 'stopped';
    return reports;
  }

  /** The owner wants these wires; all other wires stay. Rejects, with nothing touched, if they contradict each
   *  other, wires that exist or what is on this machine (a namespace is missing, a name taken), unless they may wait. What
   *  goes wrong with one wire later is in that wire's report. Reports are in the order of `wires`. */
  async set(owner: WireOwner, wires: readonly Wire[], options?: SetOptions): Promise<ApplyReport[]> {
    this.#mustRun('apply wires');
    return this.#wanted.set(owner, wires, options);
  }

  /** Carries on past failures: what could not be removed is in the reports, and is tried again. */
  async remove(names: readonly string[]): Promise<RemoveReport[]> {
    this.#mustRun('remove wires');
    return this.#wanted.remove(names);
  }

  /** Removes the owner's wires of an earlier run that it does not set again within this time. */
  expire(owner: WireOwner, milliseconds: number): void {
    this.#wanted.expire(owner, milliseconds);
  }

  /** Sorted by name. Kernel interfaces are as last observed; engine links are read now. */
  list(): WireStatus[] {
    return this.#sorted().map((entry) => statusOf(entry, this.settings.dataplane));
  }

  /** For a scrape: yields to other work in between, and does not sort. */
  async statuses(): Promise<WireStatus[]> {
    const { dataplane } = this.settings;
    const slices = new TimeSlices();
    const fingerprints = dataplane.fingerprints();
    const statuses: WireStatus[] = [];
    for (const [at, entry] of [...this.#keeper.entries.values()].entries()) {
      if (at % readAtOnce === 0) await slices.next();
      if (!this.#keeper.entries.has(entry.name)) continue;
      statuses.push(statusOf(entry, dataplane, entry.engine && fingerprints.get(entry.engine.id)));
    }
    return statuses;
  }

  get(name: string): WireStatus | undefined {
    const entry = this.#keeper.entries.get(name);
    return entry && statusOf(entry, this.settings.dataplane);
  }

  /** Like get(), and reads the last handshake of a tunnel first. */
  async look(name: string): Promise<WireStatus | undefined> {
    const entry = this.#keeper.entries.get(name);
    if (entry) await this.#reconciler.listen(entry).catch(() => {});
    return this.get(name);
  }

  /** The wire as it was applied, with its secrets: only for its owner. */
  wanted(name: string): Wire | undefined {
    return this.#keeper.entries.get(name)?.wire;
  }

  /** Explains an existing wire by its name, or a wire that does not exist yet (`crosswire explain -f`). */
  async explain(wire: string | Wire): Promise<Explanation | undefined> {
    const entry = this.#keeper.entries.get(typeof wire === 'string' ? wire : wire.name);
    const wanted = typeof wire === 'string' ? entry?.wire : wire;
    return wanted && explain(this.#reconciler, wanted, entry);
  }

  health(): HealthRecord[] {
    return this.#health.records();
  }

  /** One snapshot of all wires, by name. The counters begin when a wire is made and never decrease. */
  async counters(): Promise<Map<string, WireCounters>> {
    const entries = [...this.#keeper.entries.values()].filter(({ record }) => record !== undefined);
    const meters = entries.map(({ meter }) => meter);
    if (!this.#roll.isOf(meters)) this.#roll = new Roll(meters);
    const roll = this.#roll;
    const reading = await read(this.settings.dataplane, roll, 'all');
    const slices = new TimeSlices();
    const counters = new Map<string, WireCounters>();
    for (const [at, { name, meter }] of entries.entries()) {
      if (at % readAtOnce === 0) await slices.next();
      if (this.#keeper.entries.has(name)) counters.set(name, meter.total(reading, roll.firsts[at] as number));
    }
    return counters;
  }

  /** The counters of one wire, read now. */
  async countersOf(name: string): Promise<WireCounters | undefined> {
    const entry = this.#keeper.entries.get(name);
    if (entry?.record === undefined) return undefined;
    return entry.meter.refresh(this.settings.dataplane);
  }

  /** Gives back devices whose return failed when their wire was removed: no wire tries again. */
  async #returnForgotten(): Promise<void> {
    const { devices, node } = this.settings;
    const isClaimed = ({ mark }: LeaseView) => this.#keeper.entries.has(parseMark(node, mark)?.wire ?? '');
    const errors = devices ? await returnUnclaimed(devices, isClaimed) : [];
    for (const error of errors) this.#log.warn({ error }, 'a device could not be given back; it is tried again');
  }

  /** A device of the wire has left its place. */
  #seeTo(mark: string): void {
    const wire = parseMark(this.settings.node, mark)?.wire;
    if (wire !== undefined) void this.#keeper.keep(wire);
  }

  async #letGo(entry: WireEntry): Promise<void> {
    try {
      await this.#reconciler.letGo(entry);
    } catch (error) {
      this.#log.error({ wire: entry.name, error }, 'engine wire not stopped');
    }
  }

  #sorted(): WireEntry[] {
    return [...this.#keeper.entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Ordered by namespace, so that a survey is used before it becomes stale. */
  #byPlace(): string[] {
    const places = [...this.#keeper.entries.values()].map(({ name, record }) => {
      const { client, endpoint } = record?.namespaces ?? {};
      return { name, place: client?.path ?? endpoint?.path ?? '' };
    });
    return places.sort((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : 0)).map(({ name }) => name);
  }

  async #keepAll(quick: boolean): Promise<void> {
    const { dataplane, node } = this.settings;
    if (this.#state === 'running') await this.#returnForgotten();
    const survey = new Survey(dataplane, node);
    await Promise.all(this.#byPlace().map((name) => this.#keeper.keep(name, { quick, survey })));
  }

  #mustRun(operation: string): void {
    if (this.#state === 'running') return;
    throw new CrosswireError({
      code: 'NOT_RUNNING',
      operation,
      subject: '',
      reason: `the supervisor is ${this.#state}`,
    });
  }
}
