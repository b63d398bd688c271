// SPDX-License-Identifier: Apache-2.0
// Two DPDK applications with a proxy between them, each with an abstract socket in its own namespace:
//   testpmd (client) in a ──▶ @front [proxy] ──▶ @back ── testpmd (server) in b; frames pass directly between the two

import test from 'ava';
import { Daemon } from '../support/daemon.ts';
import { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { eventually } from '../support/shell.ts';
import { memifDevice, Testpmd } from '../support/testpmd.ts';
import { memifEnd, wireFile } from '../support/wires.ts';

let daemon: Daemon;
let a: Namespace;
let b: Namespace;
const peers: Testpmd[] = [];

test.beforeEach(async () => {
  [a, b] = [await Namespace.make('a'), await Namespace.make('b')];
  daemon = await Daemon.start();
});
test.afterEach.always(async () => {
  for (const peer of peers.splice(0)) await peer.stop();
  await daemon?.destroy();
  for (const namespace of [a, b]) await namespace?.remove();
});

interface Status {
  readonly phase: string;
  readonly path: string;
  readonly client: { readonly up: boolean; readonly detail: string; readonly sessions: number };
  readonly endpoint: { readonly up: boolean; readonly detail: string };
}

testWith(
  ['root', 'dpdk-testpmd'],
  'two DPDK applications share memory: every frame arrives, the wire tells of the session, and counts none',
  async (t) => {
    const describe = async () => (await daemon.describe('direct')) as unknown as Status;
    const start = async (
      namespace: Namespace,
      role: 'client' | 'server',
      socket: string,
      forward: 'txonly' | 'rxonly',
    ) => {
      const device = memifDevice(0, role, socket, 7, 'secret=ours');
      const peer = await Testpmd.start({ devices: [device], forward, namespace });
      peers.push(peer);
      return peer;
    };
    const client = memifEnd('@front', 'server', 0, { netns: a.path });
    const endpoint = memifEnd('@back', 'client', 0, { netns: b.path });
    await daemon.mustApply(wireFile({ name: 'direct', direct: true, client, endpoint }));
    t.like(await describe(), { phase: 'up', path: 'proxy', client: { up: false }, endpoint: { up: false } });
    t.regex((await daemon.cli('explain', 'wire', 'direct')).stdout, /counts none/);

    const sink = await start(b, 'server', '@back', 'rxonly');
    await sink.command('start');
    const source = await start(a, 'client', '@front', 'txonly');
    await eventually('a session runs', async () => (await describe()).client.up);
    await source.command('start');
    await eventually('frames arrive', async () => (await sink.statistics(0)).rxPackets > 100_000);
    await source.command('stop');
    const { txPackets, txBytes } = await source.statistics(0);
    await eventually('every frame arrived', async () => (await sink.statistics(0)).rxPackets === txPackets);
    t.is((await sink.statistics(0)).rxBytes, txBytes);
    t.like(await describe(), { client: { sessions: 1 }, endpoint: { up: true } });
    const metrics = await daemon.metrics();
    for (const name of ['crosswire_wire_rx_packets_total', 'crosswire_wire_drops_total'])
      t.is(metrics.sum(name, { wire: 'direct' }), 0n, name);

    await source.stop();
    peers.splice(peers.indexOf(source), 1);
    await eventually('the session is over', async () => !(await describe()).endpoint.up);
    await daemon.stop('SIGKILL');
    await daemon.launch();
    t.like(await describe(), { phase: 'up', path: 'proxy' });
    await start(a, 'client', '@front', 'txonly');
    await eventually('a session runs again', async () => (await describe()).client.up);
    await daemon.cli('delete', 'direct');
    t.notRegex(await a.run('cat', '/proc/net/unix'), /@front$/m, 'nobody listens any more');
  },
);
