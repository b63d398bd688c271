// SPDX-License-Identifier: Apache-2.0
// Rows of words as the numbers they mean, and back.

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
  const first = row * wordsPerInterface;
  return Object.fromEntries(names.map((name, at) => [name, words[first + at]])) as unknown as InterfaceStatistics;
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
