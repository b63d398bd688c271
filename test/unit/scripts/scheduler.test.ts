// SPDX-License-Identifier: Apache-2.0
// The order in which scripts/test starts its stages.

import test from 'ava';
import { blocked, runAll, startable } from '../../../scripts/lib/tests/scheduler.ts';
import type { Kind, Outcome, Stage } from '../../../scripts/lib/tests/stage.ts';

function stage(name: string, kind: Kind, ...after: string[]): Stage {
  return { name, title: name, command: [], part: 'part', tiers: [], kind, after, limitMinutes: 1 };
}
const names = (stages: readonly Stage[]) => stages.map(({ name }) => name);
const [build, check, memif, system, mesh] = [
  stage('build', 'computes'),
  stage('check', 'computes', 'build'),
  stage('memif', 'waits', 'build'),
  stage('system', 'waits', 'build'),
  stage('mesh', 'waits', 'build'),
];
const lab = stage('lab', 'alone', 'build');
const all = [build, lab, check, memif, system, mesh];
const built = new Map<string, Outcome>([['build', 'passed']]);

test('a stage waits for what it comes after, even if that is only waiting itself', (t) => {
  t.deepEqual(names(startable(all, [], new Map())), ['build']);
  t.deepEqual(names(startable([check, memif], [build], new Map())), []);
});

test('what comes after a stage that is not selected may start', (t) => {
  t.deepEqual(names(startable([check], [], new Map())), ['check']);
});

test('one stage computes, and two that wait run beside it', (t) => {
  t.deepEqual(names(startable(all.slice(1), [], built)), ['check', 'memif', 'system']);
  t.deepEqual(names(startable([stage('other', 'computes'), mesh], [check, memif], built)), ['mesh']);
  t.deepEqual(names(startable([mesh], [memif, system], built)), []);
});

test('a stage that runs alone comes last, and nothing starts beside it', (t) => {
  t.deepEqual(names(startable([lab], [memif], built)), []);
  t.deepEqual(names(startable([lab, mesh], [], built)), ['mesh']);
  t.deepEqual(names(startable([lab], [], built)), ['lab']);
  t.deepEqual(names(startable([mesh], [lab], built)), []);
});

test('what comes after a stage that did not pass is blocked, with the cause', (t) => {
  for (const outcome of ['failed', 'unavailable', 'not run'] as const) {
    const found = blocked([check, stage('free', 'computes')], new Map([['build', outcome]]));
    t.deepEqual(
      [...found].map(([{ name }, cause]) => [name, cause]),
      [['check', 'build']],
    );
    t.deepEqual(startable([check], [], new Map([['build', outcome]])), []);
  }
});

test('every stage runs once, and one that fails takes along only what comes after it', async (t) => {
  const ran: string[] = [];
  const notRun: string[] = [];
  const last = stage('last', 'computes', 'check');
  const ended = await runAll([...all, last], {
    run: async ({ name }) => {
      ran.push(name);
      return name === 'check' ? 'failed' : 'passed';
    },
    notRun: ({ name }, cause) => notRun.push(`${name} for want of ${cause}`),
    isInterrupted: () => false,
  });
  t.deepEqual(ran.toSorted(), names(all).toSorted());
  t.is(ran[0], 'build');
  t.is(ran.at(-1), 'lab');
  t.deepEqual(notRun, ['last for want of check']);
  t.is(ended.get('last'), 'not run');
});

test('stages run beside each other, as many as may', async (t) => {
  let [running, most] = [0, 0];
  await runAll([memif, system, mesh, check], {
    run: async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      return 'passed';
    },
    notRun: () => t.fail(),
    isInterrupted: () => false,
  });
  t.is(most, 3);
});

test('after an interrupt nothing starts', async (t) => {
  const ran: string[] = [];
  await runAll(all, {
    run: async ({ name }) => {
      ran.push(name);
      return 'passed';
    },
    notRun: () => t.fail(),
    isInterrupted: () => ran.length > 0,
  });
  t.deepEqual(ran, ['build']);
});
