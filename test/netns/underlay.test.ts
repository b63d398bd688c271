// SPDX-License-Identifier: Apache-2.0
// Finding the underlay, in namespaces with interfaces like those of nodes.
//   node: first (10.1.0.1, MTU 1400) ── veth ── second (10.2.0.1 and fd02::1, MTU 9000)

import { resolve } from 'node:path';
import test from 'ava';
import type { Underlay } from '../../src/machine/underlay.ts';
import { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { run } from '../support/shell.ts';

const source = resolve('src/machine/underlay.ts');
const script = (address: string) =>
  `import(${JSON.stringify(source)}).then(async ({ findUnderlay }) =>
    console.log(JSON.stringify((await findUnderlay('${address}')) ?? null)))`;

const made: Namespace[] = [];
test.afterEach.always(async () => {
  for (const one of made.splice(0)) await one.remove();
});

async function node(): Promise<Namespace> {
  const one = await Namespace.make('node');
  made.push(one);
  await one.run('ip', 'link', 'add', 'first', 'type', 'veth', 'peer', 'name', 'second');
  for (const [name, mtu, ...addresses] of [
    ['first', '1400', '10.1.0.1/24'],
    ['second', '9000', '10.2.0.1/24', 'fd02::1/64'],
  ] as const) {
    for (const address of addresses) await one.run('ip', 'address', 'add', address, 'dev', name, 'nodad');
    await one.run('ip', 'link', 'set', name, 'mtu', mtu, 'up');
  }
  return one;
}

async function underlay(where: Namespace, address = ''): Promise<Underlay | null> {
  return JSON.parse(await where.run(process.execPath, '-e', script(address))) as Underlay | null;
}

testWith(['root'], 'an address that was named, however it is written; of no interface: none', async (t) => {
  const where = await node();
  t.deepEqual(await underlay(where, '10.2.0.1'), { interface: 'second', address: '10.2.0.1', mtu: 9000 });
  t.deepEqual(await underlay(where, 'FD02:0::1'), { interface: 'second', address: 'fd02::1', mtu: 9000 });
  t.is(await underlay(where, '10.3.0.1'), null);
});

testWith(['root'], 'without one: the default route of the lowest metric, that refuses nothing', async (t) => {
  const where = await node();
  t.is(await underlay(where), null);
  await where.run('ip', 'route', 'add', 'unreachable', 'default', 'metric', '1');
  await where.run('ip', '-6', 'route', 'add', 'unreachable', 'default', 'metric', '1');
  t.is(await underlay(where), null);
  await where.run('ip', '-6', 'route', 'add', 'default', 'via', 'fd02::2', 'metric', '9');
  t.like(await underlay(where), { interface: 'second' });
  await where.run('ip', 'route', 'add', 'default', 'via', '10.2.0.2', 'metric', '9');
  await where.run('ip', 'route', 'add', 'default', 'via', '10.1.0.2', 'metric', '5');
  t.deepEqual(await underlay(where), { interface: 'first', address: '10.1.0.1', mtu: 1400 });
});

testWith(['root'], "with another namespace's /sys there is no MTU, and so no tunnel", async (t) => {
  const where = await node();
  const args = [`--net=${where.path}`, process.execPath, '-e', script('10.2.0.1')];
  t.is((await run('nsenter', ...args)).trim(), 'null');
});
