// SPDX-License-Identifier: Apache-2.0
// Translates rows of words into InterfaceStatistics and back.

import type { InterfaceStatistics, StatisticsRows } from './types.ts';

export const wordsPerInterface = 8;

const names = [
  'rxPackets',
  'txPackets',
  'rxBytes',
  'txBytes',
  'rxErrors',
  'txErrors',
  'rxDropped',
  'txDropped',
] as const satisfies (keyof InterfaceStatistics)[];

export function statisticsAt({ found, words }: StatisticsRows, row: number): InterfaceStatistics | undefined {
  if (!found[row]) return undefined;
  const word = (at: number) => words[row * wordsPerInterface + at] as bigint;
  return {
    rxPackets: word(0),
    txPackets: word(1),
    rxBytes: word(2),
    txBytes: word(3),
    rxErrors: word(4),
    txErrors: word(5),
    rxDropped: word(6),
    txDropped: word(7),
  };
}

export function statisticsRows(rows: readonly (InterfaceStatistics | undefined)[]): StatisticsRows {
  const words = new BigUint64Array(rows.length * wordsPerInterface);
  for (const [row, statistics] of rows.entries())
    if (statistics)
      words.set(
        names.map((name) => statistics[name]),
        row * wordsPerInterface,
      );
  return { found: Uint8Array.from(rows, (one) => (one ? 1 : 0)), words };
}
