// SPDX-License-Identifier: Apache-2.0
// Latency distributions of a measurement in one machine state, over all samples that count.

import { mean, mergeBuckets, percentile } from '../harness/histogram.ts';
import type { MachineState, Measurement, Series } from '../harness/result.ts';
import { seriesOver } from './rows.ts';

const told = [0, 50, 75, 90, 99, 99.9, 99.99, 100];

/** From the samples' histograms, or, if there are none, from the measurement's own series. */
export function distributionsOf(measurement: Measurement, state: MachineState): readonly Series[] {
  const { subject, rival } = measurement;
  const own = [distributionOf(measurement, state, 'subject', subject)];
  if (rival !== undefined) own.push(distributionOf(measurement, state, 'rival', rival));
  const found = own.filter((series) => series !== undefined);
  return found.length > 0 ? found : seriesOver(measurement, 'percentile');
}

function distributionOf(
  { pairs }: Measurement,
  state: MachineState,
  side: 'subject' | 'rival',
  name: string,
): Series | undefined {
  const counted = pairs.filter((pair) => pair.state === state);
  const buckets = mergeBuckets(counted.map(({ samples }) => samples?.[side]?.latencies ?? []));
  const frames = buckets.reduce((sum, [, count]) => sum + count, 0);
  if (frames === 0) return undefined;
  // The percentile of one frame in ten thousand needs at least ten thousand frames.
  const known = told.filter((at) => at === 100 || frames * (100 - at) >= 100);
  const points = known.map((at) => [at, percentile(buckets, at / 100) / 1000] as const);
  return { name, x: 'percentile', unit: 'µs', mean: mean(buckets) / 1000, points };
}
