// SPDX-License-Identifier: Apache-2.0
// Untagged ends behind a host device: each workload's interface is a macvlan of the device. test/sriov/vlan.test.ts
// tests tagged ends, which need more kernel modules.

import test from 'ava';
import { testWith } from '../support/requires.ts';
import { Background, eventually } from '../support/shell.ts';
import { outsideAddress } from '../support/outside.ts';
import { addressOf, linkOf, ping, SharedDevice } from '../support/shared-device.ts';
import { kernelEnd, type WireSpec, wireFile } from '../support/wires.ts';

let shared: SharedDevice;

test.beforeEach(async () => {
  shared = await SharedDevice.make(3, '--resync-seconds', '1');
});
test.afterEach.always(async () => {
  await shared?.remove();
});

testWith(['root', 'ping', 'macvlan'], 'three share a device: each reaches the outside, none another', async (t) => {
  const { daemon, node, pods } = shared;
  const peer = await shared.peer(0);
  await shared.join(0);
  await shared.greet(peer);
  t.deepEqual(await node.interfaces(), ['uplink']);

  const [first, second] = [shared.pod(0), shared.pod(1)];
  const before = await linkOf(second);
  await t.throwsAsync(ping(first, addressOf(1)));
  await first.run('ip', 'neigh', 'replace', addressOf(1), 'lladdr', before.address, 'dev', 'cw0');
  await t.throwsAsync(ping(first, addressOf(1)));
  t.is((await linkOf(second)).stats64.rx.packets, before.stats64.rx.packets);

  for (const [at, pod] of pods.entries()) {
    const { stats64 } = await linkOf(pod);
    const metrics = await daemon.metrics();
    const wire = `w${at}`;
    const rx = (end: string) => Number(metrics.sum('crosswire_wire_rx_packets_total', { wire, end }));
    t.true(rx('client') >= stats64.tx.packets && rx('endpoint') >= stats64.rx.packets && rx('endpoint') >= 4);
    for (const end of ['client', 'endpoint'] as const) t.is(metrics.unaccounted(wire, end), 0n);
  }
});

testWith(
  ['root', 'ping', 'macvlan'],
  'a ping loses nothing while the forwarder is killed and started again',
  async (t) => {
    const { daemon } = shared;
    await shared.peer(0);
    await shared.join(0);
    const before = await linkOf(shared.pod(0));
    await ping(shared.pod(0), outsideAddress);
    const command = shared.pod(0).inside('ping', '-q', '-i', '0.01', '-c', '300', '-W', '1', outsideAddress);
    const pings = new Background(...command);
    await daemon.stop('SIGKILL');
    await daemon.launch();
    t.is(await pings.ended(), 0);
    t.regex(pings.output, /300 packets transmitted, 300 received, 0% packet loss/);
    t.is((await linkOf(shared.pod(0))).ifindex, before.ifindex);
    t.like(await daemon.describe('w0'), { phase: 'up', path: 'vlan', endpoint: { mechanism: 'vlan', up: true } });
  },
);

testWith(['root', 'macvlan'], "the device's mtu is the default and the most, and is followed", async (t) => {
  const { daemon, node } = shared;
  await node.run('ip', 'link', 'set', 'uplink', 'mtu', '1700');
  await daemon.mustApply(wireFile(shared.wire(0, 0), { ...shared.wire(1, 0), mtu: 1400 }));
  t.is((await linkOf(shared.pod(0))).mtu, 1700);
  t.is((await linkOf(shared.pod(1))).mtu, 1400);
  const refused = await daemon.apply(wireFile({ ...shared.wire(2, 0), mtu: 1701 }));
  t.regex(refused.stdout, /HOST_DEVICE_REFUSED.*1701 is more than the 1700/s);
  t.deepEqual(await shared.pod(2).interfaces(), []);
  for (const mtu of [1600, 1900]) {
    await node.run('ip', 'link', 'set', 'uplink', 'mtu', `${mtu}`);
    await eventually('the wire has its length', async () => (await linkOf(shared.pod(0))).mtu === mtu);
  }
  t.is((await linkOf(shared.pod(1))).mtu, 1400);
});

