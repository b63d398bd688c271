// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { account, costed } from '../../../bench/harness/cost.ts';
import { pairPlan } from '../../../bench/harness/measure.ts';
import { type Sample, takePairs } from '../../../bench/harness/pairs.ts';
import { Measured, usageOf } from '../../../bench/harness/process.ts';
import { carried, noDropRate } from '../../../bench/harness/search.ts';
import { withTraffic } from '../../../bench/harness/traffic.ts';
import { until } from '../../../bench/harness/until.ts';
import { whySpoilt } from '../../../bench/subjects/memif.ts';

function scripted<T>(values: readonly T[], last: T): () => Promise<T> {
  const queue = values.values();
  return async () => queue.next().value ?? last;
}

const quiet = { log: () => {} };

test('subject and rival take turns, with a round trip before, between and after', async (t) => {
  const order: string[] = [];
  const note = (word: string, value: number) => async (): Promise<Sample> => {
    order.push(word);
    return { value };
  };
  const roundTrip = async () => {
    order.push('trip');
    return 150;
  };
  const { pairs, dropped } = await takePairs(note('subject', 3), note('rival', 2), { ...quiet, pairs: 2, roundTrip });
  const one = ['trip', 'subject', 'trip', 'rival', 'trip'];
  t.deepEqual(order, [...one, ...one]);
  t.is(dropped, 0);
  const samples = { subject: {}, rival: {} };
  t.deepEqual(pairs[0], { subject: 3, rival: 2, roundTrips: [150, 150, 150], state: 'fast', samples });
});

test('no measurement takes fewer than five pairs, unless it is to be quick', (t) => {
  const bench = { seconds: 1, forwarderCpu: 0, generatorCpu: 1, ...quiet };
  t.is(pairPlan({ ...bench, quick: false, pairs: 3 }).pairs, 5);
  t.is(pairPlan({ ...bench, quick: false, pairs: 7 }).pairs, 7);
  t.is(pairPlan({ ...bench, quick: true, pairs: 1 }).pairs, 1);
});

test('a pair that straddles a change of state is dropped, counted and taken again', async (t) => {
  const roundTrip = scripted([150, 600, 600], 600);
  const one = async (): Promise<Sample> => ({ value: 1 });
  const { pairs, dropped } = await takePairs(one, one, { ...quiet, pairs: 2, roundTrip });
  t.is(dropped, 1);
  t.deepEqual(
    pairs.map(({ state }) => state),
    [undefined, 'slow', 'slow'],
  );
  t.deepEqual(
    pairs.map(({ dropped: why }) => why),
    ['round trips of 150, 600, 600 ns', undefined, undefined],
  );
});

test('a spoilt sample spoils its pair, and its figures do not count', async (t) => {
  const subject = scripted<Sample>([{ value: 9, figures: { cost: 900 }, spoilt: 'by somebody' }], {
    value: 1,
    figures: { cost: 40 },
  });
  const rival = async (): Promise<Sample> => ({ value: 1 });
  const taken = await takePairs(subject, rival, { ...quiet, pairs: 3, roundTrip: async () => 150 });
  t.is(taken.dropped, 1);
  t.deepEqual(taken.figures, { cost: 40 });
});

test('a sample that gave no figure spoils its pair', async (t) => {
  const rival = scripted<Sample>([{ value: Number.NaN }], { value: 1 });
  const plan = { ...quiet, pairs: 1, roundTrip: async () => 150 };
  const { pairs, dropped } = await takePairs(async () => ({ value: 1 }), rival, plan);
  t.is(dropped, 1);
  t.deepEqual(
    pairs.map((pair) => pair.dropped),
    ['no figure came of a sample', undefined],
  );
});

test('each sample is kept with its figures, its traffic and its latencies', async (t) => {
  const subject: Sample = {
    value: 1,
    figures: { 'CPU cores': 0.9, 'RSS MiB': 80 },
    traffic: { frameBytes: 64, wires: 10, offeredRate: 1000 },
    latencies: [[850, 3]],
    others: { p99: 2 },
  };
  const rival: Sample = { value: 2, figures: { 'CPU cores': 1 }, latencies: [] };
  const plan = { ...quiet, pairs: 1, roundTrip: async () => 150 };
  const { pairs } = await takePairs(
    async () => subject,
    async () => rival,
    plan,
  );
  const { figures, traffic, latencies } = subject;
  t.deepEqual(pairs[0]?.samples, { subject: { figures, traffic, latencies }, rival: { figures: { 'CPU cores': 1 } } });
  const measurement = { name: 'm', title: 'm', unit: 'u', better: 'more', subject: 'crosswire' } as const;
  const bare = { ...measurement, pairs, dropped: 0, figures: {}, summaries: {} };
  t.like(withTraffic(bare), { frameBytes: 64, wires: 10, offeredRate: 1000 });
  t.like(withTraffic({ ...bare, wires: 1 }), { frameBytes: 64, wires: 1 });
  const mixed = [...pairs, ...pairs.map((pair) => ({ ...pair, samples: { subject: { traffic: { wires: 10 } } } }))];
  t.is(withTraffic({ ...bare, pairs: mixed }).frameBytes, undefined);
});

