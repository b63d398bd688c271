// SPDX-License-Identifier: Apache-2.0
// A memif application opposite a virtual function or a VLAN, which the engine reaches through a port.
//   a: VF ── switch of the first NIC ── VF: port ── engine (`far`) ── memif ── engine (`near`) ── tap :b, the application

import { execFileSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { EndName } from '../../src/model/wire.ts';
import { Namespace } from '../support/namespace.ts';
import { eventually } from '../support/shell.ts';
import { burst } from './support/burst.ts';
import { driverOf, Forwarder, makeFunctions, netdevOf, nics, wire } from './support/forwarder.ts';

const mac = '02:00:00:00:00:42'; // of the application
let forwarder: Forwarder;
let before: object;
let socket: string;
let a: Namespace;
let b: Namespace;

test.before(async () => {
  await makeFunctions(3);
  for (const pci of nics) execFileSync('sysctl', ['-qw', `net.ipv6.conf.${netdevOf(pci)}.disable_ipv6=1`]);
  [a, b] = [await Namespace.make('a'), await Namespace.make('b')];
  socket = join(await mkdtemp(join(tmpdir(), 'crosswire-memif-')), 'm.sock');
  forwarder = await Forwarder.start({ withFile: true });
  before = await forwarder.snapshot();
});
test.after.always(async () => {
  await forwarder?.stop();
  for (const one of [a, b]) await one?.remove();
  await makeFunctions(0);
});
test.afterEach.always(async (t) => {
  await forwarder.supervisor.remove(forwarder.supervisor.list().map(({ name }) => name));
  t.deepEqual(await forwarder.snapshot(), before, 'every device is as it was');
});

const near = () =>
  wire(
    'near',
    { kernel: { netns: b.path, interface: 'nsm-1', mac, addresses: ['10.9.0.2/24'] } },
    { memif: { socket, role: 'server' } },
  );
const application = () => ({ memif: { socket, role: 'client', mac } });
/** With a static neighbour, because the emulated NIC loses short broadcasts (ARP) from a function to the port. */
const pod = (device: object) => ({
  kernel: {
    netns: a.path,
    interface: 'nsm-1',
    addresses: ['10.9.0.1/24'],
    neighbours: [{ address: '10.9.0.2', mac }],
    device,
  },
});
const isUp = (name: string) => {
  const status = forwarder.supervisor.get(name);
  return status?.phase === 'up' && status.client.up && status.endpoint.up;
};
const connected = () => eventually('the memif session runs', async () => isUp('near') && isUp('far'), 30_000);
const ping = (from: Namespace, to: string, ...more: string[]) =>
  from.run('ping', '-q', '-c', '5', '-i', '0.2', '-W', '5', ...more, to);

/** Received − delivered − drops for each direction, which must be 0. */
async function balance(name: string): Promise<bigint[]> {
  const counted = await forwarder.supervisor.countersOf(name);
  if (!counted) throw new Error(`${name} is not counted`);
  const left = (end: EndName, other: EndName) => {
    const { rxPackets, drops } = counted[end];
    const dropped = Object.values(drops).reduce((sum, one) => sum + one, 0n);
    return rxPackets - counted[other].txPackets - dropped;
  };
  return [left('client', 'endpoint'), left('endpoint', 'client')];
}

test.serial('VF–memif: pings both ways, as long as the wire allows, counted; again after a restart', async (t) => {
  await forwarder.mustApply(near(), wire('far', pod({ pci: '0000:01:10.0', vlan: 7 }), application()));
  await connected();
  t.like(forwarder.supervisor.get('far'), { phase: 'up', path: 'engine' });
  await ping(a, '10.9.0.2', '-M', 'do', '-s', '1472');
  await ping(b, '10.9.0.1', '-M', 'do', '-s', '1472');
  const told = await forwarder.dataplane.readVirtualFunctions('', netdevOf(nics[0]));
  t.like(told[1], { vlan: 7, mac }, 'the port has the address of the application');
  t.like(await burst(a, b, 300), { own: 300, disorder: 0 });
  t.like(await burst(b, a, 300), { own: 300, disorder: 0 });
  t.deepEqual(await balance('far'), [0n, 0n]);
  const counted = await forwarder.supervisor.countersOf('far');
  t.true((counted?.client.rxPackets ?? 0n) >= 310n && (counted?.endpoint.rxPackets ?? 0n) >= 310n);

  await forwarder.stop(false);
  forwarder = await Forwarder.start({ withFile: true, stateDirectory: forwarder.stateDirectory });
  await connected();
  await eventually('frames pass again', async () => ping(a, '10.9.0.2'), 30_000);
});

test.serial('VFIO–memif: one function for the application that drives it, one for the engine', async (t) => {
  const vfio = { vfio: { device: { pci: '0000:01:10.0' } } };
  await forwarder.mustApply(near(), wire('far', application(), vfio));
  await connected();
  t.is(driverOf('0000:01:10.0'), 'vfio-pci');
  t.is(forwarder.supervisor.get('far')?.path, 'engine');
});

test.serial('VLAN–memif: what a function sends in that VLAN over the cable arrives, and nothing else', async (t) => {
  const behind = (nic: string, id: number) => ({ vlan: { device: netdevOf(nic), id } });
  await forwarder.mustApply(
    near(),
    wire('far', application(), behind(nics[1], 9)),
    wire('vf', pod({ pci: '0000:01:10.0' }), behind(nics[0], 9)),
  );
  await connected();
  await eventually('frames pass', async () => ping(a, '10.9.0.2'), 30_000);
  t.deepEqual(await balance('far'), [0n, 0n]);

  await forwarder.mustApply(wire('vf', pod({ pci: '0000:01:10.0' }), behind(nics[0], 10)));
  const heard = (await forwarder.supervisor.countersOf('far'))?.endpoint.rxPackets;
  await t.throwsAsync(a.run('ping', '-q', '-c', '3', '-i', '0.2', '-W', '2', '10.9.0.2'), undefined, 'of another VLAN');
  t.is((await forwarder.supervisor.countersOf('far'))?.endpoint.rxPackets, heard);
});
