// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { mergeBuckets, percentile } from '../../../bench/harness/histogram.ts';
import { stateOf } from '../../../bench/harness/machine-state.ts';
import type { Pair } from '../../../bench/harness/result.ts';
import { median, medianFigures, ratio, spread, summarise } from '../../../bench/harness/statistics.ts';

const pair = (subject: number, rival: number, state: Pair['state']): Pair => ({
  subject,
  rival,
  roundTrips: [],
  state,
});

test('the median stands in the middle, or between the two middle ones', (t) => {
  t.is(median([5, 1, 3]), 3);
  t.is(median([4, 1, 3, 2]), 2.5);
  t.true(Number.isNaN(median([])));
  t.deepEqual(spread([3, 1, 2]), { least: 1, median: 2, most: 3 });
});

test('above 1 the subject is ahead, whether more or less is better', (t) => {
  t.is(ratio({ subject: 30, rival: 20 }, 'more'), 1.5);
  t.is(ratio({ subject: 20, rival: 30 }, 'less'), 1.5);
});

test('each machine state is summed up by itself, and dropped pairs nowhere', (t) => {
  const pairs = [pair(10, 5, 'fast'), pair(12, 4, 'fast'), pair(3, 3, 'slow'), pair(100, 1, undefined)];
  const { fast, slow } = summarise(pairs, 'more');
  t.is(fast?.pairs, 2);
  t.deepEqual(fast?.ratio, { least: 2, median: 2.5, most: 3 });
  t.is(slow?.ratio.median, 1);
  t.deepEqual(summarise([pair(1, 1, undefined)], 'more'), {});
});

test('a ratio is taken pair by pair, not from the medians', (t) => {
  const { fast } = summarise([pair(10, 10, 'fast'), pair(40, 20, 'fast'), pair(30, 90, 'fast')], 'more');
  t.is(fast?.ratio.median, 1);
});

test('figures are medians over the samples that have them', (t) => {
  t.deepEqual(medianFigures([{ a: 1 }, { a: 3, b: 7 }, { a: 2 }]), { a: 2, b: 7 });
});

test('the machine is in one state when its round trips agree, and in none when they do not', (t) => {
  t.is(stateOf([49, 50, 52]), 'fast');
  t.is(stateOf([150, 160, 140]), 'fast');
  t.is(stateOf([340, 330, 335]), 'slow');
  t.is(stateOf([50, 340, 340]), undefined);
  t.is(stateOf([340, Number.NaN, 340]), undefined);
  t.is(stateOf([]), undefined);
});

test('percentiles are the bucket that holds the rank', (t) => {
  const buckets = [
    [100, 50],
    [200, 49],
    [5000, 1],
  ] as const;
  t.is(percentile(buckets, 0.5), 100);
  t.is(percentile(buckets, 0.51), 200);
  t.is(percentile(buckets, 0.99), 200);
  t.is(percentile(buckets, 1), 5000);
  t.true(Number.isNaN(percentile([], 0.5)));
});

test('histograms of several samples add up, in order', (t) => {
  t.deepEqual(
    mergeBuckets([
      [
        [10, 1],
        [30, 2],
      ],
      [
        [20, 5],
        [30, 1],
      ],
    ]),
    [
      [10, 1],
      [20, 5],
      [30, 3],
    ],
  );
});
