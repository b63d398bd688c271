// SPDX-License-Identifier: Apache-2.0
// Ends in a VLAN behind a host device: each workload's interface is a VLAN device above a macvlan of its own, which is in
// private mode and all that the node has of it.

import test from 'ava';
import type { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { Background, eventually } from '../support/shell.ts';
import { addressOf, type Link, linkOf, outsideAddress, ping, SharedDevice } from '../support/shared-device.ts';
import { wireFile } from '../support/wires.ts';

let shared: SharedDevice;

test.beforeEach(async () => {
  shared = await SharedDevice.make(3, '--resync-seconds', '1');
});
test.afterEach.always(async () => {
  await shared?.remove();
});

const receivedBy = async (namespace: Namespace, name?: string) => (await linkOf(namespace, name)).stats64.rx.packets;

/** The macvlans at the node. */
async function uplinks(): Promise<Link[]> {
  const links = JSON.parse(await shared.node.run('ip', '-j', '-d', 'link', 'show', 'type', 'macvlan')) as Link[];
  return links.filter(({ ifname }) => ifname);
}

testWith(['root', 'ping', 'vlan'], 'three in one VLAN: each reaches the peer outside, none another', async (t) => {
  const { daemon, pods, node } = shared;
  const peer = await shared.peer(100);
  const other = await shared.peer(200, '10.78.0.253/24');
  const strangers = await receivedBy(shared.outside, other);
  await shared.join(100);
  for (const pod of pods) await ping(pod, outsideAddress);
  t.like(await linkOf(shared.pod(0)), { mtu: 1500, linkinfo: { info_kind: 'vlan', info_data: { id: 100 } } });
  const below = await uplinks();
  t.is(below.length, 3);
  for (const one of below) {
    t.like(one, { mtu: 1500, linkinfo: { info_kind: 'macvlan', info_data: { mode: 'private' } } });
    t.true(one.flags.includes('NOARP') && one.flags.includes('UP'));
    t.regex(one.ifalias, /^crosswire\/.*\/w[012]\/client\/uplink$/);
  }

  const [first, second] = [shared.pod(0), shared.pod(1)];
  const [before, atPeer] = [await linkOf(second), await receivedBy(shared.outside, peer)];
  await t.throwsAsync(ping(first, addressOf(1))); // asks by broadcast
  await first.run('ip', 'neigh', 'replace', addressOf(1), 'lladdr', before.address, 'dev', 'cw0');
  await t.throwsAsync(ping(first, addressOf(1))); // and now by its MAC address
  t.is(await receivedBy(second), before.stats64.rx.packets);
  t.true((await receivedBy(shared.outside, peer)) > atPeer, 'they leave by the uplink');

  await t.throwsAsync(ping(first, '10.78.0.253'));
  t.is(await receivedBy(shared.outside, other), strangers);

  for (const [at, pod] of pods.entries()) {
    const { stats64 } = await linkOf(pod);
    const metrics = await daemon.metrics();
    const rx = (end: string) => Number(metrics.sum('crosswire_wire_rx_packets_total', { wire: `w${at}`, end }));
    t.true(rx('client') >= stats64.tx.packets && rx('endpoint') >= stats64.rx.packets && rx('endpoint') >= 4);
    for (const end of ['client', 'endpoint'] as const) t.is(metrics.unaccounted(`w${at}`, end), 0n);
  }
  t.deepEqual(
    (await node.interfaces()).filter((name) => !name.startsWith('cw-')),
    ['uplink'],
  );
});

testWith(['root', 'ping', 'vlan'], 'the node itself has nothing to do with what is below', async (t) => {
  const { node, outside } = shared;
  await shared.peer(0, '10.79.0.254/24');
  await node.run('ip', 'address', 'add', '10.79.0.1/24', 'dev', 'uplink');
  await shared.join(100);
  const [below] = await uplinks();
  if (!below) return t.fail();
  // The node's own address answers with the device's MAC, and with no other.
  await ping(outside, '10.79.0.1');
  const device = await linkOf(node, 'uplink');
  t.true((await outside.run('ip', 'neigh', 'show', '10.79.0.1')).includes(device.address));
  await outside.run('ip', 'neigh', 'flush', 'all');
  await outside.run('ip', 'neigh', 'replace', '10.79.0.1', 'lladdr', below.address, 'dev', 'far');
  await t.throwsAsync(ping(outside, '10.79.0.1'), undefined, 'untagged frames for the macvlan reach nobody');
  t.is((await node.run('ip', '-6', '-o', 'address', 'show', 'dev', below.ifname)).trim(), '');
});

testWith(
  ['root', 'ping', 'vlan'],
  'a ping loses nothing while the forwarder is killed and started again',
  async (t) => {
    const { daemon } = shared;
    await shared.peer(100);
    await shared.join(100);
    await ping(shared.pod(0), outsideAddress);
    const before = [await linkOf(shared.pod(0)), ...(await uplinks())].map(({ ifindex }) => ifindex);
    const command = shared.pod(0).inside('ping', '-q', '-i', '0.02', '-c', '500', '-W', '1', outsideAddress);
    const pings = new Background(...command);
    await daemon.stop('SIGKILL');
    await daemon.launch();
    t.is(await pings.ended(), 0);
    t.regex(pings.output, /500 packets transmitted, 500 received, 0% packet loss/);
    t.deepEqual(
      [await linkOf(shared.pod(0)), ...(await uplinks())].map(({ ifindex }) => ifindex),
      before,
    );
    t.like(await daemon.describe('w0'), { phase: 'up', path: 'vlan', endpoint: { mechanism: 'vlan', up: true } });
  },
);

testWith(['root', 'vlan'], 'what a killed forwarder left behind, and what the death of a pod does, goes', async (t) => {
  const { daemon } = shared;
  await shared.join(100);
  await shared.pod(1).remove();
  await eventually('the macvlan of the dead goes', async () => (await uplinks()).length === 2);
  await daemon.stop('SIGKILL');
  await shared.pod(2).remove();
  t.is((await uplinks()).length, 2);
  await daemon.launch();
  await eventually('so it does after a start', async () => (await uplinks()).length === 1);
  await shared.pod(0).run('ip', 'link', 'delete', 'cw0');
  await eventually('the interface is made again', async () => (await shared.pod(0).interfaces()).length === 1);
  t.is((await uplinks()).length, 1);
  t.is((await daemon.cli('delete', 'w0', 'w1', 'w2')).code, 0);
  t.deepEqual([await shared.node.interfaces(), await shared.pod(0).interfaces()], [['uplink'], []]);
});

testWith(['root', 'ping', 'vlan'], 'another id or device, or none; what somebody changed is made anew', async (t) => {
  const { daemon, node } = shared;
  await shared.peer(100);
  await shared.peer(200);
  await shared.peer(0);
  for (const id of [100, 200, 0, 100]) {
    await daemon.mustApply(wireFile(shared.wire(0, id)));
    await ping(shared.pod(0), outsideAddress);
    t.is((await uplinks()).length, id === 0 ? 0 : 1);
  }
  const [below] = await uplinks();
  await node.run('ip', 'link', 'set', below?.ifname ?? '', 'down');
  await eventually('it is up again', async () => (await linkOf(shared.pod(0))).flags.includes('LOWER_UP'), 60_000);
  await ping(shared.pod(0), outsideAddress);
  await daemon.mustApply(wireFile(shared.wire(0, 100, { mac: '02:00:00:00:00:77' })));
  await ping(shared.pod(0), outsideAddress);
  t.deepEqual(
    (await uplinks()).map(({ address }) => address),
    ['02:00:00:00:00:77'],
  );
});

testWith(
  ['root', 'ping', 'vlan'],
  "the host's own VLAN interface would take all frames: refused, and shared itself",
  async (t) => {
    const { daemon, node } = shared;
    await shared.peer(100);
    await node.run('ip', 'link', 'add', 'link', 'uplink', 'name', 'own.100', 'type', 'vlan', 'id', '100');
    await node.run('ip', 'link', 'set', 'own.100', 'up');
    const refused = await daemon.apply(wireFile(shared.wire(0, 100)));
    t.regex(refused.stdout, /HOST_DEVICE_REFUSED.*own\.100.*share that device instead, with id 0/s);
    t.deepEqual([(await uplinks()).length, await shared.pod(0).interfaces()], [0, []]);
    await daemon.mustApply(wireFile(shared.wire(0, 0, {}, 'own.100')));
    await ping(shared.pod(0), outsideAddress);
  },
);
