// SPDX-License-Identifier: Apache-2.0
// All wires, and the jobs on them. A job holds the queues of its wires while it runs, and leaves each wire in a phase:
//
//   pending ──▶ up ◀──▶ degraded        pending: not made yet. It is from the journal and was not tried yet, or it waits
//      └───────────────────▲                     and its error says for what
//                                       degraded: does not work now; repaired with increasing delays
//   removing: could not be removed completely; tried again

import { CrosswireError, type ErrorDetails } from '../model/error.ts';
import type { ApplyReport, RemoveReport } from '../model/status.ts';
import type { Path } from '../model/wire.ts';
import { hostDeviceOf } from '../wire/wire.ts';
import type { Action } from '../plan/action.ts';
import { choosePath } from '../plan/path.ts';
import { describe } from '../plan/words.ts';
import type { Claims } from '../wire/claims.ts';
import { notesOn } from './tell/device-notes.ts';
import { type Want, WireEntry } from './wanted/entry.ts';
import { asCrosswireError } from './act/errors.ts';
import type { HealthBook, Warning } from './tell/health.ts';
import type { Queues } from './queues.ts';
import type { Brought, Change, Reconciler } from './act/reconciler.ts';
import type { JournalRecord, ResolvedWire } from './store/record.ts';
import type { Retries } from './retries.ts';
import type { Log } from '../model/log.ts';
import type { Survey } from './look/survey.ts';

/** The namespace that an end refers to has gone. */
const goneCodes = ['NAMESPACE_MISSING', 'NAMESPACE_INVALID', 'NAMESPACE_CHANGED'];

export interface KeeperParts {
  readonly claims: Claims;
  readonly reconciler: Reconciler;
  readonly queues: Queues;
  readonly retries: Retries;
  readonly health: HealthBook;
  readonly log: Log;
  readonly onWireMade: (seconds: number, path: Path) => void;
}

export interface AdmittedWant extends Want {
  readonly resolved: ResolvedWire;
}

/** A requested change; `error`: why it cannot be made. */
export type PossibleChange = Change | (Change & { readonly error: unknown });

function isImpossible(change: PossibleChange): change is Change & { readonly error: unknown } {
  return 'error' in change;
}

/** How closely to look at a wire. */
export interface Look {
  /** Check only that its namespaces are where they were. */
  readonly quick?: boolean;
  /** Look at the wire itself only if the survey does not show it as wanted. */
  readonly survey?: Survey;
}

