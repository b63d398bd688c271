// SPDX-License-Identifier: Apache-2.0
// Ends in a VLAN behind a host device: each workload's interface is a VLAN device above its own macvlan in private mode, and only
// the macvlan is in the node's namespace. There is one daemon for all tests, because programs start slowly in the guest.

import test from 'ava';
import type { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { Background, eventually } from '../support/shell.ts';
import { outsideAddress } from '../support/outside.ts';
import { addressOf, type Link, linkOf, ping, SharedDevice } from '../support/shared-device.ts';
import { wireFile } from '../support/wires.ts';

let shared: SharedDevice;
let peer: string;
let stranger: string;

test.before(async () => {
  shared = await SharedDevice.make(3, '--resync-seconds', '1');
  peer = await shared.peer(100);
  stranger = await shared.peer(200, '10.78.0.253/24');
  await shared.peer(0, '10.79.0.254/24');
});
test.after.always(async () => {
  await shared?.remove();
});

const receivedBy = async (namespace: Namespace, name?: string) => (await linkOf(namespace, name)).stats64.rx.packets;

/** The macvlans in the node's namespace. */
async function uplinks(): Promise<Link[]> {
  const links = JSON.parse(await shared.node.run('ip', '-j', '-d', 'link', 'show', 'type', 'macvlan')) as Link[];
  return links.filter(({ ifname }) => ifname);
}

interface Described {
  readonly counters: Readonly<
    Record<
      'client' | 'endpoint',
      { readonly rxPackets: string; readonly txPackets: string; readonly drops: Readonly<Record<string, string>> }
    >
  >;
}

testWith(['root', 'ping', 'vlan'], 'three in one VLAN: each reaches the peer outside, none another', async (t) => {
  const { daemon, pods, node } = shared;
  const strangers = await receivedBy(shared.outside, stranger);
  await shared.join(100);
  await shared.greet(peer);
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

  // By default a host answers for all its addresses on any interface; here only in VLAN 200 (ip-sysctl, arp_ignore).
  await shared.outside.run('sysctl', '-qw', 'net.ipv4.conf.all.arp_ignore=1');
  await t.throwsAsync(ping(first, '10.78.0.253'));
  t.is(await receivedBy(shared.outside, stranger), strangers);

  const links = await Promise.all(pods.map((pod) => linkOf(pod)));
  for (const [at, { stats64 }] of links.entries()) {
    const { counters } = (await daemon.describe(`w${at}`)) as unknown as Described;
    t.true(Number(counters.client.rxPackets) >= stats64.tx.packets);
    t.true(Number(counters.endpoint.rxPackets) >= stats64.rx.packets && stats64.rx.packets >= 4);
    for (const [from, to] of [[counters.client, counters.endpoint] as const, [counters.endpoint, counters.client]]) {
      const dropped = Object.values(from.drops).reduce((sum, one) => sum + Number(one), 0);
      t.is(Number(from.rxPackets), Number(to.txPackets) + dropped);
    }
  }
  t.deepEqual(
    (await node.interfaces()).filter((name) => !name.startsWith('cw-')),
    ['uplink'],
  );
});

testWith(['root', 'ping', 'vlan'], 'the node itself has nothing to do with what is below', async (t) => {
  const { node, outside } = shared;
  await node.run('ip', 'address', 'add', '10.79.0.1/24', 'dev', 'uplink');
  const [below] = await uplinks();
  if (!below) return t.fail();
  // The node's own address is answered with the device's MAC and no other.
  await ping(outside, '10.79.0.1');
  const device = await linkOf(node, 'uplink');
  t.true((await outside.run('ip', 'neigh', 'show', '10.79.0.1')).includes(device.address));
  await outside.run('ip', 'neigh', 'replace', '10.79.0.1', 'lladdr', below.address, 'dev', 'far');
  await t.throwsAsync(ping(outside, '10.79.0.1'), undefined, 'untagged frames for the macvlan reach nobody');
  t.is((await node.run('ip', '-6', '-o', 'address', 'show', 'dev', below.ifname)).trim(), '');
});

testWith(
  ['root', 'ping', 'vlan'],
  'a ping loses nothing while the forwarder is killed and started again',
  async (t) => {
    const { daemon } = shared;
    await ping(shared.pod(0), outsideAddress);
    const indexes = async () => [await linkOf(shared.pod(0)), ...(await uplinks())].map(({ ifindex }) => ifindex);
    const before = await indexes();
    const pings = new Background(...shared.pod(0).inside('ping', '-q', '-i', '0.1', '-W', '5', outsideAddress));
    await daemon.stop('SIGKILL');
    await daemon.launch();
    pings.child.kill('SIGINT');
    await pings.ended();
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(pings.output) ?? [];
    t.true(Number(sent) > 5 && received === sent, pings.output);
    t.deepEqual(await indexes(), before);
    t.like(await daemon.describe('w0'), { phase: 'up', path: 'vlan', endpoint: { mechanism: 'vlan', up: true } });
  },
);

testWith(['root', 'ping', 'vlan'], 'another id, or none; what somebody changed is made anew', async (t) => {
  const { daemon, node } = shared;
  for (const id of [200, 0, 100]) {
    await daemon.mustApply(wireFile(shared.wire(0, id)));
    t.is((await uplinks()).length, id === 0 ? 2 : 3);
  }
  await ping(shared.pod(0), outsideAddress);
  const below = (await uplinks()).find(({ ifalias }) => ifalias.includes('/w0/'));
  await node.run('ip', 'link', 'set', below?.ifname ?? '', 'down');
  t.false((await linkOf(shared.pod(0))).flags.includes('UP'));
  await daemon.mustApply(wireFile(shared.wire(0, 100))); // does at once what the next resync would do
  t.true((await linkOf(shared.pod(0))).flags.includes('LOWER_UP'));
  await ping(shared.pod(0), outsideAddress);
});

testWith(
  ['root', 'vlan'],
  "the host's own VLAN interface would take all frames: refused, nothing changed",
  async (t) => {
    const { daemon, node } = shared;
    await node.run('ip', 'link', 'add', 'link', 'uplink', 'name', 'own.300', 'type', 'vlan', 'id', '300');
    const before = await linkOf(shared.pod(0));
    const refused = await daemon.apply(wireFile(shared.wire(0, 300)));
    t.regex(refused.stdout, /HOST_DEVICE_REFUSED.*own\.300.*share that device instead, with id 0/s);
    t.like(await linkOf(shared.pod(0)), { linkinfo: before.linkinfo, address: before.address });
    await node.run('ip', 'link', 'delete', 'own.300');
  },
);

testWith(['root', 'vlan'], 'the death of a pod, seen or not, leaves nothing; nor does removal', async (t) => {
  const { daemon } = shared;
  await shared.pod(1).remove();
  await eventually('the macvlan of the dead goes', async () => (await uplinks()).length === 2, 60_000);
  await shared.pod(0).run('ip', 'link', 'delete', 'cw0');
  await daemon.mustApply(wireFile(shared.wire(0, 100)));
  t.is((await shared.pod(0).interfaces()).length, 1);
  t.is((await uplinks()).length, 2);
  await daemon.stop('SIGKILL');
  await shared.pod(2).remove();
  t.is((await uplinks()).length, 2);
  await daemon.launch();
  await eventually('that of who died meanwhile goes, too', async () => (await uplinks()).length === 1, 60_000);
  t.is((await daemon.cli('delete', 'w0', 'w1', 'w2')).code, 0);
  t.deepEqual([await shared.node.interfaces(), await shared.pod(0).interfaces()], [['uplink'], []]);
});
