// SPDX-License-Identifier: Apache-2.0
// Measures the latency of the first frame on a cold wire, without traffic for much longer than a worker keeps polling.

import { mergeBuckets, percentile, type Bucket } from '../harness/histogram.ts';
import { compare, type Measure, releasing } from '../harness/measure.ts';
import { startCrosswireMemif } from '../subjects/crosswire-memif.ts';
import { bed } from './memif-rate.ts';

export const coldWake: Measure = {
  name: 'cold-wake',
  run: (bench) =>
    releasing(async (own) => {
      const subject = await bed(startCrosswireMemif, bench, { cpu: bench.forwarderCpu, wires: 1, largest: 64 });
      own(() => subject.stop());
      const histograms: (readonly Bucket[])[] = [];
      const headline = {
        name: 'cold-wake',
        title: 'p50 of the first frame on a cold wire, memif to memif',
        unit: 'µs',
        better: 'less',
        subject: 'crosswire',
        target: 100,
      } as const;
      const trial = { mode: 'cold', size: 64, pause: 0.01, warmUp: 0.05, seconds: 2 * bench.seconds } as const;
      const measurement = await compare(bench, headline, async () => {
        const { outcome, ...sample } = await subject.sample(
          trial,
          ({ latencies }) => percentile(latencies, 0.5) / 1000,
        );
        histograms.push(outcome.latencies);
        return {
          ...sample,
          figures: { 'p99 µs': percentile(outcome.latencies, 0.99) / 1000, frames: outcome.received },
        };
      });
      const all = mergeBuckets(histograms);
      const points = [0.5, 0.9, 0.99].map((at) => [at * 100, percentile(all, at) / 1000] as const);
      return [{ ...measurement, series: [{ name: 'crosswire', points }] }];
    }),
};