export class Keeper {
  readonly entries = new Map<string, WireEntry>();
  readonly #parts: KeeperParts;
  #stopping = false;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** Adds a wire of an earlier run; keep() repairs it. */
  remember(record: JournalRecord): void {
    const entry = new WireEntry(record, this.#parts.claims, record);
    entry.isLeftover = true;
    this.entries.set(entry.name, entry);
  }

  /** Resolves an admitted wire. A namespace or device may have gone since it was admitted. */
  async changeTo({ wire, owner, resolved }: AdmittedWant): Promise<PossibleChange> {
    const { claims, reconciler } = this.#parts;
    const change = { entry: this.entries.get(wire.name) ?? new WireEntry({ wire, owner }, claims), owner };
    try {
      return { ...change, target: await reconciler.resolve(wire, { chosen: resolved.devices }) };
    } catch (error) {
      return { ...change, target: resolved, error };
    }
  }

  /** Makes or changes admitted wires in one step. Reports are in the order of the changes. The caller holds their queues. */
  async make(changes: readonly PossibleChange[]): Promise<ApplyReport[]> {
    const impossible = changes.find(isImpossible);
    if (impossible) return failuresOf(changes, impossible.error);
    const isNew = changes.map(({ entry }) => entry.record === undefined);
    for (const { entry } of changes) this.entries.set(entry.name, entry);
    try {
      const brought = await this.#bring(changes, { isSet: true });
      for (const { entry } of changes) entry.isLeftover = false;
      return changes.map(({ entry }, at) => reportOf(entry.name, isNew[at] === true, brought[at] as Brought));
    } catch (cause) {
      const reports = failuresOf(changes, cause);
      for (const { name, error } of reports) this.failed(name, new CrosswireError(error as ErrorDetails));
      return reports;
    }
  }

  /** The reports that `make` would give. */
  async preview(changes: readonly PossibleChange[]): Promise<ApplyReport[]> {
    const impossible = changes.find(isImpossible);
    if (impossible) return failuresOf(changes, impossible.error);
    try {
      const brought = await this.#parts.reconciler.preview(changes);
      return changes.map(({ entry }, at) => reportOf(entry.name, entry.record === undefined, brought[at] as Brought));
    } catch (cause) {
      return failuresOf(changes, cause);
    }
  }

  /** After a failed change: forgets a new wire; an existing one is as before, or degraded if it could not be undone. */
  failed(name: string, error: CrosswireError): void {
    const entry = this.entries.get(name);
    if (entry && !entry.record && !entry.waiting) this.entries.delete(name);
    else if (entry?.record && entry.record.phase !== 'applied') this.#degrade(entry, error);
    this.#parts.log.warn({ wire: name, error }, 'wire not applied');
  }

  /** Records that a wanted wire cannot be made yet. An existing wire of that name stays as it is. */
  wait({ wire, owner }: Want, cause: unknown): void {
    const error = asCrosswireError(cause, 'apply the wire', wire.name);
    const entry = this.entries.get(wire.name) ?? new WireEntry({ wire, owner }, this.#parts.claims);
    this.entries.set(wire.name, entry);
    const isNews = entry.waiting?.error.message !== error.message;
    entry.waiting = { wire, owner, error };
    if (!entry.record) Object.assign(entry, { wire, owner });
    this.#tell(entry);
    if (isNews) this.#parts.log.warn({ wire: wire.name, owner, error }, 'wire waits: it cannot be made yet');
  }

  remove(name: string): Promise<RemoveReport> {
    return this.#parts.queues.run(name, () => this.giveUp(name));
  }

  /** Removes a wire. The caller holds its queue. */
  async giveUp(name: string): Promise<RemoveReport> {
    const entry = this.entries.get(name);
    if (!entry) return { name, outcome: 'missing', errors: [] };
    const errors = await this.#takeAway(entry);
    return { name, outcome: errors.length > 0 ? 'failed' : 'removed', errors: errors.map((error) => error.toJSON()) };
  }

  /** Compares a wire with what exists, and repairs it; with the wires of a change that was cut off. Never rejects: what goes
   *  wrong is a health record. */
  keep(name: string, look: Look = {}): Promise<void> {
    const names = this.#changingWith(name);
    if (names.length > 1) return this.#parts.queues.runAll(names, () => this.#keepTogether(names));
    return this.#parts.queues.run(name, () => this.#keep(name, look));
  }

  /** Ends retries and repairs, and waits for running jobs. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#parts.retries.cancelAll();
    await this.#parts.queues.drained();
    this.#parts.retries.cancelAll();
  }

  async #keep(name: string, look: Look): Promise<void> {
    const entry = this.entries.get(name);
    if (!entry?.record || this.#stopping) return; // without a record it waits
    try {
      if (entry.record.phase === 'removing') return void (await this.#takeAway(entry));
      if (await this.#isWell(entry, look)) return;
      const [brought] = await this.#bring([await this.#changeBack(entry)]);
      if (brought && brought.actions.length > 0)
        this.#parts.log.info({ wire: name, actions: brought.actions.map(describe) }, 'wire repaired');
    } catch (cause) {
      await this.#cannotKeep(entry, cause);
    }
  }

  /** The wires of an interrupted change, which must be completed together: one may still hold a resource that another gets. */
  #changingWith(name: string): string[] {
    const isChanging = (one: string) => this.entries.get(one)?.record?.phase === 'applying';
    return this.entries.get(name)?.record?.together?.filter(isChanging) ?? [];
  }

  async #keepTogether(names: readonly string[]): Promise<void> {
    if (this.#stopping) return;
    const changes: Change[] = [];
    for (const name of names) {
      const entry = this.entries.get(name);
      if (entry?.record?.phase !== 'applying') continue;
      try {
        changes.push(await this.#changeBack(entry));
      } catch (cause) {
        await this.#cannotKeep(entry, cause);
      }
    }
    try {
      await this.#bring(changes);
    } catch (cause) {
      for (const { entry } of changes) await this.#cannotKeep(entry, cause);
    }
  }

  async #changeBack(entry: WireEntry): Promise<Change> {
    const target = await this.#parts.reconciler.resolve(entry.wire, { before: entry.record });
    return { entry, target, owner: entry.owner };
  }

  async #cannotKeep(entry: WireEntry, cause: unknown): Promise<void> {
    const error = asCrosswireError(cause, 'keep the wire', entry.name);
    if (goneCodes.includes(error.code)) await this.#letGo(entry);
    this.#degrade(entry, error);
  }

