// SPDX-License-Identifier: Apache-2.0
// What is wanted of a daemon and cannot be yet; names that swap between its wires; and what it leaves when it leaves for good.

import { rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import test from 'ava';
import { Daemon } from '../support/daemon.ts';
import { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { eventually, run } from '../support/shell.ts';
import { verb } from '../support/verbs.ts';
import { kernelEnd, memifEnd, wireFile } from '../support/wires.ts';

let daemon: Daemon;
let a: Namespace;
let b: Namespace;

test.beforeEach(async () => {
  [a, b] = [await Namespace.make('a'), await Namespace.make('b')];
});
test.afterEach.always(async () => {
  await daemon?.destroy();
  for (const namespace of [a, b]) await namespace?.remove();
});

const ended = (name: string, interfaceName: string, address: string) => ({
  name,
  client: kernelEnd(a, interfaceName, { addresses: [`${address}.1/24`] }),
  endpoint: kernelEnd(b, interfaceName, { addresses: [`${address}.2/24`] }),
});

testWith(['root'], 'a wire of --wires whose namespace is missing is pending, and comes up with it', async (t) => {
  daemon = await Daemon.start();
  await daemon.stop();
  const file = join(daemon.directory, 'given.yaml');
  const late = await Namespace.make('late');
  const waiting = { name: 'late', client: kernelEnd(a, 'n1'), endpoint: kernelEnd(late, 'n1') };
  await writeFile(file, wireFile(waiting, ended('now', 'n2', '10.84.2')));
  await late.remove();
  daemon.extra.push('--wires', file);
  await daemon.launch();

  const table = (await daemon.cli('get', 'wires')).stdout;
  t.regex(table, /late +pending/);
  t.regex(table, /now +up/);
  t.like(await daemon.describe('late'), {
    phase: 'pending',
    owner: 'files',
    error: { code: 'NAMESPACE_MISSING' },
    health: [{ code: 'NAMESPACE_MISSING', severity: 'warning' }],
  });
  const metrics = await daemon.metrics();
  t.is(metrics.sum('crosswire_wires', { phase: 'pending' }), 1n);
  t.regex(metrics.text, /^crosswire_wire_up\{.*wire="late".*\} 0$/m);

  await run('ip', 'netns', 'add', late.name);
  try {
    await daemon.up('late');
    t.like(await daemon.describe('late'), { phase: 'up', health: [] });
    await daemon.cli('delete', 'late');
  } finally {
    await late.remove();
  }
});

testWith(['root', 'tun'], 'names and addresses swap between wires in one apply, time and again', async (t) => {
  daemon = await Daemon.start();
  const memif = (name: string, interfaceName: string, id: number) => ({
    name,
    client: kernelEnd(a, interfaceName),
    endpoint: memifEnd(join(daemon.directory, 'memif.sock'), 'server', id),
  });
  const sets = [
    [ended('x', 'n1', '10.84.1'), ended('y', 'n2', '10.84.2'), memif('u', 'm1', 0), memif('v', 'm2', 1)],
    [ended('x', 'n2', '10.84.2'), ended('y', 'n1', '10.84.1'), memif('u', 'm2', 1), memif('v', 'm1', 0)],
  ];
  for (let round = 0; round < 10; round++) {
    const wires = sets[round % 2] ?? [];
    await daemon.mustApply(wireFile(...(round % 3 === 0 ? wires : wires.toReversed())));
    await eventually('both carry frames', async () => {
      await a.run('ping', '-q', '-c', '1', '-W', '1', '10.84.1.2');
      await a.run('ping', '-q', '-c', '1', '-W', '1', '10.84.2.2');
      return true;
    });
  }
  t.deepEqual((await a.interfaces()).toSorted(), ['m1', 'm2', 'n1', 'n2']);
});

testWith(
  ['root', 'tun'],
  'killed while names swap: the next start has all wires as before, or all as wanted',
  async (t) => {
    daemon = await Daemon.start();
    const sets = [
      [ended('x', 'n1', '10.84.1'), ended('y', 'n2', '10.84.2')],
      [ended('x', 'n2', '10.84.2'), ended('y', 'n1', '10.84.1')],
    ];
    await daemon.mustApply(wireFile(...(sets[0] ?? [])));
    for (let round = 1; round < 9; round++) {
      const busy = daemon.apply(wireFile(...(sets[round % 2] ?? [])));
      await new Promise((resolve) => setTimeout(resolve, 100 + 16 * round));
      await daemon.stop('SIGKILL');
      await busy;
      await daemon.launch();
      const named = async (wire: string) =>
        ((await daemon.describe(wire))['client'] as { interface: string }).interface;
      t.true(['n1 n2', 'n2 n1'].includes(`${await named('x')} ${await named('y')}`));
      await a.run('ping', '-q', '-c', '1', '-W', '2', '10.84.1.2');
      await a.run('ping', '-q', '-c', '1', '-W', '2', '10.84.2.2');
      t.deepEqual((await a.interfaces()).toSorted(), ['n1', 'n2']);
    }
  },
);

for (const withState of [true, false]) {
  const title = withState ? '' : ', and its state directory was deleted';
  testWith(
    ['root', 'tun'],
    `cleanup after a daemon that was killed${title}: nothing is left, nothing comes back`,
    async (t) => {
      daemon = await Daemon.start();
      const socket = join(daemon.directory, 'memif.sock');
      const policies = [{ from: '10.84.1.0/24', routes: [{ to: '10.85.0.0/16', via: '10.84.1.2' }] }];
      await daemon.mustApply(
        wireFile(
          ended('x', 'n1', '10.84.1'),
          {
            name: 'y',
            client: kernelEnd(a, 'n2', { addresses: ['10.84.3.1/24'], policies }),
            endpoint: kernelEnd(b, 'n2'),
          },
          { name: 'z', client: kernelEnd(a, 'n3'), endpoint: memifEnd(socket, 'server', 0) },
        ),
      );
      await a.run('ip', 'tuntap', 'add', 'other', 'mode', 'tap');
      const state = join(daemon.directory, 'state');
      const node = ['--node', basename(daemon.directory)];
      const cleanup = (...args: string[]) =>
        verb('cleanup', '--state-dir', state, '--control', daemon.control, ...node, ...args);
      const refused = await cleanup();
      t.is(refused.code, 1);
      t.regex(refused.stderr, /DAEMON_RUNNING|STATE_DIR_LOCKED/);

      await daemon.stop('SIGKILL');
      if (!withState) await rm(state, { recursive: true });
      const listed = await cleanup('--dry-run');
      t.regex(listed.stdout, /interface +n1 +/);
      t.is((await a.interfaces()).length, 4);
      const done = await cleanup();
      t.is(done.code, 0, done.stderr);
      t.deepEqual(await a.interfaces(), ['other']);
      t.deepEqual(await b.interfaces(), []);
      t.notRegex(await a.run('ip', 'rule', 'show'), /10\.84/);
      t.regex((await cleanup()).stdout, /nothing of the node/);
      await daemon.launch();
      t.regex((await daemon.cli('get', 'wires')).stdout, /no wires/);
    },
  );
}
