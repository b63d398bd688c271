// SPDX-License-Identifier: Apache-2.0
// The families of all wires, one after the other as the format wants them. Most of the text is the same from scrape to
// scrape: it is kept as bytes, for some wires and one family together, and made again when one of its numbers is another.

import type { WireCounters, WireStatus } from '../model/status.ts';
import type { ChunkWriter } from './chunk-writer.ts';
import { heading } from './text-format.ts';
import { families, type Row } from './wire-families.ts';
import { WireLabels } from './wire-labels.ts';

/** Status and counters of one moment. */
export interface WireSample {
  readonly status: WireStatus;
  readonly counters: WireCounters | undefined; // a wire that was never made has none
}

/** Wires that are rendered together: enough for few writes, few enough for one that moves not to cost much. */
interface Group {
  rows: readonly Row[];
  blocks: readonly Buffer[]; // by family
}
const groupSize = 64;

export class WireRenderer {
  readonly #labels = new WireLabels();
  #groups: Group[] = [];

  async render(samples: readonly WireSample[], out: ChunkWriter): Promise<void> {
    const groups: Group[] = [];
    for (let first = 0; first < samples.length; first += groupSize) {
      const rows = samples.slice(first, first + groupSize).map((sample) => this.#row(sample));
      groups.push(renew(this.#groups[groups.length], rows));
      if (out.due) await out.pause();
    }
    this.#groups = groups;
    this.#labels.keepOnly(samples.map(({ status }) => status));
    for (const [at, { metric }] of families.entries()) {
      out.write(heading(metric));
      for (const { blocks } of groups) out.writeBytes(blocks[at]);
      if (out.due) await out.pause();
    }
  }

  #row({ status, counters }: WireSample): Row {
    return { text: this.#labels.of(status), counters, up: status.client.up && status.endpoint.up };
  }
}

function renew(before: Group | undefined, rows: readonly Row[]): Group {
  const comparable =
    before?.rows.length === rows.length && rows.every(({ text }, at) => text === before.rows[at]?.text);
  if (before && comparable && rows.every((row, at) => sameRow(before.rows[at] as Row, row))) return before;
  const blocks = families.map(({ lines, same }, at) => {
    const kept = comparable ? before?.blocks[at] : undefined;
    if (kept && rows.every((row, index) => same(before?.rows[index] as Row, row))) return kept;
    return Buffer.from(rows.map(lines).join(''));
  });
  return { rows, blocks };
}

function sameRow(before: Row, now: Row): boolean {
  return before.counters === now.counters && before.up === now.up;
}