  async #isWell(entry: WireEntry, { quick, survey }: Look): Promise<boolean> {
    const { reconciler } = this.#parts;
    if (quick && entry.phase === 'up' && (await reconciler.isInPlace(entry, survey))) return true;
    if (!survey || !(await reconciler.isAsWanted(entry, survey))) return false;
    this.#isUp(entry);
    return true;
  }

  #isUp(entry: WireEntry): void {
    entry.phase = 'up';
    entry.error = undefined;
    this.#parts.retries.cancel(entry.name);
    this.#tell(entry);
  }

  /** `isSet`: an owner has just set the wires, which replaces whatever they waited for. */
  async #bring(changes: readonly Change[], { isSet = false } = {}): Promise<Brought[]> {
    const { reconciler, log, onWireMade } = this.#parts;
    const start = process.hrtime.bigint();
    const brought = await reconciler.bring(changes);
    for (const [at, { entry, target }] of changes.entries()) {
      const { actions, changed } = brought[at] as Brought;
      if (isSet) entry.waiting = undefined;
      this.#isUp(entry);
      if (actions.some(isMaking))
        onWireMade(Number(process.hrtime.bigint() - start) / 1e9, choosePath(target.wire).path);
      if (changed) log.info({ wire: entry.name, actions: actions.length }, 'wire up');
    }
    return brought;
  }

  async #takeAway(entry: WireEntry): Promise<CrosswireError[]> {
    const { reconciler, retries, health, log } = this.#parts;
    entry.phase = 'removing';
    entry.waiting = undefined;
    const errors = await reconciler.takeAway(entry);
    if (errors[0]) {
      this.#degrade(entry, errors[0]);
      return errors;
    }
    this.entries.delete(entry.name);
    retries.cancel(entry.name);
    health.replace(entry.name, []);
    log.info({ wire: entry.name }, 'wire removed');
    return [];
  }

  async #letGo(entry: WireEntry): Promise<void> {
    try {
      await this.#parts.reconciler.letGo(entry);
      await this.#parts.reconciler.bringHome(entry);
    } catch (error) {
      this.#parts.log.error({ wire: entry.name, error }, 'what the wire held was not let go');
    }
  }

  #degrade(entry: WireEntry, error: CrosswireError): void {
    const { retries, log } = this.#parts;
    entry.phase = entry.record?.phase === 'removing' || entry.phase === 'removing' ? 'removing' : 'degraded';
    entry.error = error;
    this.#tell(entry);
    log.warn({ wire: entry.name, error }, entry.phase === 'removing' ? 'wire not removed' : 'wire degraded');
    if (!this.#stopping) retries.schedule(entry.name, () => void this.keep(entry.name));
  }

  /** Updates the health records of a wire. A degraded wire shows its own error, not what it waits for. */
  #tell(entry: WireEntry): void {
    const { name, phase, waiting } = entry;
    const isBroken = phase === 'degraded' || phase === 'removing';
    if (!isBroken) entry.error = waiting?.error;
    const severity = isBroken ? 'error' : 'warning';
    const wrong: Warning[] = entry.error
      ? [{ code: entry.error.code, severity, text: entry.error.message, wire: name }]
      : [];
    const notes = phase === 'up' ? [...notesOn(entry), ...hostDeviceNotes(entry)] : [];
    this.#parts.health.replace(name, [...wrong, ...notes]);
  }
}

function reportOf(name: string, isNew: boolean, { actions, changed }: Brought): ApplyReport {
  return { name, outcome: isNew ? 'created' : changed ? 'changed' : 'unchanged', actions: actions.map(describe) };
}

export function failureOf(name: string, cause: unknown): ApplyReport {
  const error = asCrosswireError(cause, 'apply the wire', name);
  return { name, outcome: 'failed', actions: [], error: error.toJSON() };
}

/** One report for each change; none of them was made. */
function failuresOf(changes: readonly Pick<Change, 'entry'>[], cause: unknown): ApplyReport[] {
  const names = changes.map(({ entry }) => entry.name);
  const error = names.length > 1 ? ofAll(asCrosswireError(cause, 'apply the wires', ''), names) : cause;
  return names.map((name) => failureOf(name, error));
}

function ofAll(cause: CrosswireError, names: readonly string[]): CrosswireError {
  const { code, message: reason, hint, errno } = cause;
  const operation = 'change wires in one step, for one gets what another one has';
  return new CrosswireError({ code, operation, subject: names.join(', '), reason, hint, errno, cause });
}

const making: readonly Action['kind'][] = [
  'createVethPair',
  'createInterface',
  'takeDevice',
  'bindDevice',
  'startEngineWire',
];

function isMaking({ kind }: Action): boolean {
  return making.includes(kind);
}

/** The host device may recover, so the wire stays up. */
function hostDeviceNotes({ name, wire, interfaces, running }: WireEntry): Warning[] {
  const device = hostDeviceOf(wire);
  const [part] = interfaces;
  if (device === undefined || !part || running[part.end] !== false) return [];
  const text = `the host device ${device} is down or has no carrier, so the wire leads nowhere`;
  return [{ code: 'HOST_DEVICE_DOWN', severity: 'warning', text, wire: name }];
}
