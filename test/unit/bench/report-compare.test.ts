// SPDX-License-Identifier: Apache-2.0

import test from 'ava';
import type { Measurement } from '../../../bench/harness/result.ts';
import { changesBetween, compareRuns } from '../../../bench/report/compare.ts';
import { exampleRun, measured } from '../../support/bench-run.ts';

const of = (...measurements: Measurement[]) => exampleRun({ measurements });
const memif = (subject: number, rival: number) =>
  measured(subject, rival, { name: 'memif-64/testpmd', title: 'memif', unit: 'frames/s', rival: 'testpmd' });
const idle = (figure: number) =>
  measured(figure, 0, { name: 'idle', title: 'idle', unit: '% of a core', better: 'less' });

test('with a rival the ratios are compared: a machine twice as fast is no progress', (t) => {
  const [change] = changesBetween(of(memif(10, 5)), of(memif(20, 10)));
  t.is(change?.factor, 1);
  t.regex(compareRuns(of(memif(10, 5)), of(memif(20, 10))), /1\.00× \| within the range \|/);
});

test('without a rival the figures are compared, turned round where less is better', (t) => {
  const [change] = changesBetween(of(idle(1)), of(idle(0.5)));
  t.is(change?.factor, 2);
  t.regex(
    compareRuns(of(idle(1)), of(idle(0.5))),
    /\| idle \| % of a core \| fast \| .* \| – \| – \| 2\.00× \| better \|/,
  );
});

test('a change beyond the ranges is named', (t) => {
  t.regex(
    compareRuns(of(memif(10, 5)), of(memif(12, 5))),
    /2\.00× \([^)]*\) \| 2\.40× \([^)]*\) \| 1\.20× \| better \|/,
  );
  t.regex(compareRuns(of(memif(10, 5)), of(memif(8, 5))), /0\.80× \| worse \|/);
});

test('machine states are compared each with its own', (t) => {
  const changes = changesBetween(of(memif(10, 5)), of(memif(10, 5)));
  t.deepEqual(
    changes.map(({ state, a, b }) => [state, a.state, b.state]),
    [
      ['fast', 'fast', 'fast'],
      ['slow', 'slow', 'slow'],
    ],
  );
});

test('what only one run has is listed, and so is a skipped measurement', (t) => {
  const text = compareRuns(of(memif(10, 5), idle(1)), of({ ...memif(10, 5), skipped: 'no testpmd' }, idle(1)));
  t.regex(text, /^Only in A: memif-64\/testpmd \(fast\), memif-64\/testpmd \(slow\)\.$/m);
  t.notRegex(text, /Only in B/);
  t.regex(compareRuns(of(memif(10, 5)), of(idle(1))), /no measurement in common/);
});

test('different ground is said', (t) => {
  const a = of(idle(1));
  const b = { ...a, environment: { ...a.environment, kernel: '6.19.0', versions: { crosswire: '0.2.0' } } };
  t.regex(compareRuns(a, b), /- kernel: 6\.18\.0 in A, 6\.19\.0 in B\n- testpmd: 22\.11\.7 in A, none in B/);
  t.notRegex(compareRuns(a, a), /different ground/);
});
