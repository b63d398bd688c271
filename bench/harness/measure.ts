// SPDX-License-Identifier: Apache-2.0
// What every measurement gets, and what it gives.

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
  /** Where a VPP is unpacked. */
  readonly vpp?: string;
  readonly log: (line: string) => void;
}

export interface Measure {
  readonly name: string;
  /** Too long for the run of everything: it must be asked for. */
  readonly onlyByName?: boolean;
  readonly run: (bench: Bench) => Promise<readonly Measurement[]>;
}

/** What is said of a measurement before it is made. */
export type Headline = Pick<Measurement, 'name' | 'title' | 'unit' | 'better' | 'subject' | 'rival' | 'target'>;

/** Whatever a measurement asks for to save time: with fewer, a range means nothing. */
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

/** The rival cannot be had here; says why. */
export class Absent extends Error {}

/** Runs the body with things that are released afterwards, the last one first, whatever happens. */
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
