// SPDX-License-Identifier: Apache-2.0
// A failure at every step of every kind of plan: nothing is left of what was new, and what was there is as it was.

import test from 'ava';
import { bring, breakAt, changes, machineWith, mend } from './supervisor-support.ts';

for (const [title, [from, to]] of Object.entries(changes)) {
  if (!to) continue;
  test(`a failure at any step: ${title}`, async (t) => {
    const clean = await machineWith(from);
    t.true(await bring(clean.run, to));
    t.deepEqual((await clean.run.supervisor.explain('w'))?.pending, []);
    const wanted = clean.machine.snapshot(clean.run);

    for (let at = 1; ; at++) {
      const { machine, run } = await machineWith(from);
      const before = machine.snapshot(run);
      const breakage = breakAt(run, at, 'failure');
      const went = await bring(run, to).catch(() => false);
      mend(run);
      if (!breakage.happened()) {
        t.true(at > 3);
        break;
      }
      t.false(went, `step ${at} failed, and nobody was told`);
      t.deepEqual(machine.snapshot(run), before, `step ${at}`);
      t.deepEqual(
        run.supervisor.list().map(({ phase }) => phase),
        from ? ['up'] : [],
      );
      t.true(await bring(run, to));
      t.deepEqual(machine.snapshot(run), wanted, `again, after step ${at}`);
    }
  });
}

for (const [title, [from, to]] of Object.entries(changes)) {
  if (to) continue;
  test(`a failure at any step: ${title}`, async (t) => {
    for (let at = 1; ; at++) {
      const { machine, run } = await machineWith(from);
      const breakage = breakAt(run, at, 'failure');
      const went = await bring(run, undefined);
      mend(run);
      if (!breakage.happened()) break;
      // A journal that cannot be written does not keep a wire from being removed; anything else is told, and tried again.
      if (!went) {
        t.like(run.supervisor.get('w'), { phase: 'removing' });
        t.is(run.supervisor.health().length, 1);
        t.true(await bring(run, undefined));
      }
      t.deepEqual(machine.snapshot(run), { interfaces: [], journals: [], engine: [] }, `step ${at}`);
      t.deepEqual(run.supervisor.list(), []);
      t.deepEqual(run.supervisor.health(), []);
    }
  });
}

test('the error names the action and carries the chain of causes', async (t) => {
  const { run } = await machineWith(undefined);
  run.dataplane.onStep = (step) => {
    if (step === 'add routes') throw new Error('no way');
  };
  const [, wire] = changes['create veth'] ?? [];
  const [report] = await run.supervisor.set('api', wire ? [wire] : []);
  t.like(report, { name: 'w', outcome: 'failed' });
  t.regex(report?.error?.operation ?? '', /^change cw[0-9a-f]{12} in \/run\/netns\/a: rename to nsm-1,/);
  t.is(report?.error?.reason, 'no way');
});

test('what cannot be undone is found and removed later', async (t) => {
  const { machine, run } = await machineWith(undefined);
  run.dataplane.onStep = (step) => {
    if (step === 'add routes' || step === 'delete the interface') throw new Error('no way');
  };
  const [, wire] = changes['create veth'] ?? [];
  if (!wire) return t.fail();
  t.false(await bring(run, wire));
  t.like(run.supervisor.get('w'), { phase: 'removing' });
  t.is(machine.kernel.all().length, 2);
  mend(run);
  t.deepEqual(await run.supervisor.remove(['w']), [{ name: 'w', outcome: 'removed', errors: [] }]);
  t.deepEqual(machine.snapshot(run), { interfaces: [], journals: [], engine: [] });
});

test('a change that cannot be undone degrades the wire, and applying the old one again repairs it', async (t) => {
  const [from, to] = changes['another namespace of veth'] ?? [];
  if (!from || !to) return t.fail();
  const { machine, run } = await machineWith(from);
  const before = machine.snapshot(run);
  let failing = false;
  run.dataplane.onStep = (step) => {
    failing ||= step === 'add routes';
    if (failing && step !== 'listInterfaces') throw new Error('no way');
  };
  t.false(await bring(run, to));
  mend(run);
  t.like(run.supervisor.get('w'), { phase: 'degraded' });
  t.true(await bring(run, from));
  t.deepEqual(machine.snapshot(run), before);
});
