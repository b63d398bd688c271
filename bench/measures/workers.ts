// SPDX-License-Identifier: Apache-2.0
// Compares four memif wires on two workers with the same on one. With fewer than three CPUs the second worker shares the
// generator's CPU, so that the rate shows the cost of sharing, not the benefit of a second worker.

import { availableParallelism } from 'node:os';
import { type Bench, type Headline, type Measure, pairPlan, releasing } from '../harness/measure.ts';
import { type Sample, takePairs } from '../harness/pairs.ts';
import type { Measurement } from '../harness/result.ts';
import { summarise } from '../harness/statistics.ts';
import { startCrosswireMemif } from '../subjects/crosswire-memif.ts';
import { type MemifBed, whySpoilt } from '../subjects/memif.ts';
import { bed } from './memif-rate.ts';

const wires = 4;

export const workers: Measure = {
  name: 'workers',
  run: (bench) =>
    releasing(async (own) => {
      const second = secondCpu(bench);
      const two = await start(bench, [bench.forwarderCpu, second]);
      own(() => two.stop());
      const one = await start(bench, [bench.forwarderCpu]);
      own(() => one.stop());
      const paired = await takePairs(sampler(two, bench), sampler(one, bench), pairPlan(bench));
      const shared = second === bench.generatorCpu ? "; the second shares the generator's CPU" : '';
      const rate: Headline = {
        name: 'workers-2',
        title: `${wires} memif wires, 64 bytes, 2 workers against 1${shared}`,
        unit: 'frames/s',
        better: 'more',
        subject: 'crosswire, 2 workers',
        rival: 'crosswire, 1 worker',
      };
      const { pairs, dropped, figures, others } = paired;
      const costs = pairs.map((pair, i) => ({
        ...pair,
        subject: others[i]?.subject['cost'] ?? Number.NaN,
        rival: others[i]?.rival['cost'] ?? Number.NaN,
      }));
      const cost: Measurement = {
        ...rate,
        name: 'workers-2-cost',
        title: `${rate.title}: CPU time of all threads`,
        unit: 'ns/frame',
        better: 'less',
        pairs: costs,
        dropped,
        figures: {},
        summaries: summarise(costs, 'less'),
      };
      return [{ ...rate, pairs, dropped, figures, summaries: summarise(pairs, 'more') }, cost];
    }),
};

function secondCpu({ forwarderCpu, generatorCpu }: Bench): number {
  const all = Array.from({ length: availableParallelism() }, (_, cpu) => cpu);
  return all.find((cpu) => cpu !== forwarderCpu && cpu !== generatorCpu) ?? generatorCpu;
}

function start(bench: Bench, workerCpus: readonly number[]): Promise<MemifBed> {
  const options = { cpu: bench.forwarderCpu, wires, largest: 64 };
  return bed((plain) => startCrosswireMemif({ ...plain, workerCpus }), bench, options);
}

function sampler(of: MemifBed, { seconds }: Bench): () => Promise<Sample> {
  return async () => {
    const sample = await of.sample(
      { mode: 'closed', size: 64, seconds },
      (outcome) => outcome.received / outcome.seconds,
    );
    const { outcome, spoilt: _, ...rest } = sample;
    // A worker that shares a CPU is supposed to wait for it, so only damaged frames make a sample invalid.
    const spoilt = whySpoilt(outcome, [0]);
    const cost = ((sample.figures?.['CPU cores'] ?? Number.NaN) / sample.value) * 1e9;
    return { ...rest, others: { cost }, ...(spoilt === undefined ? {} : { spoilt }) };
  };
}
