// SPDX-License-Identifier: Apache-2.0
// A wire that might take the last file descriptors is refused; other wires are not affected.

import { closeSync, openSync, readdirSync } from 'node:fs';
import test from 'ava';
import { descriptorLimit, openDescriptors } from '../../../../src/machine/descriptors.ts';
import { memif, wireOf } from '../../plan/plan-support.ts';
import { Machine, wires } from '../supervisor-support.ts';

const numbered = (number: number) => ({
  ...wireOf(memif(`/run/a${number}.sock`), memif(`/run/b${number}.sock`)),
  name: `w${number}`,
});

/** A process in which each engine wire holds eight descriptors. */
async function process(limit: number) {
  const machine = new Machine();
  const descriptors = { open: () => 40 + 8 * run.dataplane.engineWires.size, limit: () => limit };
  const run = machine.boot({ parallel: 1 }, descriptors);
  await run.supervisor.start();
  return { machine, ...run };
}

test('engine wires are refused before the last descriptors are gone, kernel wires are not', async (t) => {
  const { machine, supervisor, dataplane } = await process(40 + 384 + 8 * 10 + 14);
  const many = Array.from({ length: 20 }, (_, number) => numbered(number));
  const reports = await supervisor.set('api', many);
  t.is(reports.filter(({ outcome }) => outcome === 'created').length, 11);
  t.is(dataplane.engineWires.size, 11);
  for (const { outcome, error } of reports.slice(11)) {
    t.is(outcome, 'failed');
    t.like(error, { code: 'OUT_OF_DESCRIPTORS' });
  }
  t.is(machine.files.size, 11, 'nothing is written of those that were refused');

  t.like(await supervisor.set('api', [wires.veth]), [{ outcome: 'created' }]);
  t.true((await supervisor.set('api', many.slice(0, 11))).every(({ outcome }) => outcome === 'unchanged'));
  await supervisor.remove(['w0']);
  t.like(await supervisor.set('api', [numbered(30)]), [{ outcome: 'created' }]);
});

test('a wire that is restarted gives back what it takes', async (t) => {
  const { supervisor } = await process(40 + 384 + 14);
  await supervisor.set('api', [numbered(1)]);
  const changed = { ...wireOf(memif('/run/a1.sock', { rings: 2 }), memif('/run/b1.sock')), name: 'w1' };
  t.like(await supervisor.set('api', [changed]), [{ outcome: 'changed' }]);
});

test('what is open is counted, and what may be open is known', (t) => {
  const before = openDescriptors();
  const opened = Array.from({ length: 50 }, () => openSync('/dev/null', 'r'));
  const after = openDescriptors();
  for (const one of opened) closeSync(one);
  t.true(after - before >= 45 && after - before <= 55, `${before}, then ${after}`);
  t.true(Math.abs(readdirSync('/proc/self/fd').length - openDescriptors()) <= 5);
  t.true(descriptorLimit() >= after);
});
