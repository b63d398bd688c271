// SPDX-License-Identifier: Apache-2.0
// Runs the selected measurements, one after the other.

import { environment, machineAt } from './harness/environment.ts';
import { resultLine } from './harness/lines.ts';
import { Absent, type Bench, leastPairs, type Measure } from './harness/measure.ts';
import type { RunOptions } from './harness/options.ts';
import type { Measurement, Run } from './harness/result.ts';
import { withTraffic } from './harness/traffic.ts';

export interface Taken {
  readonly run: Run;
  /** The number of measurements that failed. Those with an absent rival are skipped, not failed. */
  readonly failures: number;
}

export async function takeRun(
  measures: readonly Measure[],
  { names, quick, vpp }: RunOptions,
  log: Bench['log'],
): Promise<Taken> {
  const startedAt = new Date();
  const ground = environment(); // read at the beginning, because the checkout may change during the run
  const before = await machineAt();
  const bench: Bench = {
    quick,
    pairs: quick ? 3 : leastPairs,
    seconds: quick ? 0.5 : 1,
    forwarderCpu: 0,
    generatorCpu: 1,
    log,
    ...(vpp === undefined ? {} : { vpp }),
  };
  const measurements: Measurement[] = [];
  let failures = 0;
  for (const measure of measures) {
    if (names.length > 0 ? !names.includes(measure.name) : measure.onlyByName) continue;
    log(`bench: ${measure.name}`);
    const { found, failed } = await taken(measure, bench);
    for (const measurement of found) log(resultLine(measurement));
    measurements.push(...found);
    if (failed) failures++;
  }
  const run: Run = {
    format: 1,
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1000,
    quick,
    environment: { ...ground, machine: { before, after: await machineAt() } },
    measurements,
  };
  return { run, failures };
}

interface Found {
  readonly found: readonly Measurement[];
  readonly failed: boolean;
}

/** A measurement that fails is recorded as failed, and the others go on. */
async function taken(measure: Measure, bench: Bench): Promise<Found> {
  const startedAt = new Date();
  try {
    const found = await measure.run(bench);
    // The times of the whole program, unless a measurement has its own.
    const seconds = (Date.now() - startedAt.getTime()) / 1000;
    return {
      found: found.map((one) => withTraffic({ startedAt: startedAt.toISOString(), seconds, ...one })),
      failed: false,
    };
  } catch (error) {
    const failed = !(error instanceof Absent);
    const reason = error instanceof Error ? error.message : String(error);
    const headline = {
      name: measure.name,
      title: measure.name,
      unit: '',
      better: 'more',
      subject: 'crosswire',
    } as const;
    const skipped = failed ? `failed: ${reason}` : reason;
    return { found: [{ ...headline, pairs: [], dropped: 0, figures: {}, summaries: {}, skipped }], failed };
  }
}
