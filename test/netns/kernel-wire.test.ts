// SPDX-License-Identifier: Apache-2.0
//   namespace a ── veth pair made by the wire ── namespace b

import test from 'ava';
import { Daemon } from '../support/daemon.ts';
import { transfer, withIperfServer } from '../support/iperf.ts';
import { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { Background } from '../support/shell.ts';
import { kernelEnd, turned, wireFile, type WireSpec } from '../support/wires.ts';

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

function wire(payload: 'ethernet' | 'ip'): WireSpec {
  return {
    name: 'ab',
    payload,
    networkService: 'demo',
    client: kernelEnd(
      a,
      'cw0',
      { addresses: ['10.77.0.1/24', 'fd77::1/64'], routes: [{ to: '10.78.0.0/16', via: '10.77.0.2' }] },
      'pod-a',
    ),
    endpoint: kernelEnd(b, 'cw0', { addresses: ['10.77.0.2/24', 'fd77::2/64'] }, 'pod-b'),
  };
}

for (const payload of ['ethernet', 'ip'] as const) {
  for (const order of ['as written', 'turned'] as const) {
    testWith(
      ['root', 'ping'],
      `kernel–kernel, payload ${payload}, ends ${order}: IPv4 and IPv6 at once, counters agree`,
      async (t) => {
        const spec = order === 'turned' ? turned(wire(payload)) : wire(payload);
        await daemon.mustApply(wireFile(spec));
        // At once: without duplicate address detection, the very first packet is answered.
        await a.run('ping', '-q', '-c', '3', '-i', '0.01', '-W', '1', '10.77.0.2');
        await a.run('ping', '-q', '-c', '3', '-i', '0.01', '-W', '1', 'fd77::2');
        t.deepEqual(await a.interfaces(), ['cw0']);
        t.deepEqual(await b.interfaces(), ['cw0']);
        const routes = await a.run('ip', 'route', 'show', '10.78.0.0/16');
        t.regex(routes, /via 10\.77\.0\.2 dev cw0/);

        const [from, to] = order === 'turned' ? (['endpoint', 'client'] as const) : (['client', 'endpoint'] as const);
        const metrics = await daemon.metrics();
        const link = JSON.parse(await a.run('ip', '-j', '-s', 'link', 'show', 'cw0')) as [
          { stats64: { tx: { packets: number } } },
        ];
        t.true(metrics.sum('crosswire_wire_rx_packets_total', { wire: 'ab', end: from }) >= 6n);
        t.true(
          metrics.sum('crosswire_wire_rx_packets_total', { wire: 'ab', end: from }) <=
            BigInt(link[0].stats64.tx.packets),
        );
        t.is(metrics.unaccounted('ab', from), 0n);
        t.is(metrics.unaccounted('ab', to), 0n);
      },
    );
  }
}

testWith(
  ['root', 'ping'],
  'payload ip needs no ARP: static neighbours on both sides, no ARP frame on the wire',
  async (t) => {
    await daemon.mustApply(wireFile(wire('ip')));
    for (const [namespace, other] of [
      [a, '10.77.0.2'],
      [b, '10.77.0.1'],
    ] as const) {
      const neighbours = JSON.parse(await namespace.run('ip', '-j', 'neigh', 'show', other)) as { state: string[] }[];
      t.deepEqual(neighbours[0]?.state, ['PERMANENT']);
    }
    await a.run('ip', 'neigh', 'flush', 'dev', 'cw0', 'nud', 'stale');
    await a.run('ping', '-q', '-c', '3', '-i', '0.01', '-W', '1', '10.77.0.2');
  },
);

testWith(['root', 'iperf3'], 'TCP and UDP run over a kernel wire', async (t) => {
  await daemon.mustApply(wireFile(wire('ethernet')));
  await withIperfServer(b, async () => {
    t.true((await transfer(a, '10.77.0.2')) > 1_000_000, 'TCP');
    t.true((await transfer(a, '10.77.0.2', '--udp', '--bitrate', '50M')) > 1_000_000, 'UDP');
  });
});

testWith(['root', 'ping'], 'a ping loses nothing while the forwarder is killed and started again', async (t) => {
  await daemon.mustApply(wireFile(wire('ethernet')));
  const ping = new Background(...a.inside('ping', '-q', '-i', '0.01', '-c', '400', '-W', '1', '10.77.0.2'));
  await daemon.stop('SIGKILL');
  await daemon.launch();
  await daemon.stop('SIGTERM'); // the default keeps wires
  await daemon.launch();
  t.is(await ping.ended(), 0);
  t.regex(ping.output, /400 packets transmitted, 400 received, 0% packet loss/);
  t.is(((await daemon.describe('ab')) as { phase: string }).phase, 'up');
});

testWith(
  ['root'],
  'addresses, routes and mtu change without touching the rest; the second apply changes nothing',
  async (t) => {
    await daemon.mustApply(wireFile(wire('ethernet')));
    const before = JSON.parse(await a.run('ip', '-j', 'link', 'show', 'cw0')) as [{ ifindex: number }];
    const changed = wire('ethernet');
    const kernel = (changed.client as { kernel: Record<string, unknown> }).kernel;
    kernel['addresses'] = ['10.77.0.9/24'];
    kernel['routes'] = [];
    const spec = wireFile({ ...changed, mtu: 1400 });
    const first = JSON.parse((await daemon.apply(spec)).stdout) as { outcome: string }[];
    t.is(first[0]?.outcome, 'changed');
    const second = JSON.parse((await daemon.apply(spec)).stdout) as { outcome: string }[];
    t.is(second[0]?.outcome, 'unchanged');
    const after = JSON.parse(await a.run('ip', '-j', 'address', 'show', 'cw0')) as [
      { ifindex: number; mtu: number; addr_info: { local: string; scope: string }[] },
    ];
    t.is(after[0].ifindex, before[0].ifindex);
    t.is(after[0].mtu, 1400);
    t.deepEqual(
      after[0].addr_info.filter((each) => each.scope === 'global').map((each) => each.local),
      ['10.77.0.9'],
    );
    t.is((await a.run('ip', 'route', 'show', '10.78.0.0/16')).trim(), '');
  },
);
