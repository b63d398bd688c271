// SPDX-License-Identifier: Apache-2.0
// Bad input causes an error that names the place, a non-zero exit code, and no change.

import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import { Daemon } from '../support/daemon.ts';
import { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { attempt, eventually, run } from '../support/shell.ts';
import { kernelEnd, memifEnd, wireDocument, wireFile } from '../support/wires.ts';

let daemon: Daemon;
let a: Namespace;
let b: Namespace;

test.beforeEach(async () => {
  [a, b] = [await Namespace.make('a'), await Namespace.make('b')];
  daemon = await Daemon.start();
});
test.afterEach.always(async () => {
  await daemon?.destroy();
  for (const namespace of [a, b]) await namespace?.remove();
});

const good = () => ({ name: 'good', client: kernelEnd(a, 'g0'), endpoint: kernelEnd(b, 'g0') });

testWith(['root'], 'a file with one bad wire applies none of its wires and names file, line and key', async (t) => {
  const bad = wireDocument({ ...good(), name: 'bad', client: kernelEnd(a, 'a-name-that-is-too-long') });
  const outcome = await daemon.apply(`${wireDocument(good())}---\n${bad}`);
  t.not(outcome.code, 0);
  t.regex(outcome.stderr, /wires\.yaml:\d+/);
  t.regex(outcome.stderr, /interface/);
  t.deepEqual(await a.interfaces(), []);
});

const refused: Record<string, { spec: () => string; says: RegExp }> = {
  'a namespace that is missing': {
    spec: () => wireFile({ ...good(), client: { kernel: { netns: '/run/netns/cwt-none', interface: 'g0' } } }),
    says: /NAMESPACE_MISSING/,
  },
  'a file that is no namespace': {
    spec: () => wireFile({ ...good(), client: { kernel: { netns: '/etc/hostname', interface: 'g0' } } }),
    says: /NAMESPACE_INVALID/,
  },
  'an inode that nothing has': {
    spec: () => wireFile({ ...good(), client: { kernel: { inode: 4_000_000_001, interface: 'g0' } } }),
    says: /NAMESPACE_MISSING/,
  },
  'a wire to itself': {
    spec: () => wireFile({ ...good(), endpoint: kernelEnd(a, 'g0') }),
    says: /itself/,
  },
  'two wires with the same interface': {
    spec: () => wireFile(good(), { ...good(), name: 'other', endpoint: kernelEnd(b, 'g1') }),
    says: /INTERFACE_CLAIMED.*wires\.yaml:\d+:\d+/,
  },
  'duplicate names': { spec: () => wireFile(good(), good()), says: /good/ },
  'a socket directory that is missing': {
    spec: () => wireFile({ ...good(), endpoint: memifEnd('/run/cwt-none/memif.sock', 'server', 0) }),
    says: /cwt-none/,
  },
};

for (const [name, { spec, says }] of Object.entries(refused)) {
  testWith(['root', 'tun'], `${name}: an error, nothing changed`, async (t) => {
    const outcome = await daemon.apply(spec());
    t.not(outcome.code, 0);
    t.regex(outcome.stderr + outcome.stdout, says);
    t.deepEqual(await a.interfaces(), []);
    t.deepEqual(await b.interfaces(), []);
    t.deepEqual(JSON.parse((await daemon.cli('get', 'wires', '-o', 'json')).stdout), []);
    t.deepEqual(await readdir(join(daemon.directory, 'state', 'wires')), []);
  });
}

testWith(['root'], 'an interface name taken by something that is not ours is left alone', async (t) => {
  await a.run('ip', 'link', 'add', 'g0', 'type', 'bridge');
  const outcome = await daemon.apply(wireFile(good()));
  t.not(outcome.code, 0);
  t.regex(outcome.stderr + outcome.stdout, /INTERFACE_TAKEN/);
  t.deepEqual(await a.interfaces(), ['g0']);
  t.regex(await a.run('ip', '-d', 'link', 'show', 'g0'), /bridge/);
  t.deepEqual(await b.interfaces(), []);
});

testWith(['root', 'tun'], 'a namespace that goes away under a wire degrades that wire alone', async (t) => {
  const gone = await Namespace.make('gone');
  const memif = memifEnd(join(daemon.directory, 'memif.sock'), 'server', 0);
  await daemon.mustApply(wireFile(good(), { name: 'doomed', client: kernelEnd(gone, 'd0'), endpoint: memif }));
  await gone.remove();
  await daemon.stop('SIGTERM');
  await daemon.launch();
  await eventually(
    'the wire is degraded',
    async () => ((await daemon.describe('doomed')) as { phase: string }).phase === 'degraded',
  );
  t.is(((await daemon.describe('good')) as { phase: string }).phase, 'up');
  t.is((await daemon.cli('delete', 'doomed')).code, 0, 'and it can be removed');
});

testWith(['root'], 'a second daemon on the same state directory is refused and says who holds it', async (t) => {
  const args = daemon.arguments.map((each) => (each === daemon.control ? `${daemon.control}2` : each));
  const outcome = await attempt(
    resolve('bin/crosswire'),
    ...args.filter((each, i) => each !== '--metrics' && args[i - 1] !== '--metrics'),
    '--metrics',
    'off',
  );
  t.not(outcome.code, 0);
  t.regex(outcome.stderr, /STATE_DIR_LOCKED/);
  t.true(outcome.stderr.includes(String(daemon.process?.child.pid)));
});

testWith(['root'], 'a corrupt journal file is set aside and reported; the rest goes on', async (t) => {
  await daemon.mustApply(wireFile(good()));
  await daemon.stop('SIGTERM');
  const journals = join(daemon.directory, 'state', 'wires');
  await writeFile(join(journals, 'torn.json'), '{"version":1,"sp');
  await daemon.launch();
  t.is(((await daemon.describe('good')) as { phase: string }).phase, 'up');
  t.true((await readdir(journals)).some((name) => name.startsWith('torn') && name.includes('corrupt')));
  t.regex(daemon.process?.output ?? '', /torn/);
});

testWith(['root'], 'a full disk: the wire is refused, nothing is made', async (t) => {
  await daemon.stop('SIGTERM');
  const state = join(daemon.directory, 'state');
  await run('mount', '-t', 'tmpfs', '-o', 'size=16k', 'crosswire-test', state);
  try {
    await daemon.launch();
    await writeFile(join(state, 'filler'), Buffer.alloc(4096));
    await writeFile(join(state, 'filler'), Buffer.alloc(64 << 10)).catch(() => undefined); // until ENOSPC
    const outcome = await daemon.apply(wireFile(good()));
    t.not(outcome.code, 0);
    t.regex(outcome.stderr + outcome.stdout, /JOURNAL_WRITE_FAILED/);
    t.deepEqual(await a.interfaces(), []);
    await daemon.stop('SIGTERM');
  } finally {
    await run('umount', state);
  }
});

testWith(['root'], 'without privileges the daemon says which capability it lacks', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'cwt-unprivileged-'));
  try {
    await chmod(directory, 0o777);
    const outcome = await attempt(
      'setpriv',
      '--bounding-set=-all',
      '--inh-caps=-all',
      resolve('bin/crosswire'),
      'run',
      '--state-dir',
      join(directory, 's'),
      '--control',
      join(directory, 'c'),
      '--metrics',
      'off',
    );
    t.not(outcome.code, 0);
    t.regex(outcome.stderr, /CAP_NET_ADMIN/);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

testWith(['root'], 'no daemon at the control socket: a clear error and its own exit code', async (t) => {
  const outcome = await attempt(resolve('bin/crosswire'), 'get', 'wires', '--control', '/run/cwt-none.sock');
  t.is(outcome.code, 3);
  t.regex(outcome.stderr, /cwt-none/);
});
