// SPDX-License-Identifier: Apache-2.0
// A memif end opposite the network behind a host device, which the engine reaches through a port: a macvlan here;
// test/sriov/memif.test.ts tests VLANs and virtual functions.
//   pod 0: cw0 ── `near` kernel–memif(server) ══ `far` memif(client)–vlan ─┐
//   pod 1: cw0 ── `w1` kernel–vlan ────────────────────────────────────────┴─ node: uplink ── veth ── far: outside

import { join } from 'node:path';
import test from 'ava';
import { arrivals } from '../support/arrivals.ts';
import { oddFrames } from '../support/captures.ts';
import { transfer, withIperfServer } from '../support/iperf.ts';
import { testWith } from '../support/requires.ts';
import { outsideAddress } from '../support/outside.ts';
import { addressOf, linkOf, ping, SharedDevice } from '../support/shared-device.ts';
import { eventually } from '../support/shell.ts';
import { kernelEnd, memifEnd, turned, vlanEnd, type WireSpec, wireFile } from '../support/wires.ts';

const mac = '02:00:00:00:aa:01'; // of the application, which here is pod 0; oddFrames() go to it
let shared: SharedDevice;

test.beforeEach(async () => {
  shared = await SharedDevice.make(2, '--resync-seconds', '1');
});
test.afterEach.always(async () => {
  await shared?.remove();
});

const socket = () => join(shared.daemon.directory, 'm.sock');

function near(mtu = 1500): WireSpec {
  const client = kernelEnd(shared.pod(0), 'cw0', { mac, addresses: [`${addressOf(0)}/24`, 'fd78::1/64'] });
  return { name: 'near', mtu, client, endpoint: memifEnd(socket(), 'server', 1) };
}

function far(more: object = {}): WireSpec {
  return { name: 'far', client: memifEnd(socket(), 'client', 1, { mac }), endpoint: vlanEnd('uplink', 0), ...more };
}

async function join01(wire = far()): Promise<void> {
  await shared.peer(0);
  await shared.daemon.mustApply(wireFile(near(), wire, shared.wire(1, 0)));
  for (const name of ['near', 'far']) await shared.daemon.up(name);
}

async function balanced(): Promise<void> {
  await eventually('every frame is accounted for', async () => {
    const metrics = await shared.daemon.metrics();
    return (['client', 'endpoint'] as const).every((end) => metrics.unaccounted('far', end) === 0n);
  });
}

for (const order of ['as written', 'turned'] as const) {
  testWith(
    ['root', 'tun', 'ping', 'iperf3', 'macvlan'],
    `memif and the network behind a device, ${order}`,
    async (t) => {
      await join01(order === 'turned' ? turned(far()) : far());
      await ping(shared.pod(0), outsideAddress, '-M', 'do', '-s', '1472');
      await ping(shared.pod(1), outsideAddress);
      await t.throwsAsync(ping(shared.pod(0), addressOf(1)), undefined, 'split horizon');
      await shared.outside.run('sysctl', '-qw', 'net.ipv6.conf.far.disable_ipv6=0');
      await shared.outside.run('ip', 'address', 'add', 'fd78::fe/64', 'dev', 'far', 'nodad');
      await ping(shared.outside, 'fd78::1'); // its neighbour solicitation is a multicast
      t.deepEqual(await shared.node.interfaces(), ['uplink']);

      await withIperfServer(shared.outside, async () => {
        for (const more of [[], ['--reverse']]) {
          const bytes = await transfer(shared.pod(0), outsideAddress, ...more);
          t.log(`TCP ${more.join()} ${((bytes * 8) / 1e9).toFixed(2)} Gbit/s`);
          t.true(bytes > 1_000_000);
        }
      });
      await balanced();
      const metrics = await shared.daemon.metrics();
      for (const end of ['client', 'endpoint'] as const)
        t.true(metrics.sum('crosswire_wire_rx_packets_total', { wire: 'far', end }) > 1000n);
      t.like(await shared.daemon.describe('far'), { phase: 'up', path: 'engine' });
    },
  );
}

testWith(['root', 'tun', 'macvlan'], 'odd frames come from the device byte for byte and in order', async (t) => {
  for (const [where, name] of [
    [shared.node, 'uplink'],
    [shared.outside, 'far'],
  ] as const)
    await where.run('ip', 'link', 'set', name, 'mtu', '9200');
  await shared.daemon.mustApply(wireFile(near(9000), far({ mtu: 9000 })));
  for (const name of ['near', 'far']) await shared.daemon.up(name);
  const frames = oddFrames(9014);
  const [from, to] = [
    { namespace: shared.outside, interface: 'far' },
    { namespace: shared.pod(0), interface: 'cw0' },
  ];
  t.deepEqual(
    await arrivals(frames, shared.daemon.directory, from, to),
    frames.map((frame) => frame.toString('hex')),
  );
});

testWith(
  ['root', 'tun', 'ping', 'macvlan'],
  'a killed forwarder comes back with a new port; removal leaves nothing',
  async (t) => {
    await join01();
    await ping(shared.pod(0), outsideAddress);
    const before = await linkOf(shared.pod(1));
    await shared.daemon.stop('SIGKILL');
    await shared.daemon.launch();
    await eventually('frames pass again', async () => ping(shared.pod(0), outsideAddress));
    t.is((await linkOf(shared.pod(1))).ifindex, before.ifindex);
    t.deepEqual(await shared.node.interfaces(), ['uplink']);

    await shared.node.run('ip', 'link', 'del', 'uplink');
    await eventually('it is told', async () => (await shared.daemon.describe('far'))['phase'] === 'degraded');
    const veth = ['type', 'veth', 'peer', 'name', 'far', 'netns', shared.outside.name];
    await shared.node.run('ip', 'link', 'add', 'uplink', ...veth);
    await shared.node.run('ip', 'link', 'set', 'uplink', 'up');
    await shared.outside.run('ip', 'link', 'set', 'far', 'up');
    await shared.outside.run('ip', 'address', 'add', `${outsideAddress}/24`, 'dev', 'far');
    await shared.pod(0).run('ip', 'neigh', 'flush', 'dev', 'cw0'); // the new device has another MAC address
    await eventually('frames pass again', async () => ping(shared.pod(0), outsideAddress));

    const { code } = await shared.daemon.cli('delete', 'near', 'far', 'w1');
    t.is(code, 0);
    t.deepEqual([await shared.pod(0).interfaces(), await shared.node.interfaces()], [[], ['uplink']]);
  },
);
