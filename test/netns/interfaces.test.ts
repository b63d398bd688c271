// SPDX-License-Identifier: Apache-2.0
//   namespace a: cwa ── veth ── cwb :namespace b       seen by an independent oracle from inside each

import { readdirSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { NativeDataplane } from '../../src/dataplane/dataplane.ts';
import { statisticsAt } from '../../src/dataplane/statistics.ts';
import type { InterfaceChange, VethSide } from '../../src/dataplane/types.ts';
import { CrosswireError } from '../../src/model/error.ts';
import { Namespace } from '../support/namespace.ts';
import { ask, besides, only, type OracleView } from '../support/netlink-oracle.ts';
import { testWith } from '../support/requires.ts';
import { eventually } from '../support/shell.ts';

const dataplane = new NativeDataplane();
const [markA, markB] = ['crosswire/node/wire/client', 'crosswire/node/wire/endpoint'];
let a: Namespace;
let b: Namespace;

test.beforeEach(async () => {
  [a, b] = [await Namespace.make('ia'), await Namespace.make('ib')];
});
test.afterEach.always(async () => {
  await a?.remove().catch(() => undefined); // some tests remove it themselves
  await b?.remove();
});

const sideA = (): VethSide => ({ netns: a.path, name: 'cwa', alias: markA, mac: '02:00:00:00:00:0a', mtu: 1500 });
const sideB = (): VethSide => ({ netns: b.path, name: 'cwb', alias: markB, mac: '02:00:00:00:00:0b', mtu: 9000 });

const everything = (): InterfaceChange => ({
  netns: a.path,
  name: 'cwa',
  alias: markA,
  rename: 'nsm-1',
  mtu: 1400,
  mac: '02:00:00:00:00:cc',
  up: true,
  addAddresses: ['10.9.0.1/24', 'fd09::1/64', '10.10.0.1/32'],
  addRoutes: [
    { to: '10.8.0.0/16', via: '10.9.0.2' },
    { to: '10.10.0.2/32' },
    { to: '0.0.0.0/0', via: '10.9.0.3' },
    { to: 'fd08::/64', via: 'fd09::2' },
    { to: '::/0', via: 'fd09::3' },
  ],
  addNeighbours: [
    { address: '10.9.0.2', mac: '02:00:00:00:00:0b' },
    { address: 'fd09::2', mac: '02:00:00:00:00:0b' },
  ],
});

async function rejects(t: ExecutionContext, promise: Promise<unknown>, code: string, reason: RegExp | string) {
  const error = await t.throwsAsync(promise, { instanceOf: CrosswireError });
  t.is(error?.code, code);
  if (typeof reason === 'string') t.is(error?.reason, reason);
  else t.regex(error?.reason ?? '', reason);
  return error as CrosswireError;
}

testWith(['root'], 'a veth pair is born in its two namespaces, down, marked, and changes nothing else', async (t) => {
  const before = { a: await ask(a), b: await ask(b), host: await ask() };
  await dataplane.createVethPair(sideA(), sideB());
  const after = { a: await ask(a), b: await ask(b), host: await ask() };
  const side = { kind: 'veth', up: false, txQueueLength: 1000 };
  t.deepEqual(only(after.a, 'cwa').links, [
    { name: 'cwa', alias: markA, mac: '02:00:00:00:00:0a', mtu: 1500, ...side },
  ]);
  t.deepEqual(only(after.b, 'cwb').links, [
    { name: 'cwb', alias: markB, mac: '02:00:00:00:00:0b', mtu: 9000, ...side },
  ]);
  t.deepEqual(besides(after.a, 'cwa'), besides(before.a));
  t.deepEqual(besides(after.b, 'cwb'), besides(before.b));
  t.deepEqual(besides(after.host), besides(before.host));
});

testWith(
  ['root'],
  'one change configures all that was asked, twice is once, and removing it leaves no trace',
  async (t) => {
    const before = { a: await ask(a), host: await ask() };
    await dataplane.createVethPair(sideA(), sideB());
    await dataplane.changeInterface({ netns: b.path, name: 'cwb', alias: markB, up: true });
    await dataplane.changeInterface(everything());
    const seen = await ask(a);
    const on = 'nsm-1';
    t.like(only(seen, on).links[0], { mac: '02:00:00:00:00:cc', mtu: 1400, up: true });
    t.deepEqual(only(seen, on).addresses, [
      { on, address: '10.9.0.1/24', noDad: false, tentative: false },
      { on, address: '10.10.0.1/32', noDad: false, tentative: false },
      { on, address: 'fd09::1/64', noDad: true, tentative: false },
    ]);
    const route = (to: string, via = '') => ({ on, to, via, protocol: String(0xc7), table: 254 });
    t.deepEqual(
      only(seen, on).routes.toSorted((x, y) => (x.to < y.to ? -1 : 1)),
      [
        route('0.0.0.0/0', '10.9.0.3'),
        route('10.10.0.2/32'),
        route('10.8.0.0/16', '10.9.0.2'),
        route('::/0', 'fd09::3'),
        route('fd08::/64', 'fd09::2'),
      ],
    );
    t.deepEqual(only(seen, on).neighbours, [
      { on, address: '10.9.0.2', mac: '02:00:00:00:00:0b', permanent: true },
      { on, address: 'fd09::2', mac: '02:00:00:00:00:0b', permanent: true },
    ]);
    t.deepEqual(besides(seen, on), besides(before.a));

    await dataplane.changeInterface({ ...everything(), name: on });
    t.deepEqual(only(await ask(a), on), only(seen, on));

    const { addAddresses, addRoutes, addNeighbours } = everything();
    const removal = { netns: a.path, name: on, alias: markA };
    for (const _ of ['there', 'gone']) {
      await dataplane.changeInterface({
        ...removal,
        removeAddresses: addAddresses,
        removeRoutes: addRoutes,
        removeNeighbours: addNeighbours,
      });
      const left = only(await ask(a), on);
      t.deepEqual([left.addresses, left.routes, left.neighbours], [[], [], []]);
    }
    t.true(await dataplane.deleteInterface(a.path, on, markA));
    t.false(await dataplane.deleteInterface(a.path, on, markA));
    t.deepEqual(besides(await ask(a)), besides(before.a));
    t.deepEqual((await b.interfaces()).length, 0);
    t.deepEqual(besides(await ask()), besides(before.host));
  },
);

testWith(['root'], 'what we list is what the oracle sees, and only ours', async (t) => {
  await dataplane.createVethPair(sideA(), sideB());
  await a.run('ip', 'link', 'add', 'other', 'type', 'veth', 'peer', 'name', 'other2');
  await dataplane.changeInterface(everything());
  const [info, ...rest] = await dataplane.listInterfaces({ netns: a.path, aliasPrefix: 'crosswire/node/' });
  t.is(rest.length, 0);
  t.is(info?.name, 'nsm-1');
  t.like(info, { alias: markA, kind: 'veth', mac: '02:00:00:00:00:cc', mtu: 1400, up: true, running: false });
  const oracle = only(await ask(a), 'nsm-1');
  t.deepEqual(
    info?.addresses,
    oracle.addresses.map(({ address }) => address),
  );
  t.deepEqual(
    info?.routes,
    oracle.routes.map(({ to, via }) => (via ? { to, via } : { to })),
  );
  t.deepEqual(
    info?.neighbours,
    oracle.neighbours.map(({ address, mac }) => ({ address, mac })),
  );
  const named = await dataplane.listInterfaces({ netns: a.path, names: ['other', 'missing'] });
  t.deepEqual(
    named.map(({ name, alias }) => [name, alias]),
    [['other', '']],
  );
});

testWith(
  ['root'],
  'failures carry the code, the subject and the words of the kernel, and change nothing',
  async (t) => {
    await dataplane.createVethPair(sideA(), sideB());
    await dataplane.changeInterface({ ...everything(), rename: undefined });
    const before = await ask(a);
    const base = { netns: a.path, name: 'cwa', alias: markA };
    const unreachable = { ...base, mtu: 1300, addRoutes: [{ to: '10.5.0.0/16', via: '192.0.2.9' }] };
    const route = await rejects(
      t,
      dataplane.changeInterface({
        ...unreachable,
        removeRoutes: everything().addRoutes,
        removeAddresses: ['10.9.0.1/24'],
      }),
      'ROUTE_REFUSED',
      'Nexthop has invalid gateway (Network is unreachable)',
    );
    t.is(route.operation, 'add route 10.5.0.0/16 via 192.0.2.9');
    t.is(route.subject, `cwa in ${a.path}`);
    t.is(route.errno, 101);
    await rejects(
      t,
      dataplane.changeInterface({ ...base, addRoutes: [{ to: 'fd05::/64', via: 'fdff::9' }] }),
      'ROUTE_REFUSED',
      /No route to host/,
    );
    await rejects(t, dataplane.changeInterface({ ...base, mtu: 1300, rename: 'lo' }), 'INTERFACE_EXISTS', /exists/);
    await rejects(
      t,
      dataplane.changeInterface({ ...base, mtu: 20 }),
      'INTERFACE_REFUSED',
      /mtu less than device minimum/,
    );
    await rejects(t, dataplane.changeInterface({ ...base, alias: markB }), 'INTERFACE_NOT_OURS', /its alias is/);
    await rejects(t, dataplane.deleteInterface(a.path, 'lo', markA), 'INTERFACE_NOT_OURS', /its alias is ''/);
    await rejects(
      t,
      dataplane.changeInterface({ ...base, name: 'none', up: true }),
      'INTERFACE_MISSING',
      /No such device/,
    );
    await rejects(t, dataplane.createVethPair(sideA(), sideB()), 'INTERFACE_EXISTS', /exists/);
    const nowhere = { ...sideB(), netns: '/run/netns/cwt-missing' };
    await rejects(
      t,
      dataplane.createVethPair({ ...sideA(), name: 'cwc' }, nowhere),
      'NAMESPACE_MISSING',
      /No such file/,
    );
    await rejects(
      t,
      dataplane.listInterfaces({ netns: '/etc/hostname', names: [] }),
      'NAMESPACE_INVALID',
      /not a network/,
    );
    const sorted = (view: OracleView) =>
      Object.values(besides(view)).map((items: readonly unknown[]) => items.map((item) => JSON.stringify(item)).sort());
    t.deepEqual(sorted(await ask(a)), sorted(before));
  },
);

testWith(['root', 'tun'], 'TAP for ethernet, TUN for ip: born inside, marked, down, outliving the call', async (t) => {
  const host = await ask();
  const request = { netns: a.path, mtu: 9000, txQueueLength: 8192 } as const;
  await dataplane.createTap({ ...request, name: 'cwtap', alias: markA, payload: 'ethernet', mac: '02:00:00:00:00:0a' });
  await dataplane.createTap({ ...request, name: 'cwtun', alias: markB, payload: 'ip' });
  const shape = { kind: 'tun', mtu: 9000, up: false, txQueueLength: 8192 };
  t.deepEqual(only(await ask(a), 'cwtap', 'cwtun').links, [
    { name: 'cwtap', alias: markA, mac: '02:00:00:00:00:0a', ...shape },
    { name: 'cwtun', alias: markB, mac: '', ...shape },
  ]);
  const listed = await dataplane.listInterfaces({ netns: a.path, aliasPrefix: 'crosswire/' });
  t.deepEqual(
    listed.map(({ kind }) => kind),
    ['tap', 'tun'],
  );
  t.deepEqual(besides(await ask()), besides(host));
  t.true(await dataplane.deleteInterface(a.path, 'cwtun', markB));
});

testWith(
  ['root'],
  'statistics answer in the order asked, with nothing for what is gone, and agree with the oracle',
  async (t) => {
    await dataplane.createVethPair(sideA(), sideB());
    await dataplane.changeInterface({ ...sideB(), addAddresses: ['10.9.0.2/24'], up: true });
    await dataplane.changeInterface({ ...sideA(), addAddresses: ['10.9.0.1/24'], up: true });
    await a.run('ping', '-q', '-c', '5', '-i', '0.01', '10.9.0.2');
    const rows = await dataplane.readStatistics([
      { netns: b.path, name: 'cwb' },
      { netns: a.path, name: 'none' },
      { netns: '/run/netns/cwt-missing', name: 'cwa' },
      { netns: a.path, name: 'cwa' },
    ]);
    t.deepEqual([...rows.found], [1, 0, 0, 1]);
    const [sideOfB, sideOfA] = [statisticsAt(rows, 0)!, statisticsAt(rows, 3)!];
    t.true(sideOfA.txPackets >= 5n && sideOfA.rxPackets >= 5n && sideOfA.txBytes >= 5n * 98n);
    t.is(sideOfB.rxPackets - sideOfA.txPackets, 0n);

    // For this many interfaces of a namespace, the statistics of all its interfaces are read at once.
    const many = Array.from({ length: 70 }, (_, at) => `cwm${at}`);
    for (const name of many) await dataplane.createVethPair({ ...sideA(), name }, { ...sideB(), name });
    const places = [...many, 'none', 'cwa', 'cwa'].map((name) => ({ netns: a.path, name }));
    const all = await dataplane.readStatistics(places);
    t.deepEqual([...all.found], [...many.map(() => 1), 0, 1, 1]);
    t.is(statisticsAt(all, 0)!.txPackets, 0n);
    for (const row of [71, 72]) t.true(statisticsAt(all, row)!.txBytes >= sideOfA.txBytes);

    // A repeated long list is recognised, and its interfaces are looked up again.
    const long = Array.from({ length: 5 }, () => places).flat();
    const others = long.map(({ netns, name }) => ({ netns, name: name === 'cwa' ? 'none' : name }));
    const found = async (list: typeof places) =>
      [...(await dataplane.readStatistics(list)).found].filter(Boolean).length;
    t.is(await found(long), 5 * 72);
    await dataplane.deleteInterface(a.path, 'cwm3', sideA().alias);
    t.is(await found(long), 5 * 71);
    t.is(await found(others), 5 * 69);
    t.is(await found(long), 5 * 71);
  },
);

testWith(['root'], 'nothing of a namespace is held: it goes when its path goes, and no descriptor stays', async (t) => {
  const descriptors = () => readdirSync('/proc/self/fd').length;
  await dataplane.probe(); // starts the threads
  const before = descriptors();
  const pairs = Array.from({ length: 30 }, (_, i) => i);
  await Promise.all(
    pairs.map((i) => dataplane.createVethPair({ ...sideA(), name: `cwa${i}` }, { ...sideB(), name: `cwb${i}` })),
  );
  await Promise.all(pairs.map((i) => dataplane.changeInterface({ ...sideA(), name: `cwa${i}`, up: true })));
  t.is((await dataplane.listInterfaces({ netns: b.path, aliasPrefix: markB })).length, 30);
  t.is(descriptors(), before);
  const entries = await dataplane.listNamespaces();
  const entry = entries.find(({ path }) => path === a.path);
  t.deepEqual(await dataplane.identifyNamespace(a.path), { device: entry?.device, inode: entry?.inode });
  await a.remove();
  await eventually('the other sides go with it', async () => (await b.interfaces()).length === 0);
  t.false((await dataplane.listNamespaces()).some(({ inode }) => inode === entry?.inode));
});
