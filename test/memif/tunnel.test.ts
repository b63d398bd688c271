// SPDX-License-Identifier: Apache-2.0
// A memif end opposite an end at another node: the engine has the tunnel.
//   pod a: cw0 ── `near` kernel–memif(server) ══ `far` memif(client)–vxlan ── nodes ── `back` vxlan–kernel ── cw0 :pod b

import { join } from 'node:path';
import test from 'ava';
import { arrivals, type Place } from '../support/arrivals.ts';
import { oddFrames } from '../support/captures.ts';
import { transfer, withIperfServer } from '../support/iperf.ts';
import { testWith } from '../support/requires.ts';
import { eventually } from '../support/shell.ts';
import { type Family, type Side, TwoNodes, underlay } from '../support/two-nodes.ts';
import { kernelEnd, memifEnd, turned, vxlanEnd, type WireSpec, wireFile } from '../support/wires.ts';

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

function tunnel(at: 'a' | 'b', family: Family, vni: number) {
  const [first, second] = underlay[family];
  return vxlanEnd(at === 'a' ? { local: first, remote: second, vni } : { local: second, remote: first, vni });
}

function near(mtu = 1426): WireSpec {
  const client = kernelEnd(a.pod, 'cw0', { addresses: ['10.84.0.1/24', 'fd84::1/64'] });
  return { name: 'near', mtu, client, endpoint: memifEnd(join(a.daemon.directory, 'm.sock'), 'server', 1) };
}

function far(family: Family, mtu = 1426): WireSpec {
  const client = memifEnd(join(a.daemon.directory, 'm.sock'), 'client', 1);
  return { name: 'far', mtu, client, endpoint: tunnel('a', family, 6) };
}

function back(family: Family, mtu = 1426): WireSpec {
  const client = kernelEnd(b.pod, 'cw0', { addresses: ['10.84.0.2/24', 'fd84::2/64'] });
  return { name: 'back', mtu, client, endpoint: tunnel('b', family, 6) };
}

async function connect(family: Family, order: (wire: WireSpec) => WireSpec = (wire) => wire): Promise<void> {
  await a.daemon.mustApply(wireFile(near(), order(far(family))));
  await b.daemon.mustApply(wireFile(back(family)));
  for (const wire of ['near', 'far']) await a.daemon.up(wire);
}

const ping = (to: string, ...more: string[]) =>
  a.pod.run('ping', '-q', '-c', '3', '-i', '0.01', '-W', '1', ...more, to);

for (const [family, order] of [
  [4, 'as written'],
  [6, 'turned'],
] as const) {
  testWith(
    ['root', 'tun', 'ping', 'iperf3', 'vxlan'],
    `memif to another node over IPv${family}, ends ${order}: ping, TCP both ways, counters`,
    async (t) => {
      await connect(family, order === 'turned' ? turned : undefined);
      await ping('10.84.0.2', '-M', 'do', '-s', '1398');
      await ping('fd84::2');
      t.deepEqual(await a.node.interfaces(), ['uplink']);

      await withIperfServer(b.pod, async () => {
        for (const more of [[], ['--reverse']]) {
          const bytes = await transfer(a.pod, '10.84.0.2', ...more);
          t.log(`TCP ${more.join()} ${((bytes * 8) / 1e9).toFixed(2)} Gbit/s`);
          t.true(bytes > 1_000_000);
        }
      });

      const metrics = await a.daemon.metrics();
      for (const end of ['client', 'endpoint'] as const) {
        t.true(metrics.sum('crosswire_wire_rx_packets_total', { wire: 'far', end }) > 1000n);
        t.is(metrics.unaccounted('far', end), 0n);
      }
    },
  );
}

for (const [title, from, to] of [
  ['from memif to the other node', () => a, () => b],
  ['from the other node to memif', () => b, () => a],
] as const) {
  testWith(['root', 'tun', 'vxlan'], `odd frames, tags and all, byte for byte and in order: ${title}`, async (t) => {
    for (const { node } of [a, b]) await node.run('ip', 'link', 'set', 'uplink', 'mtu', '9200');
    await a.daemon.mustApply(wireFile(near(9000), far(4, 9000)));
    await b.daemon.mustApply(wireFile(back(4, 9000)));
    for (const wire of ['near', 'far']) await a.daemon.up(wire);
    const frames = oddFrames(9014);
    const places = [from(), to()].map(({ pod }) => ({ namespace: pod, interface: 'cw0' })) as [Place, Place];
    t.deepEqual(
      await arrivals(frames, a.daemon.directory, ...places),
      frames.map((frame) => frame.toString('hex')),
    );
  });
}

testWith(
  ['root', 'tun', 'ping', 'vxlan'],
  'tunnels of both kinds share the port; a killed forwarder comes back; removal leaves nothing',
  async (t) => {
    await connect(4);
    const beside = (at: 'a' | 'b', { pod }: Side, host: number): WireSpec => ({
      name: 'beside',
      client: kernelEnd(pod, 'cw1', { addresses: [`10.86.0.${host}/24`] }),
      endpoint: tunnel(at, 4, 8),
    });
    await a.daemon.mustApply(wireFile(beside('a', a, 1)));
    await b.daemon.mustApply(wireFile(beside('b', b, 2)));
    await ping('10.86.0.2');
    await ping('10.84.0.2');

    await a.daemon.stop('SIGKILL');
    await ping('10.86.0.2');
    await a.daemon.launch();
    await eventually('frames pass again', async () => ping('10.84.0.2'));

    t.is((await a.daemon.cli('delete', 'near', 'far', 'beside')).code, 0);
    t.deepEqual([await a.pod.interfaces(), await a.node.interfaces()], [[], ['uplink']]);
    t.is((await a.node.run('ss', '-lnuH', 'sport', '=', '4789')).trim(), '');
  },
);
