// SPDX-License-Identifier: Apache-2.0
// The counters of one wire over the interfaces and engine wires it consists of in the course of its life. A source that
// goes leaves what it last counted, so that no sum ever falls.

import type { Dataplane, EngineCounters, EngineWireId, InterfaceStatistics } from '../dataplane/types.ts';
import type { WireCounters } from '../model/status.ts';
import type { EndName } from '../model/wire.ts';
import { type InterfaceState, sameNamespace } from '../plan/state.ts';
import { hasFallen, noCounters, ofEngine, ofTap, ofVethSide, sum } from './tally.ts';

interface InterfaceSource {
  state: InterfaceState;
  last: WireCounters;
  read?: InterfaceStatistics;
}

interface EngineSource {
  readonly id: EngineWireId;
  last: WireCounters;
  read?: BigUint64Array;
}

/** One reading of the data plane, for any number of wires. An interface is asked for by the very state it was read by:
 *  if it has been renamed meanwhile, the numbers may be another's. */
export interface Reading {
  readonly statistics: (state: InterfaceState) => InterfaceStatistics | undefined;
  readonly row: (id: EngineWireId) => BigUint64Array | undefined;
  readonly dropReasons: readonly string[];
}

export class WireMeter {
  #gone: WireCounters = noCounters;
  #interfaces: InterfaceSource[] = [];
  #engine: EngineSource | undefined;
  #total: WireCounters | undefined;

  interfaces(): InterfaceState[] {
    return this.#interfaces.map(({ state }) => state);
  }

  /** What cannot be read just now counts as it did. Costs next to nothing where nothing moved. */
  total({ statistics, row, dropReasons }: Reading): WireCounters {
    for (const source of this.#interfaces) {
      const now = statistics(source.state);
      if (!now || (source.read && sameStatistics(source.read, now))) continue;
      this.#renew(source, contribution(source.state.end, source.state.kind, now));
      source.read = now;
    }
    const words = this.#engine && row(this.#engine.id);
    if (this.#engine && words && !(this.#engine.read && sameWords(this.#engine.read, words))) {
      this.#renew(this.#engine, ofEngine(words, dropReasons));
      this.#engine.read = words;
    }
    this.#total ??= this.#add();
    return this.#total;
  }

  #add(): WireCounters {
    let total = this.#gone;
    for (const { last } of this.#interfaces) total = sum(total, last);
    return this.#engine ? sum(total, this.#engine.last) : total;
  }

  /** Of this wire alone: done just before a source goes. */
  async refresh(dataplane: Dataplane): Promise<void> {
    this.total(await read(dataplane, this.interfaces()));
  }

  watch(state: InterfaceState): void {
    if (!this.#find(state)) this.#interfaces.push({ state, last: noCounters });
  }

  rename(from: InterfaceState, to: InterfaceState): void {
    const source = this.#find(from);
    if (source) source.state = to;
  }

  forget(state: InterfaceState): void {
    const source = this.#find(state);
    if (!source) return;
    this.#gone = sum(this.#gone, source.last);
    this.#interfaces = this.#interfaces.filter((other) => other !== source);
  }

  watchEngine(id: EngineWireId | undefined): void {
    if (this.#engine?.id === id) return;
    if (this.#engine) this.#gone = sum(this.#gone, this.#engine.last);
    this.#engine = id === undefined ? undefined : { id, last: noCounters };
  }

  /** After a look at what exists. */
  settle(interfaces: readonly InterfaceState[]): void {
    for (const { state } of this.#interfaces) if (!interfaces.some((one) => isSame(one, state))) this.forget(state);
    for (const state of interfaces) this.watch(state);
  }

  /** A value that fell belongs to a new thing of the old name. */
  #renew(source: { last: WireCounters }, now: WireCounters): void {
    if (hasFallen(source.last, now)) this.#gone = sum(this.#gone, source.last);
    source.last = now;
    this.#total = undefined;
  }

  #find(state: InterfaceState): InterfaceSource | undefined {
    return this.#interfaces.find((source) => isSame(source.state, state));
  }
}

export async function read(dataplane: Dataplane, states: readonly InterfaceState[]): Promise<Reading> {
  const places = states.map(({ namespace, name }) => ({ netns: namespace.path, name }));
  const statistics = places.length > 0 ? await dataplane.readStatistics(places) : [];
  const byState = new Map(states.map((state, at) => [state, statistics[at] ?? undefined]));
  const counters = dataplane.readCounters();
  const rows = new Map(counters.ids.map((id, at) => [id, at]));
  return {
    statistics: (state) => byState.get(state),
    row: (id) => rowOf(counters, rows.get(id)),
    dropReasons: dataplane.dropReasons,
  };
}

function rowOf({ words, wordsPerEnd }: EngineCounters, row: number | undefined): BigUint64Array | undefined {
  return row === undefined ? undefined : words.subarray(row * 2 * wordsPerEnd, (row + 1) * 2 * wordsPerEnd);
}

function contribution(end: EndName, kind: InterfaceState['kind'], statistics: InterfaceStatistics): WireCounters {
  return kind === 'veth' ? ofVethSide(end, statistics) : ofTap(end, statistics);
}

function sameStatistics(a: InterfaceStatistics, b: InterfaceStatistics): boolean {
  return (Object.keys(a) as (keyof InterfaceStatistics)[]).every((key) => a[key] === b[key]);
}

function sameWords(a: BigUint64Array, b: BigUint64Array): boolean {
  return a.length === b.length && a.every((word, at) => word === b[at]);
}

function isSame(a: InterfaceState, b: InterfaceState): boolean {
  return a.name === b.name && sameNamespace(a.namespace, b.namespace);
}
