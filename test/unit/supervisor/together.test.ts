// SPDX-License-Identifier: Apache-2.0
// Wires that take resources from each other are changed in one step, whatever the order: all of them, or none.

import test from 'ava';
import fc from 'fast-check';
import { resourcesOf } from '../../../src/plan/unique.ts';
import { hasDevice, type Wire } from '../../../src/wire/wire.ts';
import { anyWire, compiled } from '../plan/plan-support.ts';
import { moves, pair } from './moves.ts';
import { bootCutAt, kill } from './power.ts';
import { breakAt, Machine, mend, type Run } from './supervisor-support.ts';

async function machineWith(wires: readonly Wire[]): Promise<{ machine: Machine; run: Run }> {
  const machine = new Machine();
  const run = await machine.started();
  if (wires.length > 0) await run.supervisor.set('api', wires);
  return { machine, run };
}

async function went(run: Run, wires: readonly Wire[]): Promise<boolean> {
  return (await run.supervisor.set('api', wires)).every(({ outcome }) => outcome !== 'failed');
}

for (const [title, [from, to]] of Object.entries(moves)) {
  test(`in one step: ${title}`, async (t) => {
    const { machine, run } = await machineWith(from);
    const reports = await run.supervisor.set('api', to);
    t.deepEqual(
      reports.map(({ outcome, error }) => error ?? outcome),
      to.map(({ name }) => (from.some((wire) => wire.name === name) ? 'changed' : 'created')),
    );
    t.true(
      run.supervisor
        .list()
        .every(
          ({ phase, client, endpoint }) =>
            phase === 'up' && client.interface !== '' && endpoint.mechanism !== undefined,
        ),
    );
    t.deepEqual(machine.snapshot(run), (await machineWith(to)).machine.snapshot((await machineWith(to)).run));
    t.true((await run.supervisor.set('api', to)).every(({ outcome }) => outcome === 'unchanged'));
    t.is(machine.changes.size, 0);
    if (from.length === to.length) t.true(await went(run, from), 'and back');
  });

  test(`a failure at any step changes none of them: ${title}`, async (t) => {
    for (let at = 1; ; at++) {
      const { machine, run } = await machineWith(from);
      const before = machine.snapshot(run);
      const breakage = breakAt(run, at, 'failure');
      const all = await went(run, to).catch(() => false);
      mend(run);
      if (!breakage.happened()) {
        t.true(at > 5);
        break;
      }
      if (all) continue; // the file of the change was not erased, which is no failure of the change
      t.deepEqual(machine.snapshot(run), before, `step ${at}`);
      t.is(machine.changes.size, 0);
      t.true(run.supervisor.list().every(({ phase }) => phase === 'up'));
      t.true(await went(run, to), `again, after step ${at}`);
    }
  });

  test(`a power cut at any step leaves all of them or none: ${title}`, async (t) => {
    const [old, made] = [await machineWith(from), await machineWith(to)];
    await kill(old.run);
    await kill(made.run);
    const [before, after] = [
      old.machine.snapshot(await old.machine.started()),
      made.machine.snapshot(await made.machine.started()),
    ].map((snapshot) => JSON.stringify(snapshot));
    const gone = to.filter(({ name }) => !from.some((wire) => wire.name === name)).map(({ name }) => name);
    for (let at = 1; ; at++) {
      const { machine, run } = await machineWith(from);
      const breakage = breakAt(run, at, 'cut');
      await went(run, to).catch(() => false);
      await kill(run);
      if (!breakage.happened()) break;
      if (at % 3 === 0) await bootCutAt(machine, 1 + (at % 17));
      const next = await machine.started();
      const now = JSON.stringify(machine.snapshot(next));
      t.true(now === before || now === after, `step ${at}, ${gone.join()}: ${now}`);
      t.is(machine.changes.size, 0);
    }
  });
}

test('wires that were refused by name are told so, all of them, and the reason names the group', async (t) => {
  const { run } = await machineWith([pair('x', 'one'), pair('y', 'two')]);
  run.dataplane.onStep = (step) => {
    if (step === 'rename') throw new Error('no way');
  };
  const reports = await run.supervisor.set('api', [pair('x', 'two'), pair('y', 'one'), pair('z', 'three')]);
  mend(run);
  t.deepEqual(
    reports.map(({ name, outcome }) => `${name} ${outcome}`),
    ['x failed', 'y failed', 'z failed'],
  );
  t.is(reports[0]?.error?.subject, 'x, y');
  t.regex(reports[0]?.error?.reason ?? '', /no way/);
});

const distinct = (wires: readonly Wire[]) => {
  const keys = wires.flatMap((wire) => [...new Set(resourcesOf(compiled(wire)))]);
  const hard = keys.filter((key) => !/^(address|route) /.test(key));
  return new Set(hard).size === hard.length;
};
/** Without devices: which one an end gets that names none depends on who asks first. */
const someWires = fc
  .array(
    anyWire.filter((wire) => !hasDevice(wire)),
    { minLength: 2, maxLength: 4 },
  )
  .map((wires) => wires.map((wire, at) => ({ ...wire, name: `w${at}` })))
  .filter(distinct);
const shuffled = someWires.chain((wires) =>
  fc.tuple(fc.constant(wires), fc.shuffledSubarray(wires, { minLength: wires.length })),
);

test('any wires get the ends of any others in one step, and the result is as if they were made so', async (t) => {
  await fc.assert(
    fc.asyncProperty(shuffled, async ([wires, order]) => {
      const to = order.map((wire, at) => ({ ...wire, name: `w${at}` }));
      const { machine, run } = await machineWith(wires);
      const reports = await run.supervisor.set('api', to);
      t.deepEqual(
        reports.flatMap(({ error }) => error ?? []),
        [],
      );
      const clean = await machineWith(to);
      t.deepEqual(machine.snapshot(run), clean.machine.snapshot(clean.run));
    }),
    { numRuns: 200 },
  );
});
