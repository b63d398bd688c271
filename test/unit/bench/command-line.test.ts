// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import { gate, gateHolds, gateLines } from '../../../bench/harness/gate.ts';
import { number, resultLine } from '../../../bench/harness/lines.ts';
import { readArguments, UsageError } from '../../../bench/harness/options.ts';
import type { Measurement, Run } from '../../../bench/harness/result.ts';

const known = ['memif-64', 'kernel-tcp', 'kernel-udp-64', 'latency'];
const same = (value: number) => ({ least: value, median: value, most: value });

function measurement(name: string, ratio: number, rival: string | undefined = 'testpmd'): Measurement {
  const summary = { pairs: 5, subject: same(ratio * 1e6), rival: same(1e6), ratio: same(ratio) };
  const rest = { title: name, unit: 'frames/s', better: 'more', subject: 'crosswire', pairs: [], dropped: 0 } as const;
  return { name, ...rest, ...(rival ? { rival } : {}), figures: {}, summaries: { fast: summary } };
}

function run(...measurements: readonly Measurement[]): Run {
  const environment = { cpu: '', cpus: 2, kernel: '', node: '', commit: '', versions: {} };
  return { format: 1, startedAt: '', seconds: 1, quick: false, environment, measurements };
}

test('names, flags and values are read', (t) => {
  t.deepEqual(readArguments(['memif-64', '--quick', '--vpp', '/opt/vpp'], known), {
    verb: 'run',
    names: ['memif-64'],
    quick: true,
    results: 'bench/results',
    vpp: '/opt/vpp',
  });
  t.deepEqual(readArguments(['compare', 'a', 'b'], known), { verb: 'compare', a: 'a', b: 'b' });
  t.deepEqual(readArguments(['compare', 'a', 'b', '--fail-below', '0.9'], known), {
    verb: 'compare',
    a: 'a',
    b: 'b',
    failBelow: 0.9,
  });
  t.deepEqual(readArguments(['verify', 'a', '--trust', 'k.pem'], known), {
    verb: 'verify',
    directory: 'a',
    trust: 'k.pem',
  });
  t.like(readArguments(['--sign-key', 'k.pem', '--compare', 'old'], known), { signKey: 'k.pem', compare: 'old' });
});

test('the beginning of several names means all of them', (t) => {
  t.like(readArguments(['kernel', 'memif-64'], known), { names: ['memif-64', 'kernel-tcp', 'kernel-udp-64'] });
  t.like(readArguments([], known), { names: [] });
});

test('what does not fit is refused with a reason', (t) => {
  for (const [args, reason] of [
    [['memif-46'], /no measurement 'memif-46'; there are memif-64, kernel-tcp/],
    [['--nonsense'], /nonsense/],
    [['kern'], /no measurement 'kern'/],
    [['--fail-below', '0.9'], /needs --compare/],
    [['--compare', 'old.json', '--fail-below', 'much'], /takes a ratio/],
    [['compare', 'a'], /takes two runs/],
    [['compare', 'a', 'b', '--fail-below', '0'], /takes a ratio/],
    [['verify'], /takes one results directory/],
    [['verify', 'a', 'b'], /takes one results directory/],
  ] as const)
    t.throws(() => readArguments(args, known), { instanceOf: UsageError, message: reason });
});

test('the gate compares ratios to the rival in the same machine state', (t) => {
  const before = run(measurement('a', 2), measurement('b', 1), measurement('gone', 5));
  const now = run(measurement('a', 1.85), measurement('b', 0.99), measurement('new', 0.1));
  const worse = { name: 'a', state: 'fast', before: 2, now: 1.85 } as const;
  t.deepEqual(gate(before, now, 0.95), { compared: 2, regressions: [worse] });
  t.deepEqual(gate(before, now, 0.9), { compared: 2, regressions: [] });
  t.false(gateHolds(gate(before, now, 0.95)));
  t.true(gateHolds(gate(before, now, 0.9)));
  t.deepEqual(gateLines(gate(before, now, 0.95), 0.95), [
    'a (fast): 1.850 × its rival, was 2.000',
    '1 of 2 ratios are below 0.95 of what they were',
  ]);
});

test('a gate that could compare nothing does not hold', (t) => {
  const nothing = gate(run(measurement('a', 2)), run(measurement('b', 2)), 0.9);
  t.false(gateHolds(nothing));
  t.regex(gateLines(nothing, 0.9).join(), /no ratio in common/);
});

test('figures without a rival gate nothing', (t) => {
  const alone = (ratio: number) => run({ ...measurement('x', ratio), rival: undefined });
  t.deepEqual(gate(alone(2), alone(1), 0.95), { compared: 0, regressions: [] });
});

test('a result is a line to read', (t) => {
  t.regex(resultLine(measurement('memif-64/testpmd', 1.5)), /1,500,000 frames\/s against 1,000,000: 1\.50 ×/);
  t.regex(resultLine({ ...measurement('x', 1), skipped: 'there is no vpp' }), /x: skipped: there is no vpp/);
  t.regex(resultLine({ ...measurement('x', 1), summaries: {}, dropped: 10 }), /no pair counts\n.*10 pairs dropped/);
  t.is(number(0.12345), '0.123');
});
