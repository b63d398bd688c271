// SPDX-License-Identifier: Apache-2.0

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { StateDirectoryLock } from '../../../src/machine/lock.ts';
import {
  checkNode,
  markOf,
  parseMark,
  parseUplinkMark,
  temporaryName,
  uplinkMark,
} from '../../../src/machine/marks.ts';
import { NamespaceFinder } from '../../../src/machine/namespaces.ts';
import { sweepOrphans } from '../../../src/machine/orphans.ts';
import { FakeDataplane } from '../../fakes/dataplane.ts';

function directory(t: { teardown(fn: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'crosswire-host-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

test('a namespace is found by path, pid and inode', async (t) => {
  const dataplane = new FakeDataplane();
  const { device, inode } = dataplane.kernel.addNamespace('/run/netns/a');
  dataplane.kernel.linkNamespace('/proc/42/ns/net', '/run/netns/a');
  const finder = new NamespaceFinder(dataplane);
  t.deepEqual(await finder.resolve({ netns: '/run/netns/a' }), { path: '/run/netns/a', device, inode });
  t.deepEqual(await finder.resolve({ pid: 42 }), { path: '/proc/42/ns/net', device, inode });
  t.like(await finder.resolve({ inode }), { device, inode });
});

test('a missing namespace says where it was looked for and what to do', async (t) => {
  const finder = new NamespaceFinder(new FakeDataplane());
  const code = 'NAMESPACE_MISSING';
  const byPath = await t.throwsAsync(finder.resolve({ netns: '/run/netns/web' }), { code });
  t.regex(byPath.message, /\/run\/netns\/web.*ip netns add web/);
  t.regex((await t.throwsAsync(finder.resolve({ pid: 42 }), { code })).message, /pid 42.*must be running/);
  t.regex((await t.throwsAsync(finder.resolve({ inode: 7 }), { code })).message, /inode 7/);
});

test('a namespace seen before is found under another path, but not one that took its path', async (t) => {
  const dataplane = new FakeDataplane();
  const { kernel } = dataplane;
  const { device, inode } = kernel.addNamespace('/run/netns/a');
  kernel.linkNamespace('/proc/42/ns/net', '/run/netns/a');
  const finder = new NamespaceFinder(dataplane);
  const known = { path: '/run/netns/a', device, inode };
  t.is((await finder.findAgain(known))?.path, '/run/netns/a');
  kernel.removeNamespace('/run/netns/a');
  kernel.addNamespace('/run/netns/a');
  t.is((await finder.findAgain(known))?.path, '/proc/42/ns/net');
  kernel.removeNamespace('/proc/42/ns/net');
  t.is(await finder.findAgain(known), undefined);
});

test('marks are read back, and only those of the node', (t) => {
  t.deepEqual(parseMark('n', markOf('n', 'web', 'client')), { wire: 'web', end: 'client' });
  for (const alias of [
    '',
    'crosswire/other/web/client',
    'crosswire/n/web',
    'crosswire/n/web/side',
    'crosswire/n//client',
    uplinkMark(markOf('n', 'web', 'client')),
  ])
    t.is(parseMark('n', alias), undefined);
  const below = uplinkMark(markOf('n', 'web', 'client'));
  t.deepEqual(parseUplinkMark('n', below), { wire: 'web', end: 'client' });
  for (const alias of [markOf('n', 'web', 'client'), `${below}/uplink`, '/uplink'])
    t.is(parseUplinkMark('n', alias), undefined);
});

test('the longest mark of an accepted node name fits the alias; other names are refused', (t) => {
  const longest = 'n'.repeat(165);
  t.notThrows(() => checkNode(longest));
  t.true(uplinkMark(markOf(longest, 'w'.repeat(63), 'endpoint')).length <= 255);
  for (const node of ['', 'a/b', `${longest}n`]) t.throws(() => checkNode(node), { code: 'NODE_NAME' });
});

test('temporary names fit an interface name and differ', (t) => {
  const names = Array.from({ length: 100 }, temporaryName);
  t.true(names.every((name) => /^cw[0-9a-f]{12}$/.test(name)));
  t.is(new Set(names).size, 100);
});

test('orphans go wherever they are; what is claimed, foreign or of another node stays', async (t) => {
  const dataplane = new FakeDataplane();
  const { kernel } = dataplane;
  for (const path of ['/run/netns/a', '/run/netns/b']) kernel.addNamespace(path);
  const make = (path: string, name: string, alias: string) => {
    kernel.create(path, name, 'tap').alias = alias;
  };
  make('/run/netns/a', 'claimed', markOf('n', 'here', 'client'));
  make('/run/netns/b', 'moved', markOf('n', 'here', 'client'));
  make('/run/netns/b', 'orphan', markOf('n', 'gone', 'client'));
  make('/run/netns/b', 'garbled', 'crosswire/n/what');
  make('/run/netns/b', 'cw000000000001', '');
  make('/run/netns/b', 'cw000000000002', 'of somebody else');
  make('/run/netns/b', 'neighbour', markOf('nn', 'gone', 'client'));
  make('/run/netns/b', 'eth0', '');
  make('/run/netns/b', 'below', uplinkMark(markOf('n', 'here', 'client')));
  make('/run/netns/b', 'below-gone', uplinkMark(markOf('n', 'gone', 'client')));
  const sweep = await sweepOrphans(dataplane, {
    node: 'n',
    temporaryNames: ['cw000000000001', 'cw000000000002'],
    isClaimed: ({ wire }, { path }) => wire === 'here' && path === '/run/netns/a',
    isUplinkClaimed: ({ wire, end }, name) => `${wire}/${end}/${name}` === 'here/client/below',
  });
  t.deepEqual(sweep.errors, []);
  t.deepEqual(sweep.removed.map(({ info }) => info.name).sort(), [
    'below-gone',
    'cw000000000001',
    'garbled',
    'moved',
    'orphan',
  ]);
  t.deepEqual(
    kernel
      .all()
      .map(({ name }) => name)
      .sort(),
    ['below', 'claimed', 'cw000000000002', 'eth0', 'neighbour'],
  );
});

test('a namespace that cannot be read is reported and keeps no other from being swept', async (t) => {
  const dataplane = new FakeDataplane();
  for (const path of ['/run/netns/a', '/run/netns/b']) {
    dataplane.kernel.addNamespace(path);
    dataplane.kernel.create(path, 'orphan', 'tap').alias = markOf('n', 'gone', 'client');
  }
  const list = dataplane.listInterfaces.bind(dataplane);
  dataplane.listInterfaces = async (query) => {
    if (query.netns === '/run/netns/a') throw new Error('it kept changing while it was read');
    return list(query);
  };
  const sweep = await sweepOrphans(dataplane, {
    node: 'n',
    temporaryNames: [],
    isClaimed: () => false,
    isUplinkClaimed: () => false,
  });
  t.deepEqual(sweep.errors.map(String), ['Error: it kept changing while it was read']);
  t.deepEqual(
    sweep.removed.map(({ namespace }) => namespace.path),
    ['/run/netns/b'],
  );
});

test('a second lock on a state directory is refused with the pid of the holder, until the first is released', (t) => {
  const path = directory(t);
  const [first, second] = [new StateDirectoryLock(path), new StateDirectoryLock(path)];
  first.acquire();
  const refused = t.throws(() => second.acquire(), { code: 'STATE_DIR_LOCKED' });
  t.regex(refused.message, new RegExp(`pid ${process.pid}\\b`));
  first.release();
  t.notThrows(() => second.acquire());
  second.release();
});

test('the lock of a process that is killed falls', async (t) => {
  const path = directory(t);
  const source = `
    const { StateDirectoryLock } = await import(${JSON.stringify(new URL('../../../src/machine/lock.ts', import.meta.url))});
    globalThis.lock = new StateDirectoryLock(${JSON.stringify(path)}); // kept: garbage collection would release the lock
    lock.acquire();
    console.log('locked');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const lock = new StateDirectoryLock(path);
  t.regex(t.throws(() => lock.acquire(), { code: 'STATE_DIR_LOCKED' }).message, new RegExp(`pid ${child.pid}\\b`));
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.notThrows(() => lock.acquire());
  lock.release();
});

test('a state directory that cannot be written is another error', (t) => {
  t.throws(() => new StateDirectoryLock('/proc/none').acquire(), { code: 'STATE_DIR_FAILED' });
});