test('what the daemon cost is recorded, from inside its sample or from around it', async (t) => {
  const child = new Measured('a process that works', 'sh', ['-c', 'while :; do :; done']);
  account(child);
  try {
    const about = costed(async () => {
      const before = usageOf(child.pid).cpuSeconds;
      await until('it has worked', async () => usageOf(child.pid).cpuSeconds > before);
      return { value: 1 };
    });
    const { figures = {} } = await about();
    t.true((figures['CPU cores'] as number) > 0 && (figures['RSS MiB'] as number) > 0, JSON.stringify(figures));
    const own = await costed(async () => ({ value: 1, figures: { 'CPU cores': 7 } }))();
    t.is(own.figures?.['CPU cores'], 7);
  } finally {
    await child.stop();
  }
  t.deepEqual(await costed(async () => ({ value: 1 }))(), { value: 1 });
});

test('figures of two machine states are not mixed', async (t) => {
  const roundTrip = scripted([150, 150, 150, 600, 600, 600], 600);
  const subject = scripted<Sample>([{ value: 1, figures: { cost: 40 } }], { value: 1, figures: { cost: 200 } });
  const rival = async (): Promise<Sample> => ({ value: 1 });
  const { figures } = await takePairs(subject, rival, { ...quiet, pairs: 3, roundTrip });
  t.deepEqual(figures, { cost: 200 });
});

test('a machine that never settles ends the measurement all the same', async (t) => {
  let trip = 100;
  const roundTrip = async () => (trip *= 2);
  const one = async (): Promise<Sample> => ({ value: 1 });
  const { pairs, dropped } = await takePairs(one, one, { ...quiet, pairs: 5, roundTrip });
  t.is(pairs.length, 10);
  t.is(dropped, 10);
});

test('without a rival there is one sample and a round trip on each side', async (t) => {
  const { pairs } = await takePairs(async () => ({ value: 7 }), undefined, {
    ...quiet,
    pairs: 1,
    roundTrip: async () => 150,
  });
  const samples = { subject: {} };
  t.deepEqual(pairs, [{ subject: 7, rival: 7, roundTrips: [150, 150], state: 'fast', samples }]);
});

test('the search finds the rate that is just carried', async (t) => {
  const limit = 730;
  const rate = await noDropRate(
    1000,
    async (offered) => ({ offered, sent: offered, lost: Math.max(0, offered - limit) }),
    12,
  );
  t.true(rate <= limit * 1.002 && rate > limit * 0.99, `${rate}`);
});

test('a rate that is carried at once needs no search', async (t) => {
  let trials = 0;
  const rate = await noDropRate(1000, async (offered) => {
    trials++;
    return { offered, sent: offered, lost: 0 };
  });
  t.is(rate, 1000);
  t.is(trials, 1);
});

test('what could not even be sent was not carried', (t) => {
  t.true(carried({ offered: 10_000, sent: 10_000, lost: 10 }));
  t.false(carried({ offered: 10_000, sent: 10_000, lost: 11 }));
  t.false(carried({ offered: 10_000, sent: 9_000, lost: 0 }));
});

test('damage, disorder, silence and a stolen CPU spoil a sample', (t) => {
  const good = {
    seconds: 1,
    sent: 10,
    received: 10,
    bytes: 640,
    lost: 0,
    misplaced: 0,
    corrupt: 0,
    due: 0,
    backlog: 0,
    idle: 0,
    cpu: 1,
    latencies: [],
  };
  t.is(whySpoilt(good, [0.1, 0]), undefined);
  t.regex(whySpoilt({ ...good, corrupt: 1 }, [0]) ?? '', /damaged/);
  t.regex(whySpoilt({ ...good, misplaced: 1 }, [0]) ?? '', /out of order/);
  t.regex(whySpoilt({ ...good, received: 0 }, [0]) ?? '', /no frame/);
  t.regex(whySpoilt(good, [0, 0.3]) ?? '', /another process had the CPU for 30 %/);
});
