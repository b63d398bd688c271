// SPDX-License-Identifier: Apache-2.0
// Measures the cost of idle wires by their number. docs/scaling.md compares its model with these figures.

import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type Bench, compare, type Measure, releasing } from '../harness/measure.ts';
import { residentMebibytes, usageOf } from '../harness/process.ts';
import type { Measurement } from '../harness/result.ts';
import { type Crowd, numbered, startCrowd } from '../subjects/many-wires.ts';

type Mechanism = 'kernel' | 'memif';

/** An idle memif end needs two descriptors, and 20,000 is a common limit. */
const most: Readonly<Record<Mechanism, number>> = { kernel: 10_000, memif: 4000 };
const few = [1, 10, 100, 1000];
const resyncSeconds = 30; // the default
const scrapes = 5;

export const scaling: Measure = { name: 'scaling', run: (bench) => both(bench, () => few) };

export const scalingMost: Measure = {
  name: 'scaling-most',
  onlyByName: true,
  run: (bench) => both(bench, (mechanism) => [most[mechanism]]),
};

async function both(bench: Bench, steps: (mechanism: Mechanism) => readonly number[]): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  for (const mechanism of ['kernel', 'memif'] as const)
    measurements.push(...(await byNumber(bench, mechanism, steps(mechanism))));
  return measurements;
}

function byNumber(bench: Bench, mechanism: Mechanism, steps: readonly number[]): Promise<readonly Measurement[]> {
  return releasing(async (own) => {
    const crowd = await startCrowd(bench.forwarderCpu, mechanism === 'kernel' ? (steps.at(-1) as number) : 0);
    own(() => crowd.destroy());
    own(() => crowd.daemon.stop()); // the wires disappear with their namespaces
    const measurements: Measurement[] = [];
    let made = 0;
    for (const count of steps) {
      measurements.push(await withWires(bench, mechanism, crowd, made, count));
      made = count;
    }
    return measurements;
  });
}

async function withWires(
  bench: Bench,
  mechanism: Mechanism,
  crowd: Crowd,
  before: number,
  wires: number,
): Promise<Measurement> {
  const { daemon, kernelWire, memifWire } = crowd;
  const { pid } = daemon.process;
  const cpu = () => usageOf(pid).cpuSeconds;
  const make = mechanism === 'kernel' ? kernelWire : memifWire;
  const [from, cpuFrom] = [performance.now(), cpu()];
  await crowd.apply(numbered(wires, make).slice(before));
  const making = {
    'ms to make one': (performance.now() - from) / (wires - before),
    'CPU ms to make one': (1000 * (cpu() - cpuFrom)) / (wires - before),
  };
  await pause(2000); // until the work that follows making them is done
  const seconds = wires >= 1000 ? resyncSeconds : 5; // with many wires, the interval must contain exactly one resync
  const idleFrom = cpu();
  await pause(seconds * 1000);
  const idle = { 'idle CPU %': (100 * (cpu() - idleFrom)) / seconds };
  const headline = {
    name: `scaling-${mechanism}-${wires}`,
    title: `CPU of one scrape with ${wires} idle ${mechanism} wires`,
    unit: 'ms',
    better: 'less',
    subject: 'crosswire',
  } as const;
  await daemon.scrape(); // the first scrape of new wires builds their labels
  return compare({ ...bench, pairs: 3 }, headline, async () => {
    const [start, cpuStart] = [performance.now(), cpu()];
    for (let i = 0; i < scrapes; i++) await daemon.scrape();
    const wall = { 'wall ms of a scrape': (performance.now() - start) / scrapes };
    const held = { 'RSS MiB': residentMebibytes(pid), descriptors: readdirSync(`/proc/${pid}/fd`).length };
    const figures = { ...making, ...idle, ...wall, ...held };
    return { value: (1000 * (cpu() - cpuStart)) / scrapes, figures, traffic: { wires } };
  });
}
