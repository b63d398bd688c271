// SPDX-License-Identifier: Apache-2.0
// Measures how much ten scrapes per second slow down a memif wire with a fixed rate, among a thousand wires. The whole
// daemon is on one CPU, so that scrapes and worker must share it.

import { join } from 'node:path';
import { percentile } from '../harness/histogram.ts';
import { Generator, type TrialOutcome } from '../harness/generator.ts';
import { compare, type Measure, releasing } from '../harness/measure.ts';
import { Measured } from '../harness/process.ts';
import type { Sample } from '../harness/pairs.ts';
import { startCrosswireMemif } from '../subjects/crosswire-memif.ts';
import { generatorFor, MemifBed, whySpoilt } from '../subjects/memif.ts';

const rate = 1_000_000; // frames per second: a tenth of what a worker carries on slow machines
const interval = 100; // milliseconds
const scraperProgram = join(import.meta.dirname, '../harness/scraper.ts');

export const scrapeLoad: Measure = {
  name: 'scrape-load',
  run: (bench) =>
    releasing(async (own) => {
      const options = { cpu: bench.forwarderCpu, wires: 1, idleWires: bench.quick ? 99 : 999, largest: 64 };
      const forwarder = await startCrosswireMemif(options);
      own(() => forwarder.stop());
      const generator = await Generator.start(generatorFor(forwarder, bench.generatorCpu, options));
      own(() => generator.stop());
      const bed = new MemifBed(forwarder, generator);
      own(() => forwarder.process.resume());

      const seconds = 4 * bench.seconds;
      const sample = async (beside: (run: Promise<TrialOutcome>) => Promise<TrialOutcome>): Promise<Sample> => {
        const trial = { mode: 'open', size: 64, rate, seconds } as const;
        const taken = await bed.sample(trial, (outcome) => outcome.received / outcome.seconds, beside);
        const { outcome, spoilt: _, ...rest } = taken;
        // The worker is supposed to wait for scrapes, so only damaged frames make a sample invalid.
        const spoilt = whySpoilt(outcome, [0]);
        const figures = {
          ...taken.figures,
          'p99 µs': percentile(outcome.latencies, 0.99) / 1000,
          'lost frames': outcome.lost,
        };
        return { ...rest, figures, ...(spoilt === undefined ? {} : { spoilt }) };
      };
      const headline = {
        name: 'scrape-load',
        title: `a memif wire at ${rate / 1e6} million frames/s of 64 bytes, scraped 10 times a second, of ${options.idleWires + 1} wires`,
        unit: 'frames/s',
        better: 'more',
        subject: 'scraped',
        rival: 'left alone',
        target: 0.99,
      } as const;
      return [
        await compare(
          bench,
          headline,
          async () => {
            let scrapes = 0;
            const taken = await sample(async (run) => {
              const { result, scrapes: count } = await scrapedMeanwhile(run, forwarder.metrics);
              scrapes = count;
              return result;
            });
            const due = (1000 * seconds) / interval;
            const few = scrapes < 0.8 * due && `only ${scrapes} of ${due} scrapes came about`;
            return { ...(few ? { spoilt: few } : {}), ...taken, figures: { ...taken.figures, scrapes } };
          },
          () => sample((run) => run),
        ),
      ];
    }),
};

/** Scrapes until the run is over, and waits for the last scrape, because the daemon is paused afterwards. */
async function scrapedMeanwhile<T>(run: Promise<T>, address: string): Promise<{ result: T; scrapes: number }> {
  const scraper = new Measured('the scraper', process.execPath, [scraperProgram, address, String(interval)]);
  try {
    const result = await run;
    scraper.child.stdin?.end();
    const [, scrapes] = await scraper.says(/^\{"scrapes":(\d+)\}$/m);
    return { result, scrapes: Number(scrapes) };
  } finally {
    await scraper.stop();
  }
}
