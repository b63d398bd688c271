// SPDX-License-Identifier: Apache-2.0
// The counters of one wire: the sum over all interfaces and engine wires that the wire has had. The last value of a source that
// disappears is kept, so that no sum ever decreases.

import { statisticsAt, wordsPerInterface } from '../../dataplane/statistics.ts';
import type { Dataplane, EngineCounters, EngineWireId, InterfaceStatistics } from '../../dataplane/types.ts';
import type { WireCounters } from '../../model/status.ts';
import { type InterfaceState, sameNamespace } from '../../plan/state.ts';
import { interfaceTraits } from '../../wire/mechanisms/index.ts';
import { Roll } from './roll.ts';
import { hasFallen, noCounters, ofDevice, ofEngine, ofTap, ofTunnel, ofVethSide, sum } from './tally.ts';

const noEngineWires: EngineCounters = { ids: [], wordsPerEnd: 0, words: new BigUint64Array() };

/** A copy of one row as 32-bit words: comparing them allocates no BigInt. */
type Words = Uint32Array;

interface InterfaceSource {
  state: InterfaceState;
  last: WireCounters;
  read?: Words;
}

interface EngineSource {
  readonly id: EngineWireId;
  last: WireCounters;
  read?: Words;
}

/** One reading of the data plane for any number of wires. */
export interface Reading {
  /** Row i belongs to exactly this state object: after a renaming the numbers may belong to another interface. */
  readonly states: readonly InterfaceState[];
  readonly statistics: (row: number) => InterfaceStatistics | undefined;
  readonly interfaceWords: Words;
  readonly engineRow: (id: EngineWireId) => number | undefined;
  readonly engineWords: Words;
  readonly wordsPerWire: number;
  readonly dropReasons: readonly string[];
}

export class WireMeter {
  #gone: WireCounters = noCounters;
  #interfaces: InterfaceSource[] = [];
  #engine: EngineSource | undefined;
  #total: WireCounters | undefined;

  get interfaces(): readonly { readonly state: InterfaceState }[] {
    return this.#interfaces;
  }

  /** `first`: the row of the wire's first interface. A source that cannot be read keeps its last value. Cheap if nothing has
   *  changed. */
  total(reading: Reading, first: number): WireCounters {
    for (const [at, source] of this.#interfaces.entries()) {
      const row = first + at;
      if (reading.states[row] !== source.state) continue;
      const words = changed(source.read, reading.interfaceWords, row, wordsPerInterface);
      const statistics = words && reading.statistics(row);
      if (!statistics) continue;
      this.#renew(source, contribution(source.state, statistics));
      source.read = words;
    }
    const row = this.#engine && reading.engineRow(this.#engine.id);
    if (this.#engine && row !== undefined) {
      const words = changed(this.#engine.read, reading.engineWords, row, reading.wordsPerWire);
      if (words) {
        this.#renew(this.#engine, ofEngine(new BigUint64Array(words.buffer), reading.dropReasons));
        this.#engine.read = words;
      }
    }
    this.#total ??= this.#add();
    return this.#total;
  }

  #add(): WireCounters {
    let total = this.#gone;
    for (const { last } of this.#interfaces) total = sum(total, last);
    return this.#engine ? sum(total, this.#engine.last) : total;
  }

  /** Reads this wire only; also called just before a source is removed. */
  async refresh(dataplane: Dataplane): Promise<WireCounters> {
    return this.total(await read(dataplane, new Roll([this]), this.#engine?.id ?? 'none'), 0);
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

  /** Called after an observation, with the interfaces that exist. */
  settle(interfaces: readonly InterfaceState[]): void {
    for (const { state } of this.#interfaces) if (!interfaces.some((one) => isSame(one, state))) this.forget(state);
    for (const state of interfaces) this.watch(state);
  }

  /** A value that decreased belongs to a new resource with the old name. */
  #renew(source: { last: WireCounters }, now: WireCounters): void {
    if (hasFallen(source.last, now)) this.#gone = sum(this.#gone, source.last);
    source.last = now;
    this.#total = undefined;
  }

  #find(state: InterfaceState): InterfaceSource | undefined {
    return this.#interfaces.find((source) => isSame(source.state, state));
  }
}

/** Reads the interfaces of a roll, and all engine wires or one. */
export async function read(dataplane: Dataplane, roll: Roll, engine: EngineWireId | 'all' | 'none'): Promise<Reading> {
  const rows = await dataplane.readStatistics(roll.places);
  const { ids, words, wordsPerEnd } =
    engine === 'none' ? noEngineWires : dataplane.readCounters(engine === 'all' ? undefined : engine);
  const rowOfWire = new Map<EngineWireId, number>();
  for (const [row, id] of ids.entries()) rowOfWire.set(id, row);
  return {
    states: roll.states,
    statistics: (row) => statisticsAt(rows, row),
    interfaceWords: halves(rows.words),
    engineRow: (id) => rowOfWire.get(id),
    engineWords: halves(words),
    wordsPerWire: 2 * wordsPerEnd,
    dropReasons: dataplane.dropReasons,
  };
}

function halves({ buffer, byteOffset, length }: BigUint64Array): Words {
  return new Uint32Array(buffer, byteOffset, 2 * length);
}

/** A copy of the row if it has changed. A view would keep the reading of all wires in memory. */
function changed(before: Words | undefined, all: Words, row: number, words: number): Words | undefined {
  const [first, end] = [2 * words * row, 2 * words * (row + 1)];
  let at = first;
  if (before) while (at < end && before[at - first] === all[at]) at++;
  return at === end ? undefined : all.slice(first, end);
}

function contribution({ end, kind, counted }: InterfaceState, statistics: InterfaceStatistics): WireCounters {
  if (counted === 'nothing') return noCounters;
  if (counted === 'drops') return ofTap(end, statistics);
  switch (interfaceTraits(kind)?.made) {
    case 'pair':
      return ofVethSide(end, statistics);
    case 'lent':
      return ofDevice(end, statistics);
    case 'tap':
      return ofTap(end, statistics);
    default:
      return ofTunnel(end, statistics);
  }
}

function isSame(a: InterfaceState, b: InterfaceState): boolean {
  return a.name === b.name && sameNamespace(a.namespace, b.namespace);
}
