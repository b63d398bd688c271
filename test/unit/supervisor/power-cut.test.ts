// SPDX-License-Identifier: Apache-2.0
// kill -9 at every step of every kind of plan: the next start adopts or removes all that is left.

import test from 'ava';
import fc from 'fast-check';
import type { Wire } from '../../../src/wire/wire.ts';
import { bootCutAt, kill } from './power.ts';
import { bring, breakAt, changes, machineWith } from './supervisor-support.ts';

async function snapshotOf(wire: Wire | undefined): Promise<unknown> {
  const { machine, run } = await machineWith(wire);
  return machine.snapshot(run);
}

for (const [title, [from, to]] of Object.entries(changes)) {
  test(`a power cut at any step: ${title}`, async (t) => {
    const either = [await snapshotOf(from), await snapshotOf(to)];
    for (let at = 1; ; at++) {
      const { machine, run } = await machineWith(from);
      const breakage = breakAt(run, at, 'cut');
      await bring(run, to).catch(() => false);
      if (!breakage.happened()) break;
      await kill(run);

      const next = await machine.started();
      const after = machine.snapshot(next);
      t.true(
        either.some((one) => isEqual(one, after)),
        `cut at step ${at}: ${JSON.stringify(after, null, 1)}`,
      );
      t.deepEqual(next.supervisor.health(), []);
      t.true(next.supervisor.list().every(({ phase }) => phase === 'up'));
      await next.supervisor.stop({ removeWires: true });
      t.deepEqual(machine.snapshot(next), { interfaces: [], journals: [], engine: [] });
    }
  });
}

test('power cuts during recovery from power cuts', async (t) => {
  const entries = Object.values(changes);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...entries),
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.integer({ min: 1, max: 25 }), { maxLength: 4 }),
      async ([from, to], first, later) => {
        const { machine, run } = await machineWith(from);
        breakAt(run, first, 'cut');
        await bring(run, to).catch(() => false);
        await kill(run);
        for (const at of later) await bootCutAt(machine, at);
        const next = await machine.started();
        const after = machine.snapshot(next);
        t.true(isEqual(after, await snapshotOf(from)) || isEqual(after, await snapshotOf(to)));
      },
    ),
    { numRuns: 300 },
  );
});

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
