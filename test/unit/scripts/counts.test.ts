// SPDX-License-Identifier: Apache-2.0
// What scripts/test reads from the closing lines of ava and doctest.

import test from 'ava';
import { countTests } from '../../../scripts/lib/tests/counts.ts';

const passedByAva = '  ✔ one\n  ✔ file › two (1.2s)\n  ─\n\n  2 tests passed\n';
const passedByDoctest = `===
[doctest] test cases:      247 |      247 passed | 0 failed | 0 skipped
[doctest] assertions: 16479352 | 16479352 passed | 0 failed |
[doctest] Status: SUCCESS!
`;

test('closing lines of ava and doctest, of several runs, are added up', (t) => {
  t.deepEqual(countTests(passedByAva), { passed: 2, failed: 0, skips: [] });
  t.deepEqual(countTests(passedByDoctest), { passed: 247, failed: 0, skips: [] });
  t.is(countTests(passedByAva + passedByDoctest + passedByAva).passed, 251);
  t.deepEqual(countTests('  1 test passed\n'), { passed: 1, failed: 0, skips: [] });
});

test('where a test failed, ava says no number that passed: the ticks are counted', (t) => {
  const output = '  ✔ one\n  ✘ [fail]: two Error\n  ✔ three\n  ─\n\n  1 test failed\n';
  t.deepEqual(countTests(output), { passed: 2, failed: 1, skips: [] });
});

test('all that ava counts as a failure', (t) => {
  const output =
    '  1 hook failed\n  2 tests failed\n  3 unhandled rejections\n  1 uncaught exception\n  2 tests remained pending after a timeout\n';
  t.is(countTests(output).failed, 9);
});

test('failed cases of doctest', (t) => {
  const { passed, failed } = countTests('[doctest] test cases:  10 |   8 passed | 2 failed | 230 skipped\n');
  t.deepEqual([passed, failed], [8, 2]);
});

test('a native test that says it was skipped did not pass', (t) => {
  const skip = 'test/native/os/vlan_test.cpp:30: MESSAGE: skipped: cannot make a network namespace: EPERM\n';
  const counts = countTests(`${skip}[doctest] test cases: 3 | 3 passed | 0 failed | 0 skipped\n`);
  t.is(counts.passed, 2);
  t.deepEqual(counts.skips, ['SKIP test/native/os/vlan_test.cpp:30: cannot make a network namespace: EPERM']);
});

test('colours and the line ends of a console do not matter; words in the middle of a line do not count', (t) => {
  t.is(countTests('\u001b[32m  2 tests passed\u001b[39m\r\n').passed, 2);
  t.deepEqual(countTests('said: 3 tests passed\nsaid: 1 test failed\n'), { passed: 0, failed: 0, skips: [] });
});
