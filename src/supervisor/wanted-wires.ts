// SPDX-License-Identifier: Apache-2.0
// The wires that their owners want. Admitted wires are made, in one step where they take resources from each other; the others
// are refused or wait (docs/decisions/022-wanted-state.md).

import { CrosswireError } from '../model/error.ts';
import type { Log } from '../model/log.ts';
import type { ApplyReport, RemoveReport, WireOwner } from '../model/status.ts';
import type { Wire } from '../wire/wire.ts';
import type { Reconciler } from './act/reconciler.ts';
import { failureOf, type Keeper, type PossibleChange } from './keeper.ts';
import type { Place, Queues } from './queues.ts';
import type { Retries } from './retries.ts';
import { type Admission, type AdmissionParts, admitAll, admitSome } from './wanted/admission.ts';
import type { Want } from './wanted/entry.ts';

export interface SetOptions {
  /** What to do if a wire cannot be made now: `refuse` all, with nothing touched (the default), or let the wire `wait`. */
  readonly unmakeable?: 'refuse' | 'wait';
  /** Stop before the first action. The reports say what would be done. */
  readonly dryRun?: boolean;
  /** Remove a wire whose change fails, even if it existed before. */
  readonly giveUpFailed?: boolean;
}

export interface WantedWiresParts {
  readonly keeper: Keeper;
  readonly queues: Queues;
  readonly retries: Retries;
  readonly reconciler: Reconciler;
  readonly admission: AdmissionParts;
  readonly log: Log;
}

/** How a set is changed. */
interface Way {
  readonly admit: (parts: AdmissionParts, wires: readonly Wire[]) => Promise<Admission>;
  readonly act: (changes: readonly PossibleChange[]) => Promise<ApplyReport[]>;
  readonly onFailed?: (want: Want, error: CrosswireError) => Promise<void>;
  /** Checked while the queues of all wires are held. */
  readonly isCurrent?: (want: Want) => boolean;
}

/** The name of the retry that all waiting wires share. */
const attempt = 'waiting wires';

/** The largest delay of a Node timer: signed 32 bits. A timer with a larger one fires at once. */
const longestTimer = 0x7fff_ffff;

export class WantedWires {
  readonly #parts: WantedWiresParts;
  readonly #expiries = new Set<NodeJS.Timeout>();
  #stopping = false;

  constructor(parts: WantedWiresParts) {
    this.#parts = parts;
  }

  /** The owner wants these wires; all other wires stay. Rejects, with nothing touched, if one of them cannot be
   *  made and none may wait. Reports are in the order of `wires`. */
  async set(owner: WireOwner, wires: readonly Wire[], options: SetOptions = {}): Promise<ApplyReport[]> {
    const { keeper } = this.#parts;
    const wants = wires.map((wire) => ({ wire, owner }));
    if (options.unmakeable === 'wait') return this.#makeOrWait(wants);
    if (options.dryRun) return this.#change(wants, { admit: admitAll, act: (changes) => keeper.preview(changes) });
    const onFailed = async ({ wire }: Want) => {
      if (options.giveUpFailed) await keeper.giveUp(wire.name);
    };
    return this.#change(wants, { admit: admitAll, act: (changes) => keeper.make(changes), onFailed });
  }

