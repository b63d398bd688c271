// SPDX-License-Identifier: Apache-2.0
// The input and the result of every measurement.

import { costed } from './cost.ts';
import { roundTrip } from './machine-state.ts';
import { type PairPlan, type Sampler, takePairs } from './pairs.ts';
import type { Measurement } from './result.ts';
import { summarise } from './statistics.ts';

export interface Bench {
  readonly quick: boolean;
  readonly pairs: number;
  /** Seconds that one sample lasts. */
  readonly seconds: number;
  readonly forwarderCpu: number;
  readonly generatorCpu: number;
  /** The directory of an unpacked VPP. */
  readonly vpp?: string;
  readonly log: (line: string) => void;
}

export interface Measure {
  readonly name: string;
  /** It takes too long for a full run, and runs only if its name is given. */
  readonly onlyByName?: boolean;
  readonly run: (bench: Bench) => Promise<readonly Measurement[]>;
}

/** The description of a measurement, without its results. */
export type Headline = Pick<Measurement, 'name' | 'title' | 'unit' | 'better' | 'subject' | 'rival' | 'target'>;

/** The minimum for every measurement: with fewer pairs a range means nothing. */
export const leastPairs = 5;

export function pairPlan({ quick, pairs, log }: Bench): PairPlan {
  return { pairs: quick ? pairs : Math.max(leastPairs, pairs), log, roundTrip };
}

export async function compare(
  bench: Bench,
  headline: Headline,
  subject: Sampler,
  rival?: Sampler,
): Promise<Measurement> {
  const sampler = rival ? subject : costed(subject);
  const { pairs, dropped, figures } = await takePairs(sampler, rival, pairPlan(bench));
  return { ...headline, pairs, dropped, figures, summaries: summarise(pairs, headline.better) };
}

export function skipped(headline: Headline, reason: string): Measurement {
  return { ...headline, pairs: [], dropped: 0, summaries: {}, figures: {}, skipped: reason };
}

/** The rival is not available on this machine; the message says why. */
export class Absent extends Error {}

/** Runs the body, and afterwards calls the releases that it registered, in reverse order, whatever happens. */
export async function releasing<T>(body: (own: (release: () => unknown) => void) => Promise<T>): Promise<T> {
  const releases: (() => unknown)[] = [];
  try {
    return await body((release) => releases.push(release));
  } finally {
    for (const release of releases.toReversed()) {
      try {
        await release();
      } catch (error) {
        process.stderr.write(`bench: while cleaning up: ${String(error)}\n`);
      }
    }
  }
}
