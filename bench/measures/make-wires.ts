// SPDX-License-Identifier: Apache-2.0
// Measures how long it takes to make kernel wires through the API, one request for each, and to remove them.

import { type Bench, compare, type Headline, type Measure, pairPlan, releasing } from '../harness/measure.ts';
import { type Sample, takePairs } from '../harness/pairs.ts';
import type { Measurement } from '../harness/result.ts';
import { summarise } from '../harness/statistics.ts';
import { type Crowd, numbered, startCrowd } from '../subjects/many-wires.ts';

const atOnce = 4;

export const makeWires: Measure = {
  name: 'make-wires',
  run: (bench) =>
    releasing(async (own) => {
      const count = bench.quick ? 200 : 1000;
      const crowd = await startCrowd(bench.forwarderCpu, count);
      own(() => crowd.destroy());
      // Wires are made and removed in the same round, so the times of removing are recorded while making is measured.
      const removals: Sample[] = [];
      const rounds = { ...bench, pairs: bench.quick ? 1 : 3 };
      const made = await compare(rounds, headline('make', count), async () => {
        const sample = await timed(numbered(count, (number) => () => make(crowd, number)));
        removals.push(await timed(numbered(count, (number) => () => remove(crowd, number))));
        return sample;
      });
      return [made, await replay(rounds, headline('remove', count), removals)];
    }),
};

function headline(verb: 'make' | 'remove', count: number): Headline {
  return {
    name: `${verb}-wires`,
    title: `${verb} ${count} kernel wires, one request for each`,
    unit: 's',
    better: 'less',
    subject: 'crosswire',
    target: (5 * count) / 1000,
  };
}

const make = ({ daemon, kernelWire }: Crowd, number: number) => daemon.applyKept([kernelWire(number)]);
const remove = ({ daemon }: Crowd, number: number) => daemon.removeKept(`kernel-${number}`);

async function timed(tasks: (() => Promise<void>)[]): Promise<Sample> {
  const each: number[] = [];
  const start = performance.now();
  const queue = tasks.values();
  const serve = async () => {
    for (const task of queue) {
      const from = performance.now();
      await task();
      each.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, serve));
  const value = (performance.now() - start) / 1000;
  const sorted = each.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
  return { value, figures: { 'p50 ms of one': at(0.5), 'p99 ms of one': at(0.99) } };
}

async function replay(bench: Bench, of: Headline, samples: readonly Sample[]): Promise<Measurement> {
  const queue = samples.values();
  const plan = { ...pairPlan(bench), pairs: samples.length };
  const next = async (): Promise<Sample> => queue.next().value ?? { value: Number.NaN, spoilt: 'no further sample' };
  const { pairs, dropped, figures } = await takePairs(next, undefined, plan);
  return { ...of, pairs, dropped, figures, summaries: summarise(pairs, of.better) };
}