  /** Carries on past failures: what could not be removed is in the reports, and is tried again. */
  async remove(names: readonly string[]): Promise<RemoveReport[]> {
    return Promise.all(names.map((name) => this.#parts.keeper.remove(name)));
  }

  /** Removes the owner's wires of an earlier run that it does not set again within this time. */
  expire(owner: WireOwner, milliseconds: number): void {
    const leftovers = () =>
      [...this.#parts.keeper.entries.values()].filter((one) => one.isLeftover && one.owner === owner);
    const names = leftovers().map(({ name }) => name);
    if (names.length === 0) return;
    const giveUp = async () => {
      const abandoned = leftovers().flatMap(({ name }) => (names.includes(name) ? [name] : []));
      const reports = await this.remove(abandoned);
      this.#parts.log.info(
        { owner, wires: reports.map(({ name }) => name) },
        'removed wires that nobody asked for again',
      );
    };
    const timer = setTimeout(
      () => {
        this.#expiries.delete(timer);
        giveUp().catch((error: unknown) =>
          this.#parts.log.error({ owner, error }, 'wires of an earlier run not removed'),
        );
      },
      Math.min(milliseconds, longestTimer),
    ).unref();
    this.#expiries.add(timer);
  }

  /** Ends all timers. Running changes are completed. */
  stop(): void {
    this.#stopping = true;
    this.#parts.retries.cancelAll();
    for (const timer of this.#expiries) clearTimeout(timer);
  }

  async #makeOrWait(wants: readonly Want[], isCurrent?: Way['isCurrent']): Promise<ApplyReport[]> {
    const { keeper, retries } = this.#parts;
    const reports = await this.#change(wants, {
      admit: admitSome,
      act: (changes) => keeper.make(changes),
      onFailed: async (want, error) => keeper.wait(want, error),
      ...(isCurrent ? { isCurrent } : {}),
    });
    if (this.#waiting().length === 0) retries.cancel(attempt);
    else this.#schedule();
    return reports;
  }

  #schedule(): void {
    if (!this.#stopping) this.#parts.retries.schedule(attempt, () => void this.#tryAgain());
  }

  /** Tries all waiting wires at once: some can be made only together. */
  async #tryAgain(): Promise<void> {
    const { entries } = this.#parts.keeper;
    const isCurrent = ({ wire }: Want) => entries.get(wire.name)?.waiting?.wire === wire;
    try {
      await this.#makeOrWait(this.#waiting(), isCurrent);
    } catch (error) {
      this.#parts.log.error({ error }, 'waiting wires could not be tried; that is tried again');
      this.#schedule();
    }
  }

  #waiting(): Want[] {
    return [...this.#parts.keeper.entries.values()].flatMap(({ waiting }) => waiting ?? []);
  }

  /** Takes its places in the queues before anything else. */
  async #change(wants: readonly Want[], way: Way): Promise<ApplyReport[]> {
    const { admission: parts, queues } = this.#parts;
    const places = new Map<string, Place>();
    for (const { wire } of wants) if (!places.has(wire.name)) places.set(wire.name, queues.enter(wire.name));
    const leave = (names: Iterable<string>) => {
      for (const name of names) places.get(name)?.leave();
    };
    try {
      const admission = await way.admit(
        parts,
        wants.map(({ wire }) => wire),
      );
      try {
        await Promise.all([...places.values()].map(({ turn }) => turn));
        return await this.#act(wants.filter(way.isCurrent ?? (() => true)), admission, way, leave);
      } finally {
        admission.release();
      }
    } finally {
      leave(places.keys());
    }
  }

  /** Makes unrelated wires in parallel. */
  async #act(
    wants: readonly Want[],
    { refused, admitted }: Admission,
    way: Way,
    leave: (names: Iterable<string>) => void,
  ): Promise<ApplyReport[]> {
    const { keeper, reconciler, queues } = this.#parts;
    const reports = new Map<string, ApplyReport>();
    const byName = new Map(wants.map((want) => [want.wire.name, want]));
    const report = async (one: ApplyReport) => {
      reports.set(one.name, one);
      const want = byName.get(one.name);
      if (one.error && want) await way.onFailed?.(want, new CrosswireError(one.error));
    };
    const accepted = wants.flatMap((want) => {
      const resolved = admitted.get(want.wire.name);
      return resolved ? [{ ...want, resolved }] : [];
    });
    for (const [name, error] of refused) await report(failureOf(name, error));
    const changes = await Promise.all(accepted.map((want) => keeper.changeTo(want)));
    await Promise.all(
      reconciler.group(changes).map(async (group) => {
        for (const one of await queues.bounded(() => way.act(group))) await report(one);
        leave(group.map(({ entry }) => entry.name));
      }),
    );
    return wants.map(({ wire }) => reports.get(wire.name) as ApplyReport);
  }
}