testWith(['root', 'macvlan'], 'a device that is missing, or part of a bridge', async (t) => {
  const { daemon, node } = shared;
  const reason = async (...wires: readonly WireSpec[]) => (await daemon.apply(wireFile(...wires))).stdout;
  t.regex(await reason(shared.wire(0, 0, {}, 'nowhere')), /HOST_DEVICE_MISSING/);
  t.regex(await reason(shared.wire(0, 0, {}, 'lo')), /HOST_DEVICE_REFUSED/);
  await node.run('ip', 'link', 'add', 'br9', 'type', 'bridge');
  await node.run('ip', 'link', 'set', 'uplink', 'master', 'br9');
  t.regex(await reason(shared.wire(0, 0)), /HOST_DEVICE_REFUSED.*part of a bridge/s);
  await daemon.mustApply(wireFile(shared.wire(0, 0, {}, 'br9')));
  t.like(await linkOf(shared.pod(0)), { linkinfo: { info_kind: 'macvlan', info_data: { mode: 'private' } } });
  const twice = shared.wire(1, 0, { mac: (await linkOf(shared.pod(0))).address }, 'br9');
  t.regex(await reason(twice), /has the MAC|in use/);
  t.deepEqual(await shared.pod(1).interfaces(), []);
});

testWith(
  ['root', 'ping', 'macvlan'],
  'a device that goes down is told; one that goes and comes is joined again',
  async (t) => {
    const { daemon, node } = shared;
    await shared.peer(0);
    await shared.join(0);
    const health = async () => (await daemon.cli('describe', 'wire', 'w0', '-o', 'json')).stdout;
    await node.run('ip', 'link', 'set', 'uplink', 'down');
    await eventually('it is told', async () => (await health()).includes('HOST_DEVICE_DOWN'));
    await node.run('ip', 'link', 'set', 'uplink', 'up');
    await eventually('it is over', async () => !(await health()).includes('HOST_DEVICE_DOWN'));
    await ping(shared.pod(0), outsideAddress);

    await node.run('ip', 'link', 'set', 'uplink', 'name', 'elsewhere');
    await eventually('it is missed', async () => (await health()).includes('HOST_DEVICE_MISSING'));
    await node.run('ip', 'link', 'set', 'elsewhere', 'name', 'uplink');
    await eventually('it is found', async () => !(await health()).includes('HOST_DEVICE_MISSING'), 60_000);
    await ping(shared.pod(0), outsideAddress);
    t.like(await daemon.describe('w0'), { phase: 'up' });
  },
);

testWith(
  ['root', 'macvlan'],
  'what was changed behind its back is made anew; death and removal leave nothing',
  async (t) => {
    const { daemon, node, outside } = shared;
    await shared.join(0);
    const before = await linkOf(shared.pod(0));
    await shared.pod(0).run('ip', 'link', 'set', 'cw0', 'type', 'macvlan', 'mode', 'bridge');
    await eventually('it is private again', async () => {
      const link = await linkOf(shared.pod(0));
      return link.linkinfo.info_data.mode === 'private' && link.ifindex !== before.ifindex;
    });
    await shared.pod(1).remove();
    await eventually('the death is seen', async () =>
      JSON.stringify(await daemon.describe('w1')).includes('NAMESPACE_MISSING'),
    );
    t.is((await daemon.cli('delete', 'w0', 'w1', 'w2')).code, 0);
    t.deepEqual(await shared.pod(0).interfaces(), []);
    t.deepEqual([await node.interfaces(), await outside.interfaces()], [['uplink'], ['far']]);
    await daemon.mustApply(wireFile({ ...shared.wire(0, 0), client: kernelEnd(shared.pod(0), 'again') }));
    t.deepEqual(await shared.pod(0).interfaces(), ['again']);
  },
);
