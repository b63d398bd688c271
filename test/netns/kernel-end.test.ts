// SPDX-License-Identifier: Apache-2.0
// What NSM needs of a kernel end besides addresses and routes: policy routing, and permission to ping for every user.
//   namespace a ── veth pair made by the wire ── namespace b

import { chmod, copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Daemon } from '../support/daemon.ts';
import { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { eventually, run } from '../support/shell.ts';
import { kernelEnd, wireFile } from '../support/wires.ts';

let daemon: Daemon;
let a: Namespace;
let b: Namespace;

test.beforeEach(async () => {
  [a, b] = [await Namespace.make('a'), await Namespace.make('b')];
  daemon = await Daemon.start();
});
test.afterEach.always(async () => {
  await daemon?.destroy();
  await a?.remove();
  await b?.remove();
});

const web = { protocol: 6, destinationPorts: '80-90', routes: [{ to: '0.0.0.0/0', via: '10.77.0.2' }] };
const six = { from: 'fd77::/64', routes: [{ to: '::/0', via: 'fd77::2' }] };
const host = { from: '10.77.0.1/32', sourcePorts: '7', routes: [{ to: '10.79.0.0/16' }] };

const wire = (policies: readonly object[], more: object = {}, name = 'cw0') =>
  wireFile({
    name: 'ab',
    client: kernelEnd(a, name, { addresses: ['10.77.0.1/24', 'fd77::1/64'], policies, ...more }),
    endpoint: kernelEnd(b, 'cw0', {
      addresses: ['10.77.0.2/24', 'fd77::2/64'],
      policies: [{ protocol: 6, routes: [{ to: '0.0.0.0/0' }] }],
    }),
  });

interface Rule {
  readonly src: string;
  readonly table: string;
  readonly priority: number;
}

/** The routing rules, except those for the kernel's own tables. */
async function rules(namespace: Namespace): Promise<Rule[]> {
  const all = await Promise.all(
    ['-4', '-6'].map(async (family) => JSON.parse(await namespace.run('ip', family, '-j', 'rule')) as Rule[]),
  );
  return all.flat().filter(({ table }) => !['local', 'main', 'default'].includes(table));
}

const routeOf = (...query: string[]) => a.run('ip', 'route', 'get', ...query);

async function standing(t: ExecutionContext, ...parts: string[]): Promise<void> {
  const found = await rules(a);
  t.is(found.length, parts.length);
  if (parts.includes('web')) {
    t.regex(await routeOf('8.8.8.8', 'ipproto', 'tcp', 'dport', '85'), /via 10\.77\.0\.2 dev/);
    await t.throwsAsync(routeOf('8.8.8.8', 'ipproto', 'tcp', 'dport', '91'), undefined, 'another port has no route');
    await t.throwsAsync(routeOf('8.8.8.8', 'ipproto', 'udp', 'dport', '85'), undefined, 'nor has another protocol');
  }
  if (parts.includes('six')) t.regex(await routeOf('2001:db8::1', 'from', 'fd77::1'), /via fd77::2 dev/);
  if (parts.includes('host'))
    t.regex(await routeOf('10.79.1.1', 'from', '10.77.0.1', 'sport', '7'), /10\.79\.1\.1.*dev/);
}

testWith(
  ['root'],
  'policies come, change by their key and go; restarts adopt them, drift is repaired, removal leaves none',
  async (t) => {
    await daemon.mustApply(wire([web, six, host]));
    await standing(t, 'web', 'six', 'host');
    t.is((await rules(b)).length, 1);
    const tables = (await rules(a)).map(({ table }) => table);

    t.regex((await daemon.apply(wire([web, six, host]))).stdout, /"unchanged"/);
    const other = { ...web, routes: [{ to: '0.0.0.0/0', via: '10.77.0.3' }] };
    await daemon.mustApply(wire([other, six]));
    t.is((await rules(a)).length, 2, 'what is not asked for any more is gone');
    t.regex(await routeOf('8.8.8.8', 'ipproto', 'tcp', 'dport', '85'), /via 10\.77\.0\.3 dev/);
    t.true(
      (await rules(a)).every(({ table }) => tables.includes(table)),
      'the others keep their tables',
    );

    await daemon.mustApply(wire([web, six]));
    await daemon.stop();
    const before = JSON.stringify([await rules(a), await rules(b)]);
    await daemon.launch();
    await standing(t, 'web', 'six');
    t.is(JSON.stringify([await rules(a), await rules(b)]), before, 'adopted as they were');

    await daemon.stop('SIGKILL');
    const [rule] = (await rules(a)).filter(({ src }) => src === 'all');
    await a.run('ip', 'rule', 'del', 'pref', String(rule?.priority));
    await a.run('ip', '-6', 'route', 'flush', 'table', String((await rules(a))[0]?.table));
    await daemon.launch();
    await standing(t, 'web', 'six');

    await daemon.mustApply(wire([web, six], {}, 'cw1'));
    await standing(t, 'web', 'six');
    await daemon.mustApply(wire([]));
    t.deepEqual(await rules(a), []);
    await daemon.mustApply(wire([web]));
    await daemon.cli('delete', 'ab');
    t.deepEqual([await rules(a), await rules(b)], [[], []]);
  },
);

testWith(['root'], 'rules of an interface that somebody else took away go too', async (t) => {
  await daemon.mustApply(wire([web, six]));
  await daemon.stop();
  await a.run('ip', 'link', 'del', 'cw0');
  await daemon.launch();
  await standing(t, 'web', 'six');
  await daemon.stop();
  await a.run('ip', 'link', 'del', 'cw0');
  await daemon.launch();
  await a.run('ip', 'link', 'del', 'cw0');
  t.is((await rules(a)).length, 2, 'the kernel keeps them');
  await daemon.cli('delete', 'ab');
  await eventually('no rule is left', async () => (await rules(a)).length + (await rules(b)).length === 0);
  t.pass();
});

testWith(['root', 'ping'], 'everybody may ping, and IPv6 works where it was disabled', async (t) => {
  await a.run('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
  const setting = async (name: string) => (await a.run('sysctl', '-n', name)).trim().replaceAll(/\s+/g, ' ');
  await daemon.mustApply(wire([], { addresses: ['10.77.0.1/24'] }));
  t.not(await setting('net.ipv4.ping_group_range'), '0 2147483647');
  await daemon.mustApply(wire([], { allowPing: true }));
  t.is(await setting('net.ipv4.ping_group_range'), '0 2147483647');
  t.is(await setting('net.ipv6.conf.cw0.disable_ipv6'), '0');
  // A copy of ping without file capabilities, so that only the setting permits it.
  const directory = await mkdtemp(join(tmpdir(), 'cwt-ping-'));
  await chmod(directory, 0o755);
  const ping = join(directory, 'ping');
  await copyFile((await run('which', 'ping')).trim(), ping);
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all'] as const;
  try {
    for (const address of ['10.77.0.2', 'fd77::2']) await a.run(...nobody, ping, '-q', '-c', '1', '-W', '2', address);
  } finally {
    await rm(directory, { recursive: true });
  }

  await a.run('sysctl', '-qw', 'net.ipv4.ping_group_range=1 0');
  await daemon.stop();
  await daemon.launch();
  t.is(await setting('net.ipv4.ping_group_range'), '0 2147483647', 'what drifted is repaired');
  await daemon.mustApply(wire([]));
  t.regex((await daemon.apply(wire([]))).stdout, /"unchanged"/, 'nobody takes it back, or tries');
});
