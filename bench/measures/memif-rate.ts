// SPDX-License-Identifier: Apache-2.0
// Measures how many frames per second one worker carries from memif to memif: a closed loop, with every frame checked.

import { Generator, type Trial } from '../harness/generator.ts';
import { Absent, type Bench, type Headline, pairPlan, releasing, skipped } from '../harness/measure.ts';
import { type Paired, takePairs } from '../harness/pairs.ts';
import type { Measurement } from '../harness/result.ts';
import { summarise } from '../harness/statistics.ts';
import { startCrosswireMemif } from '../subjects/crosswire-memif.ts';
import { cyclesPerFrame, generatorFor, MemifBed, type MemifForwarder, type MemifOptions } from '../subjects/memif.ts';
import { startTestpmdMemif } from '../subjects/testpmd.ts';
import { startVppMemif } from '../subjects/vpp.ts';

export type Start = (options: MemifOptions) => Promise<MemifForwarder>;

export async function bed(start: Start, bench: Bench, options: MemifOptions): Promise<MemifBed> {
  const forwarder = await start(options);
  try {
    return new MemifBed(forwarder, await Generator.start(generatorFor(forwarder, bench.generatorCpu, options)));
  } catch (error) {
    await forwarder.stop();
    throw error;
  }
}

export function memifRivals(bench: Bench): readonly (readonly [string, Start])[] {
  return [
    ['testpmd', startTestpmdMemif],
    ['vpp', (options) => startVppMemif(options, bench.vpp)],
  ];
}

/** Compares the rate in frames per second with every rival. */
export async function rateAgainstRivals(
  bench: Bench,
  headline: Omit<Headline, 'name' | 'unit' | 'better' | 'subject' | 'rival'> & { readonly name: string },
  size: number | 'imix',
): Promise<readonly Measurement[]> {
  const trial: Trial = { mode: 'closed', size, seconds: bench.seconds };
  const options = { cpu: bench.forwarderCpu, wires: 1, largest: size === 'imix' ? 1518 : size };
  return releasing(async (own) => {
    const subject = await bed(startCrosswireMemif, bench, options);
    own(() => subject.stop());
    const measurements: Measurement[] = [];
    for (const [rivalName, start] of memifRivals(bench)) {
      const full: Headline = {
        ...headline,
        name: `${headline.name}/${rivalName}`,
        unit: 'frames/s',
        better: 'more',
        subject: 'crosswire',
        rival: rivalName,
      };
      measurements.push(...(await against(bench, full, subject, start, options, trial)));
    }
    return measurements;
  });
}

async function against(
  bench: Bench,
  headline: Headline,
  subject: MemifBed,
  start: Start,
  options: MemifOptions,
  trial: Trial,
): Promise<readonly Measurement[]> {
  return releasing(async (own) => {
    let rival: MemifBed;
    try {
      rival = await bed(start, bench, options);
    } catch (error) {
      if (error instanceof Absent) return [skipped(headline, error.message)];
      throw error;
    }
    own(() => rival.stop());
    const sampler = (of: MemifBed) => async () => {
      const sample = await of.sample(trial, ({ received, seconds }) => received / seconds);
      return { ...sample, others: { cycles: sample.figures?.[cyclesPerFrame] ?? Number.NaN } };
    };
    const paired = await takePairs(sampler(subject), sampler(rival), pairPlan(bench));
    const { pairs, dropped, figures } = paired;
    const rate = { ...headline, pairs, dropped, figures, summaries: summarise(pairs, headline.better) };
    return rival.forwarder.countsCycles ? [rate, costOf(rate, paired)] : [rate];
  });
}

/** The cost of a frame while the forwarder is busy, which is meaningful even if the generator limits the rate. */
function costOf(rate: Measurement, { pairs: taken, others, dropped }: Paired): Measurement {
  const pairs = taken.map((pair, i) => ({
    ...pair,
    subject: others[i]?.subject['cycles'] ?? Number.NaN,
    rival: others[i]?.rival['cycles'] ?? Number.NaN,
  }));
  return {
    ...rate,
    name: rate.name.replace('/', '-cycles/'),
    title: `${rate.title}: cost while busy`,
    unit: 'cycles/frame',
    better: 'less',
    pairs,
    dropped,
    figures: {},
    summaries: summarise(pairs, 'less'),
  };
}
