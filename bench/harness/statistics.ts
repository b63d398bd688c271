// SPDX-License-Identifier: Apache-2.0
// Computes medians and ranges over the pairs of one machine state.

import type { MachineState, Measurement, Pair, Spread, Summary } from './result.ts';

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

export function spread(values: readonly number[]): Spread {
  return { least: Math.min(...values), median: median(values), most: Math.max(...values) };
}

/** Above 1 the subject is better, whatever the unit. */
export function ratio(pair: Pick<Pair, 'subject' | 'rival'>, better: Measurement['better']): number {
  return better === 'more' ? pair.subject / pair.rival : pair.rival / pair.subject;
}

export function summarise(
  pairs: readonly Pair[],
  better: Measurement['better'],
): Readonly<Partial<Record<MachineState, Summary>>> {
  const summaries: Partial<Record<MachineState, Summary>> = {};
  for (const state of ['fast', 'slow'] as const) {
    const members = pairs.filter((pair) => pair.state === state);
    if (members.length === 0) continue;
    summaries[state] = {
      pairs: members.length,
      subject: spread(members.map((pair) => pair.subject)),
      rival: spread(members.map((pair) => pair.rival)),
      ratio: spread(members.map((pair) => ratio(pair, better))),
    };
  }
  return summaries;
}

/** The median of each figure over the samples that have it. */
export function medianFigures(samples: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = new Set(samples.flatMap((figures) => Object.keys(figures)));
  const values = (name: string) => samples.map((figures) => figures[name]).filter((value) => value !== undefined);
  return Object.fromEntries([...names].map((name) => [name, median(values(name))]));
}
