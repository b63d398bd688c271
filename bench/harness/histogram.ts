// SPDX-License-Identifier: Apache-2.0
// Percentiles of the generator's log-linear histograms (bench/generator/histogram.hpp).

import type { Bucket } from './result.ts';

export type { Bucket } from './result.ts';

export function mergeBuckets(histograms: readonly (readonly Bucket[])[]): Bucket[] {
  const counts = new Map<number, number>();
  for (const [lowest, count] of histograms.flat()) counts.set(lowest, (counts.get(lowest) ?? 0) + count);
  return [...counts].toSorted(([a], [b]) => a - b);
}

/** The lowest value of the bucket that contains the percentile (0 to 1); NaN if the histogram is empty. */
export function percentile(buckets: readonly Bucket[], share: number): number {
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  const rank = Math.max(1, Math.ceil(total * share));
  let seen = 0;
  for (const [lowest, count] of buckets) {
    seen += count;
    if (seen >= rank) return lowest;
  }
  return Number.NaN;
}

/** The mean of the buckets' lowest values: at most 1.6 % below the true mean. */
export function mean(buckets: readonly Bucket[]): number {
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  return buckets.reduce((sum, [lowest, count]) => sum + lowest * (count / total), 0);
}
