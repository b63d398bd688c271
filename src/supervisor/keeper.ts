// SPDX-License-Identifier: Apache-2.0
// The wires there are, and the jobs on them. Every job runs in the queue of its wire and leaves the wire in a phase:
//
//   pending ──▶ up ◀──▶ degraded        pending: from the journal, not tried yet
//      └───────────────────▲            degraded: does not work now; tried again with growing waits
//   removing: what could not be removed; tried again

import { CrosswireError } from '../model/error.ts';
import type { ApplyReport, RemoveReport } from '../model/status.ts';
import type { Path } from '../model/wire.ts';
import { hostDeviceOf, type Wire } from '../wire/wire.ts';
import type { Action } from '../plan/action.ts';
import { choosePath } from '../plan/path.ts';
import { describe } from '../plan/words.ts';
import type { ChosenDevices } from '../plan/state.ts';
import type { Admission } from './wanted/admission.ts';
import type { Claims } from '../wire/claims.ts';
import { notesOn } from './tell/device-notes.ts';
import { WireEntry } from './wanted/entry.ts';
import { asCrosswireError } from './act/errors.ts';
import type { HealthBook, Warning } from './tell/health.ts';
import type { Queues } from './queues.ts';
import type { Brought, Reconciler, Resolving } from './act/reconciler.ts';
import type { JournalRecord } from './store/record.ts';
import type { Retries } from './retries.ts';
import type { Log } from '../model/log.ts';
import type { Survey } from './look/survey.ts';

/** What a namespace reference meant is not there any more. */
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

/** How closely to look at a wire. */
export interface Look {
  /** Not at all, unless one of its namespaces is not where it was. */
  readonly quick?: boolean;
  /** At the wire alone only where this does not show it in place. */
  readonly survey?: Survey;
}

export class Keeper {
  readonly entries = new Map<string, WireEntry>();
  readonly #parts: KeeperParts;
  #stopping = false;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** A wire an earlier run left; keep() sees to it. */
  remember(record: JournalRecord): void {
    this.entries.set(record.wire.name, new WireEntry(record.wire, this.#parts.claims, record));
  }

  /** Takes its place in the queue at once, and waits there until the wire is admitted. */
  apply(wire: Wire, admission: Promise<Admission>): Promise<ApplyReport> {
    return this.#parts.queues.run(wire.name, async () => {
      const { devices } = await admission;
      return this.#apply(wire, devices(wire.name));
    });
  }

  remove(name: string): Promise<RemoveReport> {
    return this.#parts.queues.run(name, () => this.#remove(name));
  }

  /** Compares a wire with what exists, and repairs it. Never rejects: what goes wrong is a health record. */
  keep(name: string, look: Look = {}): Promise<void> {
    return this.#parts.queues.run(name, () => this.#keep(name, look));
  }

  /** No more retries, no more repairs; waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#parts.retries.cancelAll();
    await this.#parts.queues.drained();
    this.#parts.retries.cancelAll();
  }

  async #apply(wire: Wire, chosen: ChosenDevices | undefined): Promise<ApplyReport> {
    const { name } = wire;
    const entry = this.entries.get(name) ?? new WireEntry(wire, this.#parts.claims);
    const isNew = entry.record === undefined;
    this.entries.set(name, entry);
    try {
      const { actions, changed } = await this.#bring(entry, wire, { chosen });
      const outcome = isNew ? 'created' : changed ? 'changed' : 'unchanged';
      return { name, outcome, actions: actions.map(describe) };
    } catch (cause) {
      const error = asCrosswireError(cause, 'apply the wire', name);
      if (!entry.record) this.entries.delete(name);
      else if (entry.record.phase !== 'applied') this.#degrade(entry, error);
      this.#parts.log.warn({ wire: name, error }, 'wire not applied');
      return { name, outcome: 'failed', actions: [], error: error.toJSON() };
    }
  }

  async #remove(name: string): Promise<RemoveReport> {
    const entry = this.entries.get(name);
    if (!entry) return { name, outcome: 'missing', errors: [] };
    const errors = await this.#takeAway(entry);
    return { name, outcome: errors.length > 0 ? 'failed' : 'removed', errors: errors.map((error) => error.toJSON()) };
  }

  async #keep(name: string, look: Look): Promise<void> {
    const entry = this.entries.get(name);
    if (!entry || this.#stopping) return;
    try {
      if (entry.record?.phase === 'removing') return void (await this.#takeAway(entry));
      if (await this.#isWell(entry, look)) return;
      const { actions } = await this.#bring(entry, entry.wire, { before: entry.record });
      if (actions.length > 0) this.#parts.log.info({ wire: name, actions: actions.map(describe) }, 'wire repaired');
    } catch (cause) {
      const error = asCrosswireError(cause, 'keep the wire', name);
      if (goneCodes.includes(error.code)) await this.#letGo(entry);
      this.#degrade(entry, error);
    }
  }

  async #isWell(entry: WireEntry, { quick, survey }: Look): Promise<boolean> {
    const { reconciler } = this.#parts;
    if (quick && entry.phase === 'up' && (await reconciler.isInPlace(entry, survey))) return true;
    if (!survey || !(await reconciler.stands(entry, survey))) return false;
    this.#isUp(entry);
    return true;
  }

  #isUp(entry: WireEntry): void {
    entry.phase = 'up';
    entry.error = undefined;
    this.#parts.retries.cancel(entry.name);
    this.#parts.health.replace(entry.name, [...notesOn(entry), ...hostDeviceNotes(entry)]);
  }

  async #bring(entry: WireEntry, wire: Wire, resolving: Resolving): Promise<Brought> {
    const { reconciler, log, onWireMade } = this.#parts;
    const start = process.hrtime.bigint();
    const brought = await reconciler.bring(entry, await reconciler.resolve(wire, resolving));
    this.#isUp(entry);
    if (brought.actions.some(isMaking))
      onWireMade(Number(process.hrtime.bigint() - start) / 1e9, choosePath(wire).path);
    if (brought.changed) log.info({ wire: entry.name, actions: brought.actions.length }, 'wire up');
    return brought;
  }

  async #takeAway(entry: WireEntry): Promise<CrosswireError[]> {
    const { reconciler, retries, health, log } = this.#parts;
    entry.phase = 'removing';
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
    const { retries, health, log } = this.#parts;
    entry.phase = entry.record?.phase === 'removing' || entry.phase === 'removing' ? 'removing' : 'degraded';
    entry.error = error;
    health.replace(entry.name, [{ code: error.code, severity: 'error', text: error.message, wire: entry.name }]);
    log.warn({ wire: entry.name, error }, entry.phase === 'removing' ? 'wire not removed' : 'wire degraded');
    if (!this.#stopping) retries.schedule(entry.name, () => void this.keep(entry.name));
  }
}

function isMaking({ kind }: Action): boolean {
  return [
    'createVethPair',
    'createTap',
    'createTunnel',
    'createVlan',
    'takeDevice',
    'bindDevice',
    'startEngineWire',
  ].includes(kind);
}

/** It may come back: the wire stands. */
function hostDeviceNotes({ name, wire, interfaces, running }: WireEntry): Warning[] {
  const device = hostDeviceOf(wire);
  const [part] = interfaces;
  if (device === undefined || !part || running[part.end] !== false) return [];
  const text = `the host device ${device} is down or has no carrier, so the wire leads nowhere`;
  return [{ code: 'HOST_DEVICE_DOWN', severity: 'warning', text, wire: name }];
}
