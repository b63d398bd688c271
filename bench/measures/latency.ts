// SPDX-License-Identifier: Apache-2.0
// Measures the latency of frames of 64 bytes from memif to memif, at fractions of the rate that both carry without loss.
// Latency starts when a frame was due, so that it includes the time for which a forwarder makes the generator wait.

import { type Bucket, mergeBuckets, percentile } from '../harness/histogram.ts';
import { type Bench, type Headline, type Measure, pairPlan, releasing } from '../harness/measure.ts';
import type { Sample } from '../harness/pairs.ts';
import { type Paired, takePairs } from '../harness/pairs.ts';
import type { Measurement } from '../harness/result.ts';
import { noDropRate } from '../harness/search.ts';
import { summarise } from '../harness/statistics.ts';
import { startCrosswireMemif } from '../subjects/crosswire-memif.ts';
import type { MemifBed } from '../subjects/memif.ts';
import { startTestpmdMemif } from '../subjects/testpmd.ts';
import { bed } from './memif-rate.ts';

const shares = [0.1, 0.5, 0.9];
const charted = [0.5, 0.75, 0.9, 0.99, 0.999, 0.9999];

export const latency: Measure = {
  name: 'latency',
  run: (bench) =>
    releasing(async (own) => {
      const options = { cpu: bench.forwarderCpu, wires: 1, largest: 64 };
      const subject = await bed(startCrosswireMemif, bench, options);
      own(() => subject.stop());
      const rival = await bed(startTestpmdMemif, bench, options);
      own(() => rival.stop());
      const rates = { subject: await search(subject, bench), rival: await search(rival, bench) };
      bench.log(`  without loss: crosswire ${Math.round(rates.subject)}, testpmd ${Math.round(rates.rival)} frames/s`);
      const measurements: Measurement[] = [];
      for (const share of bench.quick ? shares.slice(0, 2) : shares)
        measurements.push(...(await atShare(bench, subject, rival, rates, share)));
      return measurements;
    }),
};

interface Rates {
  readonly subject: number;
  readonly rival: number;
}

async function search(of: MemifBed, bench: Bench): Promise<number> {
  const seconds = bench.quick ? 0.2 : 0.5;
  const most = await of.sample({ mode: 'closed', size: 64, seconds }, ({ received, seconds: all }) => received / all);
  return noDropRate(most.value, async (rate) => {
    const trial = { mode: 'open', size: 64, rate, seconds } as const;
    let sample = await of.sample(trial, () => rate);
    // A loss while another process had the CPU says nothing about the rate.
    for (let again = 0; again < 3 && sample.spoilt !== undefined; again++) sample = await of.sample(trial, () => rate);
    const { due, sent, lost } = sample.outcome;
    return { offered: due, sent, lost };
  });
}

async function atShare(
  bench: Bench,
  subject: MemifBed,
  rival: MemifBed,
  rates: Rates,
  share: number,
): Promise<readonly Measurement[]> {
  // The same load for both: a fraction of the rate of the slower one.
  const rate = Math.max(1000, share * Math.min(rates.subject, rates.rival));
  const histograms = { subject: [] as (readonly Bucket[])[], rival: [] as (readonly Bucket[])[] };
  const sampler = (of: MemifBed, seen: (readonly Bucket[])[]) => async (): Promise<Sample> => {
    const sample = await of.sample({ mode: 'open', size: 64, rate, seconds: bench.seconds }, (outcome) =>
      microseconds(outcome.latencies, 0.5),
    );
    seen.push(sample.outcome.latencies);
    return { ...sample, others: { p99: microseconds(sample.outcome.latencies, 0.99) } };
  };
  const paired = await takePairs(
    sampler(subject, histograms.subject),
    sampler(rival, histograms.rival),
    pairPlan(bench),
  );
  const series = (['subject', 'rival'] as const).map((side) => ({
    name: side === 'subject' ? 'crosswire' : 'testpmd',
    points: charted.map((at) => [at * 100, microseconds(mergeBuckets(histograms[side]), at)] as const),
  }));
  const figures = {
    ...paired.figures,
    'offered frames/s': rate,
    'no-drop frames/s': rates.subject,
    'no-drop frames/s of testpmd': rates.rival,
  };
  const percent = Math.round(share * 100);
  const headline = (percentileName: string): Headline => ({
    name: `latency-${percent}-${percentileName}/testpmd`,
    title: `${percentileName} of one way, memif to memif, 64 bytes at ${percent} % of the no-drop rate`,
    unit: 'µs',
    better: 'less',
    subject: 'crosswire',
    rival: 'testpmd',
    target: 1 / 1.2,
  });
  return [
    { ...headline('p50'), ...measured(paired, undefined), figures, series },
    { ...headline('p99'), ...measured(paired, 'p99'), figures },
  ];
}

function measured({ pairs: taken, others, dropped }: Paired, other: string | undefined) {
  const pairs = taken.map((pair, i) => {
    const values = others[i];
    if (other === undefined || values === undefined) return pair;
    return { ...pair, subject: values.subject[other] ?? Number.NaN, rival: values.rival[other] ?? Number.NaN };
  });
  return { pairs, dropped, summaries: summarise(pairs, 'less') };
}

const microseconds = (buckets: readonly Bucket[], share: number) => percentile(buckets, share) / 1000;
