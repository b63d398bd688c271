// SPDX-License-Identifier: Apache-2.0
//   a ── VF ──┐                                                     ┌── VF ── d
//             ├── switch of the first NIC ── cable ── second NIC ──┤
//   b ── VF ──┘                                                     └── eth1

import { execFileSync } from 'node:child_process';
import test from 'ava';
import { Namespace } from '../support/namespace.ts';
import { burst, macOf } from './support/burst.ts';
import { Forwarder, makeFunctions, netdevOf, nics, wire } from './support/forwarder.ts';

let forwarder: Forwarder;
let before: object;
const spaces: Record<'a' | 'b' | 'c', Namespace> = {} as never;

test.before(async () => {
  await makeFunctions(4);
  // Without IPv6, so that only the test's own frames are on the wire: an interface that comes up sends neighbour discovery.
  for (const pci of nics) execFileSync('sysctl', ['-qw', `net.ipv6.conf.${netdevOf(pci)}.disable_ipv6=1`]);
  forwarder = await Forwarder.start({ withFile: true });
  before = await forwarder.snapshot();
  for (const name of ['a', 'b', 'c'] as const) {
    spaces[name] = await Namespace.make(name);
    await spaces[name].run('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
  }
});
test.after.always(async () => {
  await forwarder?.stop();
  for (const one of Object.values(spaces)) await one.remove();
  await makeFunctions(0);
});
test.afterEach.always(async (t) => {
  await forwarder.supervisor.remove(forwarder.supervisor.list().map(({ name }) => name));
  t.deepEqual(await forwarder.snapshot(), before, 'every device is as it was');
});

const end = (space: Namespace, host: number, device?: object) => ({
  kernel: { netns: space.path, interface: 'nsm-1', addresses: [`10.9.0.${host}/24`], ...(device ? { device } : {}) },
});
const ping = (from: Namespace, to: string, ...more: string[]) =>
  from.run('ping', '-q', '-c', '3', '-i', '0.2', '-W', '5', ...more, to);

async function counts(name: string): Promise<[entered: bigint, left: bigint]> {
  const counted = await forwarder.supervisor.countersOf(name);
  return [counted?.client.rxPackets ?? -1n, counted?.endpoint.txPackets ?? -1n];
}

const frames = 300;

test.serial(
  'VF–VF on one NIC: every frame, in order and counted; refreshed, untouched; nobody else hears it',
  async (t) => {
    const { a, b, c } = spaces;
    const device = { pci: '0000:01:10.0', vlan: 7, trust: true, spoofCheck: true, maxRate: 500 };
    const document = wire('ab', end(a, 1, device), end(b, 2));
    const outside = wire('c', end(c, 3, { pci: '0000:01:10.4' }), { vlan: { device: netdevOf(nics[0]), id: 0 } });
    await forwarder.mustApply(document, outside);
    t.deepEqual(
      forwarder.supervisor.list().map(({ phase, path }) => [phase, path]),
      [
        ['up', 'nic'],
        ['up', 'nic'],
      ],
    );

    const first = await counts('ab');
    t.like(await burst(a, b, frames), { own: frames, disorder: 0 });
    const second = await counts('ab');
    t.deepEqual([second[0] - first[0], second[1] - first[1]], [BigInt(frames), BigInt(frames)]);
    await ping(a, '10.9.0.2');
    t.log(`${frames} frames from VF to VF: entered and left by the counters of the two VFs: ${frames} and ${frames}`);

    const index = async () => JSON.parse(await a.run('ip', '-j', 'link', 'show', 'nsm-1'))[0].ifindex as number;
    const known = await index();
    t.is((await forwarder.mustApply(document))[0]?.outcome, 'unchanged');
    t.is(await index(), known);

    const told = await forwarder.dataplane.readVirtualFunctions('', netdevOf(nics[0]));
    t.like(told[0], { vlan: 7, trust: true, spoofCheck: true, maxRate: 500, mac: macOf(a) });
    t.like(told[1], { vlan: 7, trust: false, mac: macOf(b) });

    const unheard = await forwarder.supervisor.countersOf('c');
    t.like(await burst(a, b, frames, true), { own: frames });
    const heard = await forwarder.supervisor.countersOf('c');
    t.is(heard?.client.txPackets, unheard?.client.txPackets, 'a function outside the VLAN hears nothing of it');
    await t.throwsAsync(ping(c, '10.9.0.2'), undefined, 'and reaches nobody in it');
    t.deepEqual(
      forwarder.supervisor.health().map(({ code, wire: of }) => [code, of]),
      [['DEVICE_SEGMENT_SHARED', 'c']],
    );
  },
);

test.serial('VF–VF on two NICs of a service domain, by resource, over their cable', async (t) => {
  const { a, b } = spaces;
  await forwarder.mustApply(
    wire('ab', end(a, 1, { resource: 'lab/nic0', vlan: 9 }), end(b, 2, { resource: 'lab/nic1' })),
  );
  const devices = forwarder.supervisor.list().map(({ client, endpoint }) => [client.device, endpoint.device]);
  t.deepEqual(devices, [['0000:01:10.0', '0000:02:10.0']]);
  t.like(await burst(a, b, frames), { own: frames, disorder: 0 });
  await ping(a, '10.9.0.2');
});

test.serial(
  'VF–VLAN: what leaves the port of one NIC in a VLAN reaches that VLAN alone behind the other',
  async (t) => {
    const { a, b, c } = spaces;
    const behind = (nic: string, id: number) => ({ vlan: { device: netdevOf(nic), id } });
    await forwarder.mustApply(
      wire('a', end(a, 1, { pci: '0000:01:10.0' }), behind(nics[0], 9)),
      wire('b', end(b, 2, { pci: '0000:02:10.0' }), behind(nics[1], 9)),
      wire('c', end(c, 3, { pci: '0000:02:10.2' }), behind(nics[1], 0)),
    );
    await ping(a, '10.9.0.2');
    t.like(await burst(a, b, frames, true), { own: frames, disorder: 0 });
    t.is((await forwarder.supervisor.countersOf('c'))?.client.txPackets, 0n);
  },
);
