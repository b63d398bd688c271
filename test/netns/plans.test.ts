// SPDX-License-Identifier: Apache-2.0
// Every kind of plan with the real kernel: the kernel reports what was wanted, so that applying or starting
// again finds nothing to do; and nothing is left behind.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { NativeDataplane } from '../../src/dataplane/dataplane.ts';
import type { Wire } from '../../src/wire/wire.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';
import { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { moves } from '../unit/supervisor/moves.ts';
import { changes } from '../unit/supervisor/supervisor-support.ts';

let namespaces: Namespace[];
let directory: string;

test.beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'crosswire-plans-'));
  namespaces = [];
  for (const label of ['pa', 'pb', 'pc']) namespaces.push(await Namespace.make(label));
});
test.afterEach.always(async () => {
  for (const namespace of namespaces) await namespace.remove();
  rmSync(directory, { recursive: true });
});

/** The wire with the namespaces of this test in place of a, b and c, and with its own sockets. */
function here(wire: Wire): Wire {
  const text = JSON.stringify(wire)
    .replaceAll(/\/run\/netns\/([abc])/g, (_, letter: string) => namespaces['abc'.indexOf(letter)]?.path ?? '')
    .replaceAll('/run/', `${directory}/`);
  return JSON.parse(text.replaceAll(`${directory}/netns/`, '/run/netns/')) as Wire;
}

async function boot() {
  const dataplane = new NativeDataplane();
  await dataplane.start();
  const supervisor = new Supervisor({ dataplane, stateDirectory: directory, node: 'plans-test' });
  await supervisor.start();
  const stop = async (removeWires: boolean) => {
    await supervisor.stop({ removeWires });
    await dataplane.close();
  };
  return { supervisor, stop };
}

/** Wires with devices, WireGuard or VLANs need a special kernel or NIC; test/sriov tests them. */
function needsLab(wire: Wire | undefined): boolean {
  return [wire?.client, wire?.endpoint].some((end) => {
    const { mechanism } = end ?? {};
    const isDevice = mechanism?.type === 'kernel' && mechanism.device !== undefined;
    return isDevice || ['vfio', 'vlan', 'wireguard'].includes(mechanism?.type ?? '');
  });
}

for (const [title, [from, to]] of Object.entries(changes)) {
  if (needsLab(from) || needsLab(to)) continue;
  testWith(['root', 'tun', 'vxlan'], `on the real kernel: ${title}`, async (t) => {
    const first = await boot();
    if (from) t.like((await first.supervisor.set('api', [here(from)]))[0], { outcome: 'created' });
    if (to) {
      t.like((await first.supervisor.set('api', [here(to)]))[0], {
        outcome: from ? 'changed' : 'created',
        error: undefined,
      });
      t.deepEqual((await first.supervisor.explain('w'))?.pending, []);
      t.like((await first.supervisor.set('api', [here(to)]))[0], { outcome: 'unchanged' });
    } else {
      t.deepEqual(await first.supervisor.remove(['w']), [{ name: 'w', outcome: 'removed', errors: [] }]);
    }
    await first.stop(false);
    const second = await boot();
    t.deepEqual(
      second.supervisor.list().map(({ phase }) => phase),
      to ? ['up'] : [],
    );
    t.deepEqual(second.supervisor.health(), []);
    await second.stop(true);
    for (const namespace of namespaces) t.deepEqual(await namespace.interfaces(), []);
  });
}

for (const [title, [from, to]] of Object.entries(moves)) {
  if ([...from, ...to].some(needsLab)) continue;
  testWith(['root', 'tun', 'vxlan'], `on the real kernel, in one step: ${title}`, async (t) => {
    const first = await boot();
    const outcomes = async (wires: readonly Wire[]) => {
      const reports = await first.supervisor.set('api', wires.map(here));
      return reports.map(({ outcome, error }) => error ?? outcome);
    };
    await outcomes(from);
    const known = (name: string) => from.some((wire) => wire.name === name);
    t.deepEqual(
      await outcomes(to),
      to.map(({ name }) => (known(name) ? 'changed' : 'created')),
    );
    t.deepEqual(
      await outcomes(to),
      to.map(() => 'unchanged'),
    );
    for (const { name } of to) t.deepEqual((await first.supervisor.explain(name))?.pending, []);
    if (to.every(({ name }) => known(name)))
      for (let round = 0; round < 4; round++)
        t.deepEqual(
          await outcomes(round % 2 === 0 ? from : to),
          to.map(() => 'changed'),
        );
    await first.stop(false);
    const second = await boot();
    t.true(second.supervisor.list().every(({ phase }) => phase === 'up'));
    t.deepEqual(second.supervisor.health(), []);
    await second.stop(true);
    for (const namespace of namespaces) t.deepEqual(await namespace.interfaces(), []);
  });
}
