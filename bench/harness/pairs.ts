// SPDX-License-Identifier: Apache-2.0
// Measures subject and rival in turns, A B A B …, with the core-to-core round trip before, between and after.

import { stateOf } from './machine-state.ts';
import type { MachineState, Pair, SampleRecord } from './result.ts';
import { medianFigures } from './statistics.ts';

export interface Sample extends SampleRecord {
  readonly value: number;
  /** Other values of the same sample that are compared as well, by name. */
  readonly others?: Readonly<Record<string, number>>;
  /** Why the sample is invalid: another process had the CPU, frames came back damaged, … */
  readonly spoilt?: string;
}

export type Sampler = () => Promise<Sample>;

export interface PairPlan {
  readonly pairs: number;
  readonly roundTrip: () => Promise<number>;
  readonly log: (line: string) => void;
}

type Others = Readonly<Record<string, number>>;

export interface Paired {
  readonly pairs: readonly Pair[];
  readonly dropped: number;
  /** The other values of each pair, in the order of the pairs. */
  readonly others: readonly { readonly subject: Others; readonly rival: Others }[];
  /** Medians of the subject's figures, over the pairs of the most frequent machine state. */
  readonly figures: Readonly<Record<string, number>>;
}

/** Takes pairs until enough of them are valid, but at most twice as many. */
export async function takePairs(subject: Sampler, rival: Sampler | undefined, plan: PairPlan): Promise<Paired> {
  const pairs: Pair[] = [];
  const others: { subject: Others; rival: Others }[] = [];
  const figures: Record<MachineState, Others[]> = { fast: [], slow: [] };
  let dropped = 0;
  for (let taken = 0; taken < 2 * plan.pairs && pairs.length - dropped < plan.pairs; taken++) {
    const roundTrips = [await plan.roundTrip()];
    const first = await subject();
    roundTrips.push(await plan.roundTrip());
    const second = rival ? await rival() : first;
    if (rival) roundTrips.push(await plan.roundTrip());
    const spoilt = whyWorthless(first) ?? whyWorthless(second);
    const state = spoilt === undefined ? stateOf(roundTrips) : undefined;
    const reason = spoilt ?? `round trips of ${roundTrips.map((trip) => trip.toFixed(0)).join(', ')} ns`;
    pairs.push({
      subject: first.value,
      rival: second.value,
      roundTrips,
      state,
      ...(state === undefined ? { dropped: reason } : {}),
      samples: { subject: recordOf(first), ...(rival ? { rival: recordOf(second) } : {}) },
    });
    others.push({ subject: first.others ?? {}, rival: second.others ?? {} });
    if (state === undefined) {
      dropped++;
      plan.log(`  dropped a pair: ${reason}`);
    } else {
      figures[state].push(first.figures ?? {});
    }
  }
  return {
    pairs,
    others,
    dropped,
    figures: medianFigures(figures.fast.length >= figures.slow.length ? figures.fast : figures.slow),
  };
}

function whyWorthless({ value, spoilt }: Sample): string | undefined {
  return spoilt ?? (Number.isFinite(value) ? undefined : 'no figure came of a sample');
}

function recordOf({ figures, traffic, latencies }: Sample): SampleRecord {
  return {
    ...(figures ? { figures } : {}),
    ...(traffic ? { traffic } : {}),
    ...(latencies && latencies.length > 0 ? { latencies } : {}),
  };
}
