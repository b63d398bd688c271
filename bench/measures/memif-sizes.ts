// SPDX-License-Identifier: Apache-2.0
// Measures memif to memif for several frame sizes, and for IMIX: 7 frames of 64 bytes, 4 of 570, 1 of 1518.

import { type Bench, compare, type Measure, releasing } from '../harness/measure.ts';
import type { Measurement } from '../harness/result.ts';
import { startCrosswireMemif } from '../subjects/crosswire-memif.ts';
import type { MemifBed } from '../subjects/memif.ts';
import { startTestpmdMemif } from '../subjects/testpmd.ts';
import { bed } from './memif-rate.ts';

type Size = number | 'imix';

/** Groups of sizes that use slots of the same size. */
const grouped: readonly (readonly Size[])[] = [[64, 128, 256], [512], [1024], [1500, 'imix'], [9000]];

export const memifSizes: Measure = {
  name: 'memif-sizes',
  run: async (bench) => {
    const short = { ...bench, pairs: bench.quick ? 1 : 3, seconds: bench.seconds / 2 };
    const measured: Sized[] = [];
    for (const group of grouped) measured.push(...(await through(short, group)));
    return withSeries(measured);
  },
};

interface Sized {
  readonly size: Size;
  readonly measurement: Measurement;
}

async function through(bench: Bench, sizes: readonly Size[]): Promise<readonly Sized[]> {
  return releasing(async (own) => {
    const largest = Math.max(...sizes.map((size) => (size === 'imix' ? 1518 : size)));
    const options = { cpu: bench.forwarderCpu, wires: 1, largest };
    const subject = await bed(startCrosswireMemif, bench, options);
    own(() => subject.stop());
    const rival = await bed(startTestpmdMemif, bench, options);
    own(() => rival.stop());
    const measured: Sized[] = [];
    for (const size of sizes) measured.push({ size, measurement: await ofSize(bench, subject, rival, size) });
    return measured;
  });
}

function ofSize(bench: Bench, subject: MemifBed, rival: MemifBed, size: Size): Promise<Measurement> {
  const sampler = (of: MemifBed) => () =>
    of.sample({ mode: 'closed', size, seconds: bench.seconds }, ({ received, seconds }) => received / seconds);
  const headline = {
    name: `memif-sizes-${size}/testpmd`,
    title: `memif to memif, ${size === 'imix' ? 'IMIX' : `frames of ${size} bytes`}`,
    unit: 'frames/s',
    better: 'more',
    subject: 'crosswire',
    rival: 'testpmd',
  } as const;
  return compare(bench, headline, sampler(subject), sampler(rival));
}

/** Adds the curve over all sizes to the first measurement: medians over every pair that counts. */
function withSeries(all: readonly Sized[]): readonly Measurement[] {
  const points = (side: 'subject' | 'rival') =>
    all.flatMap(({ size, measurement: { summaries } }) => {
      const summary = summaries.fast ?? summaries.slow;
      return size === 'imix' || !summary ? [] : [[size, summary[side].median] as const];
    });
  const series = [
    { name: 'crosswire', points: points('subject') },
    { name: 'testpmd', points: points('rival') },
  ];
  return all.map(({ measurement }, i) => (i === 0 ? { ...measurement, series } : measurement));
}
