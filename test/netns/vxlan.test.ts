// SPDX-License-Identifier: Apache-2.0
//   pod a: cw0 ─ tunnel of daemon A's wire      pod b: cw0 ─ tunnel of daemon B's wire
//           └── node a: uplink ── veth ── uplink :node b ──┘
//   Each cw0 is the tunnel device itself; its UDP socket is in the namespace of the node.

import test from 'ava';
import { transfer, withIperfServer } from '../support/iperf.ts';
import type { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { Background } from '../support/shell.ts';
import { type Family, type Side, TwoNodes, underlay } from '../support/two-nodes.ts';
import { kernelEnd, turned, vxlanEnd, type WireSpec, wireFile } from '../support/wires.ts';

let nodes: TwoNodes;
let a: Side;
let b: Side;

test.beforeEach(async () => {
  nodes = await TwoNodes.make();
  ({ a, b } = nodes);
});
test.afterEach.always(async () => {
  await nodes?.remove();
});

interface Tunnel {
  readonly family?: Family;
  readonly vni?: number;
}

/** The wire as seen by A or by B. */
function wire(at: 'a' | 'b', { family = 4, vni = 6 }: Tunnel = {}): WireSpec {
  const [first, second] = underlay[family];
  const [local, remote] = at === 'a' ? [first, second] : [second, first];
  const { pod } = at === 'a' ? a : b;
  const addresses = at === 'a' ? ['10.77.0.1/24', 'fd77::1/64'] : ['10.77.0.2/24', 'fd77::2/64'];
  return {
    name: 'ab',
    client: kernelEnd(pod, 'cw0', { addresses }, `pod-${at}`),
    endpoint: vxlanEnd({ local, remote, vni }),
  };
}

async function join(tunnel: Tunnel = {}): Promise<void> {
  await a.daemon.mustApply(wireFile(wire('a', tunnel)));
  await b.daemon.mustApply(wireFile(turned(wire('b', tunnel))));
}

interface Link {
  readonly ifindex: number;
  readonly mtu: number;
  readonly ifalias: string;
  readonly linkinfo: { readonly info_kind: string; readonly info_data: { id: number; learning: boolean } };
  readonly stats64: { readonly tx: { packets: number }; readonly rx: { packets: number } };
}

async function link(pod: Namespace): Promise<Link> {
  const [one] = JSON.parse(await pod.run('ip', '-j', '-d', '-s', 'link', 'show', 'cw0')) as Link[];
  return one as Link;
}

const ping = (from: Namespace, to: string, ...more: string[]) =>
  from.run('ping', '-q', '-c', '3', '-i', '0.01', '-W', '1', ...more, to);

for (const family of [4, 6] as const) {
  const mtu = { 4: 1446, 6: 1426 }[family];
  testWith(
    ['root', 'ping', 'iperf3', 'vxlan'],
    `over IPv${family}: ping, TCP, no fragment at the default mtu, counters`,
    async (t) => {
      await join({ family });
      await ping(a.pod, '10.77.0.2', '-M', 'do', '-s', String(mtu - 28));
      await ping(a.pod, 'fd77::2');
      t.deepEqual([await a.pod.interfaces(), await b.pod.interfaces()], [['cw0'], ['cw0']]);
      t.deepEqual([await a.node.interfaces(), await b.node.interfaces()], [['uplink'], ['uplink']]);
      t.like(await link(a.pod), { mtu, linkinfo: { info_kind: 'vxlan', info_data: { id: 6 } } });

      await withIperfServer(b.pod, async () => {
        const bytes = await transfer(a.pod, '10.77.0.2');
        t.log(`TCP ${((bytes * 8) / 1e9).toFixed(2)} Gbit/s`);
        t.true(bytes > 1_000_000);
      });

      const before = await link(a.pod); // the last frames of the TCP shutdown may still arrive
      const metrics = await a.daemon.metrics();
      const after = await link(a.pod);
      for (const [end, way] of [
        ['client', 'tx'],
        ['endpoint', 'rx'],
      ] as const) {
        const frames = Number(metrics.sum('crosswire_wire_rx_packets_total', { wire: 'ab', end }));
        t.true(before.stats64[way].packets <= frames && frames <= after.stats64[way].packets, `${end}: ${frames}`);
      }
      for (const { daemon } of [a, b])
        for (const end of ['client', 'endpoint'] as const) t.is((await daemon.metrics()).unaccounted('ab', end), 0n);
      t.is((await a.daemon.metrics()).sum('crosswire_wire_drops_total', { wire: 'ab' }), 0n);
    },
  );
}

testWith(['root', 'ping', 'vxlan'], 'frames without a route to the remote are drops with a reason', async (t) => {
  await join();
  await ping(a.pod, '10.77.0.2');
  await a.node.run('ip', 'address', 'flush', 'dev', 'uplink');
  await t.throwsAsync(ping(a.pod, '10.77.0.2'));
  const metrics = await a.daemon.metrics();
  t.true(metrics.sum('crosswire_wire_drops_total', { wire: 'ab', end: 'client', reason: 'tunnel_error' }) >= 3n);
  t.is(metrics.unaccounted('ab', 'client'), 0n);
});

testWith(
  ['root', 'ping', 'vxlan'],
  'a ping loses nothing while the forwarder is killed and started again',
  async (t) => {
    await join();
    const before = await link(a.pod);
    const pings = new Background(...a.pod.inside('ping', '-q', '-i', '0.01', '-c', '400', '-W', '1', '10.77.0.2'));
    await a.daemon.stop('SIGKILL');
    await a.daemon.launch();
    await a.daemon.stop('SIGTERM'); // the default keeps wires
    await a.daemon.launch();
    t.is(await pings.ended(), 0);
    t.regex(pings.output, /400 packets transmitted, 400 received, 0% packet loss/);
    t.like(await a.daemon.describe('ab'), { phase: 'up', path: 'tunnel', endpoint: { mechanism: 'vxlan', up: true } });
    t.is((await link(a.pod)).ifindex, before.ifindex);
  },
);

testWith(
  ['root', 'ping', 'vxlan'],
  'a change of remote or VNI is another device; the mtu changes in place',
  async (t) => {
    await join();
    const first = await link(a.pod);
    await a.daemon.mustApply(wireFile({ ...wire('a'), mtu: 1400 }));
    t.like(await link(a.pod), { mtu: 1400, ifindex: first.ifindex });
    const astray = { ...wire('a'), endpoint: vxlanEnd({ local: '192.0.2.1', remote: '192.0.2.9', vni: 6 }) };
    await a.daemon.mustApply(wireFile(astray));
    const second = await link(a.pod);
    t.not(second.ifindex, first.ifindex);
    await t.throwsAsync(ping(a.pod, '10.77.0.2'));
    await join({ vni: 7 });
    t.like(await link(a.pod), { linkinfo: { info_data: { id: 7 } } });
    await ping(a.pod, '10.77.0.2');
  },
);

testWith(
  ['root', 'ping', 'vxlan'],
  'two tunnels of one VNI: told before anything is touched, or by the kernel',
  async (t) => {
    await join();
    const more = {
      ...wire('a'),
      name: 'second',
      endpoint: vxlanEnd({ local: '192.0.2.1', remote: '192.0.2.9', vni: 6 }),
    };
    const second = { ...more, client: kernelEnd(a.pod, 'cw1') };
    const refused = await a.daemon.apply(wireFile(second));
    t.not(refused.code, 0);
    t.regex(refused.stdout + refused.stderr, /TUNNEL_CLAIMED/);

    await a.node.run('ip', 'link', 'add', 'other', 'type', 'vxlan', 'id', '9', 'dstport', '4789', 'dev', 'uplink');
    const foreign = { ...second, endpoint: vxlanEnd({ local: '192.0.2.1', remote: '192.0.2.9', vni: 9 }) };
    const clash = await a.daemon.apply(wireFile(foreign));
    t.not(clash.code, 0);
    t.regex(clash.stdout, /TUNNEL_REFUSED/);
    t.deepEqual(await a.pod.interfaces(), ['cw0']);
    await ping(a.pod, '10.77.0.2');
  },
);

testWith(['root', 'vxlan'], 'what was deleted behind its back is made again, and removal leaves nothing', async (t) => {
  await join();
  await a.pod.run('ip', 'link', 'delete', 'cw0');
  await a.daemon.stop('SIGKILL');
  await a.daemon.launch();
  await a.daemon.up('ab');
  t.deepEqual(await a.pod.interfaces(), ['cw0']);
  await a.daemon.stop('SIGKILL');
  await a.daemon.launch();
  for (const { daemon, pod, node } of [a, b]) {
    t.is((await daemon.cli('delete', 'ab')).code, 0);
    t.deepEqual([await pod.interfaces(), await node.interfaces()], [[], ['uplink']]);
    t.is((await node.run('ss', '-lnuH', 'sport', '=', '4789')).trim(), '');
  }
});
