// SPDX-License-Identifier: Apache-2.0
// The reconciler: wanted wires in, what exists out.

import { CrosswireError } from '../model/error.ts';
import type {
  ApplyReport,
  Explanation,
  HealthRecord,
  RemoveReport,
  WireCounters,
  WireStatus,
} from '../model/status.ts';
import type { Wire } from '../model/wire.ts';
import type { StopOptions, SupervisorSettings } from './settings.ts';

export class Supervisor {
  readonly settings: SupervisorSettings;

  constructor(settings: SupervisorSettings) {
    this.settings = settings;
  }

  /** Locks the state directory, adopts what earlier runs left, repairs or removes the rest. The dataplane must have
   *  been started. Wires that cannot be made yet are tried again later; they do not make this reject. */
  async start(): Promise<void> {
    throw notYet('start');
  }

  /** Finishes what is under way, stops engine wires, releases the lock. Idempotent. The dataplane stays open. */
  async stop(_options: StopOptions = {}): Promise<RemoveReport[]> {
    throw notYet('stop');
  }

  /** Makes or changes these wires; others stay. Rejects, with nothing touched, if they contradict each other or wires
   *  that exist; what goes wrong with one wire later is in that wire's report. Reports are in the order of `wires`. */
  async apply(_wires: readonly Wire[]): Promise<ApplyReport[]> {
    throw notYet('apply');
  }

  async remove(_names: readonly string[]): Promise<RemoveReport[]> {
    throw notYet('remove');
  }

  /** Sorted by name. The state of kernel interfaces is as last observed, that of engine links is of now. */
  list(): WireStatus[] {
    return [];
  }

  get(_name: string): WireStatus | undefined {
    return undefined;
  }

  /** Of a wire that exists, by its name, or of one that might (`crosswire explain -f`). */
  async explain(_wire: string | Wire): Promise<Explanation | undefined> {
    throw notYet('explain');
  }

  health(): HealthRecord[] {
    return [];
  }

  /** One snapshot of all wires, by name; absolute since each wire was made, and never falling. */
  async counters(): Promise<Map<string, WireCounters>> {
    return new Map();
  }
}

function notYet(method: string): CrosswireError {
  return new CrosswireError({ code: 'NOT_READY', operation: method, subject: '', reason: 'not built yet' });
}
