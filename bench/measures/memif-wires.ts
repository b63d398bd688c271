// SPDX-License-Identifier: Apache-2.0
// Measures what idle wires cost active ones: 10 active wires among 10, 100 and 1,000, and one alone.

import { type Bench, compare, type Measure, releasing } from '../harness/measure.ts';
import type { Measurement } from '../harness/result.ts';
import { startCrosswireMemif } from '../subjects/crosswire-memif.ts';
import type { MemifBed } from '../subjects/memif.ts';
import { bed } from './memif-rate.ts';

const active = 10;

export const memifWires: Measure = {
  name: 'memif-wires',
  run: (bench) =>
    releasing(async (own) => {
      const few = await start(bench, active);
      own(() => few.stop());
      const measurements: Measurement[] = [];
      for (const configured of bench.quick ? [1000] : [1, 100, 1000])
        measurements.push(await among(bench, few, configured));
      return withSeries(measurements);
    }),
};

function start(bench: Bench, configured: number): Promise<MemifBed> {
  const wires = Math.min(active, configured);
  const options = { cpu: bench.forwarderCpu, wires, idleWires: configured - wires, largest: 64 };
  return bed(startCrosswireMemif, bench, options);
}

async function among(bench: Bench, few: MemifBed, configured: number): Promise<Measurement> {
  return releasing(async (own) => {
    const many = await start(bench, configured);
    own(() => many.stop());
    const sampler = (of: MemifBed) => () =>
      of.sample(
        { mode: 'closed', size: 64, window: 128, burst: 64, seconds: bench.seconds },
        ({ received, seconds }) => received / seconds,
      );
    const headline = {
      name: `memif-wires-${configured}`,
      title: `${Math.min(active, configured)} active wires of ${configured}, frames of 64 bytes`,
      unit: 'frames/s',
      better: 'more',
      subject: `crosswire, ${configured} wires`,
      rival: `crosswire, ${active} wires`,
      ...(configured > active ? { target: 0.9 } : {}),
    } as const;
    return compare(bench, headline, sampler(many), sampler(few));
  });
}

function withSeries(measurements: readonly Measurement[]): readonly Measurement[] {
  const points = measurements.flatMap(({ name, figures }) => {
    const cost = figures['ns per frame'];
    return cost === undefined ? [] : [[Number(name.split('-').at(-1)), cost] as const];
  });
  const series = [{ name: 'ns per frame by number of wires', points }];
  return measurements.map((measurement, i) => (i === 0 ? { ...measurement, series } : measurement));
}
