// SPDX-License-Identifier: Apache-2.0
// Renders the metric families of all wires. Most of the text does not change between two scrapes, so it is cached as bytes,
// one block for each group of wires and family, and a block is rendered again only if one of its numbers has changed.

import type { WireCounters } from '../model/status.ts';
import type { WireStatus } from '../wire/status.ts';
import type { ChunkWriter } from './chunk-writer.ts';
import { heading } from './text-format.ts';
import { families, type Row } from './wire-families.ts';
import { WireLabels } from './wire-labels.ts';

/** A snapshot of status and counters. A wire that was never made has no counters. */
export interface WireSamples {
  readonly wires: readonly WireStatus[];
  readonly counters: ReadonlyMap<string, WireCounters>;
}

/** Wires that are rendered together. A larger group means fewer writes, a smaller one less work when one wire changes. */
interface Group {
  rows: readonly Row[];
  blocks: readonly Buffer[]; // by family
}
const groupSize = 64;

export class WireRenderer {
  readonly #labels = new WireLabels();
  #groups: Group[] = [];

  async render(samples: WireSamples, out: ChunkWriter): Promise<void> {
    const { wires } = samples;
    const groups: Group[] = [];
    for (let first = 0; first < wires.length; first += groupSize) {
      groups.push(this.#renew(this.#groups[groups.length], samples, first));
      if (out.due) await out.pause();
    }
    this.#groups = groups;
    this.#labels.keepOnly(wires);
    for (const [at, { metric }] of families.entries()) {
      out.write(heading(metric));
      for (const { blocks } of groups) out.writeBytes(blocks[at]);
      if (out.due) await out.pause();
    }
  }

  #renew(before: Group | undefined, { wires, counters }: WireSamples, first: number): Group {
    if (before && isOf(before, { wires, counters }, first)) return before;
    const rows = wires.slice(first, first + groupSize).map((status) => ({
      status,
      text: this.#labels.of(status),
      counters: counters.get(status.name),
      up: isUp(status),
    }));
    return renew(before, rows);
  }
}

/** Whether the group still shows exactly these wires. Allocates nothing: this is the usual case of every scrape. */
function isOf({ rows }: Group, { wires, counters }: WireSamples, first: number): boolean {
  if (rows.length !== Math.min(groupSize, wires.length - first)) return false;
  for (let at = 0; at < rows.length; at++) {
    const [row, status] = [rows[at] as Row, wires[first + at] as WireStatus];
    if (row.status !== status || row.counters !== counters.get(status.name)) return false;
  }
  return true;
}

function isUp({ client, endpoint }: WireStatus): boolean {
  return client.up && endpoint.up;
}

function renew(before: Group | undefined, rows: readonly Row[]): Group {
  const comparable =
    before?.rows.length === rows.length && rows.every(({ text }, at) => text === before.rows[at]?.text);
  const blocks = families.map(({ lines, same }, at) => {
    const kept = comparable ? before?.blocks[at] : undefined;
    if (kept && rows.every((row, index) => same(before?.rows[index] as Row, row))) return kept;
    return Buffer.from(rows.map(lines).join(''));
  });
  return { rows, blocks };
}
