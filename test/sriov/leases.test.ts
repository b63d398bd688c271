// SPDX-License-Identifier: Apache-2.0
// Whatever happens to a borrowed device, it is restored, and the wire gets it again.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import test from 'ava';
import { Namespace } from '../support/namespace.ts';
import { eventually } from '../support/shell.ts';
import { driverOf, Forwarder, makeFunctions, netdevOf, wire } from './support/forwarder.ts';

const [first, second] = ['0000:01:10.0', '0000:01:10.2'];
const patience = 15_000;
let forwarder: Forwarder;
let before: object;
let a: Namespace;
let b: Namespace;

const document = () =>
  wire(
    'ab',
    { kernel: { netns: a.path, interface: 'nsm-1', addresses: ['10.9.0.1/24'], device: { pci: first, vlan: 7 } } },
    { kernel: { netns: b.path, interface: 'nsm-1' } },
    { mtu: 1400 },
  );

test.before(async () => {
  await makeFunctions(3);
  [a, b] = [await Namespace.make('a'), await Namespace.make('b')];
  forwarder = await Forwarder.start();
  before = await forwarder.snapshot();
});
test.after.always(async () => {
  await forwarder?.stop();
  for (const one of [a, b]) await one?.remove().catch(() => {});
  await makeFunctions(0);
});
test.beforeEach(async () => {
  await forwarder.mustApply(document());
});
test.afterEach.always(async (t) => {
  await forwarder.supervisor.remove(['ab']);
  t.deepEqual(await forwarder.snapshot(), before, 'every device is as it was');
});

const phase = () => forwarder.supervisor.get('ab')?.phase;
const generationOf = async (pci: string) =>
  (await forwarder.lender.listLeases()).find((one) => one.pci === pci)?.generation;
const isBack = (generation: number | undefined) =>
  eventually(
    'the wire has its device again',
    async () =>
      phase() === 'up' && (await generationOf(second)) !== generation && (await b.interfaces()).includes('nsm-1'),
    patience,
  );

test.serial(
  'the namespace of an end is deleted: its device comes home restored; and goes back when it returns',
  async (t) => {
    const { path, name } = b;
    const began = performance.now();
    await b.remove();
    await eventually('the lease is gone', async () => (await generationOf(second)) === undefined, patience);
    const [all, then] = [await forwarder.snapshot(), before] as { functions: { pci: string }[] }[];
    const of = (one: typeof all) => one?.functions.find(({ pci }) => pci === second);
    t.deepEqual(of(all), of(then));
    t.log(`home and restored ${((performance.now() - began) / 1000).toFixed(1)} s after its namespace was deleted`);
    t.is(phase(), 'degraded');
    execFileSync('ip', ['netns', 'add', name]);
    t.true(existsSync(path));
    await isBack(undefined);
  },
);

test.serial('its holder renamed it and changed its addresses', async (t) => {
  await b.run('ip', 'link', 'set', 'nsm-1', 'down');
  await b.run('ip', 'link', 'set', 'nsm-1', 'name', 'mine');
  await b.run('ip', 'address', 'add', '192.0.2.1/24', 'dev', 'mine');
  await forwarder.supervisor.remove(['ab']);
  t.deepEqual(await b.interfaces(), []);
});

test.serial('somebody moved it to a third namespace', async (t) => {
  const third = await Namespace.make('c');
  const generation = await generationOf(second);
  await b.run('ip', 'link', 'set', 'nsm-1', 'netns', third.name, 'name', 'theirs');
  await isBack(generation);
  t.deepEqual(await third.interfaces(), []);
  await third.remove();
});

test.serial('it is in a namespace that only a process holds', async (t) => {
  const hidden = await Namespace.make('h');
  const [program, args] = hidden.inside('sleep', '600');
  const holder = spawn(program, args);
  await eventually('the process is inside', async () => (await hidden.run('ip', 'netns', 'pids', hidden.name)) !== '');
  await b.run('ip', 'link', 'set', 'nsm-1', 'netns', hidden.name, 'name', 'hidden');
  await hidden.remove();
  await forwarder.supervisor.remove(['ab']);
  t.is(netdevOf(second) === '', false);
  holder.kill('SIGKILL');
});

test.serial('somebody took its driver away, or bound another one', async (t) => {
  const generation = await generationOf(second);
  writeFileSync(`/sys/bus/pci/devices/${second}/driver/unbind`, second);
  t.is(driverOf(second), undefined);
  await isBack(generation);
  const again = await generationOf(second);
  execFileSync('modprobe', ['vfio-pci']);
  writeFileSync(`/sys/bus/pci/devices/${second}/driver/unbind`, second);
  writeFileSync(`/sys/bus/pci/devices/${second}/driver_override`, 'vfio-pci');
  const probe = () => writeFileSync('/sys/bus/pci/drivers_probe', second);
  try {
    probe(); // without an IOMMU group the driver refuses the device, which stays without a driver
  } finally {
    await isBack(again);
  }
});

test.serial('a late release, of a lease that is no more, does nothing', async (t) => {
  const lease = (await forwarder.lender.listLeases()).find(({ pci }) => pci === second);
  if (!lease) return t.fail();
  await forwarder.supervisor.remove(['ab']);
  await forwarder.mustApply(document());
  const now = await generationOf(second);
  t.true((now ?? 0) > lease.generation);
  await forwarder.lender.giveBack(second, lease);
  await forwarder.lender.giveBack(second, { ...lease, mark: 'crosswire/lab/other/client', generation: now });
  t.is(await generationOf(second), now);
  t.deepEqual(await b.interfaces(), ['nsm-1']);
});

test.serial('the state directory was lost: what has our mark is taken home all the same', async (t) => {
  await forwarder.stop(false);
  await rm(forwarder.stateDirectory, { recursive: true, force: true });
  const lost = await Forwarder.start();
  t.deepEqual(await b.interfaces(), []);
  const { leases, functions } = (await lost.snapshot()) as {
    leases: string[];
    functions: { interface: { alias: string } }[];
  };
  t.deepEqual(leases, []);
  t.true(functions.every(({ interface: { alias } }) => alias === ''));
  await lost.stop();
  await makeFunctions(0);
  await makeFunctions(3); // their original state is lost
  forwarder = await Forwarder.start();
  before = await forwarder.snapshot();
});
