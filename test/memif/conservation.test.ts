// SPDX-License-Identifier: Apache-2.0
// Overload on every combination of ends: received = delivered + Σ drops, exactly, and both ends of the wire
// agree with the counters of the kernel and of DPDK.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import { Daemon, type Metrics } from '../support/daemon.ts';
import { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { eventually } from '../support/shell.ts';
import { memifDevice, Testpmd } from '../support/testpmd.ts';
import { kernelEnd, memifEnd, turned, wireFile, type WireSpec } from '../support/wires.ts';

const frameTool = resolve('build/native-tools/frame_tool');
const flooded = 100_000;

let directory: string;
let daemon: Daemon;
let a: Namespace;
let b: Namespace;
const peers: Testpmd[] = [];

test.beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cwt-conservation-'));
  [a, b] = [await Namespace.make('a'), await Namespace.make('b')];
  // The kernel's own frames (neighbour discovery) would be counted too.
  for (const namespace of [a, b]) await namespace.run('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
  daemon = await Daemon.start();
});
test.afterEach.always(async () => {
  for (const peer of peers.splice(0)) await peer.stop();
  await daemon?.destroy();
  for (const namespace of [a, b]) await namespace?.remove();
  await rm(directory, { recursive: true, force: true });
});

const socket = () => join(directory, 'memif.sock');

async function peer(id: number, forward: 'rxonly' | 'txonly'): Promise<Testpmd> {
  const device = memifDevice(0, 'client', socket(), id);
  const made = await Testpmd.start({ devices: [device], forward, extra: ['--txpkts=64', '--no-flush-rx'] });
  peers.push(made);
  return made;
}

async function kernelCounters(namespace: Namespace) {
  const text = await namespace.run('ip', '-j', '-s', 'link', 'show', 'cw0');
  type Side = { packets: number; dropped: number };
  const [link] = JSON.parse(text) as [{ stats64: { rx: Side; tx: Side } }];
  return link.stats64;
}

/** Returns the metrics when no frame has moved for half a second and every frame is accounted for. */
async function settled(from: 'client' | 'endpoint'): Promise<Metrics> {
  let before = -1n;
  let since = Date.now();
  return eventually('the counters come to rest and add up', async () => {
    const metrics = await daemon.metrics();
    const now = metrics.sum('crosswire_wire_rx_packets_total', { wire: 'w' });
    if (now !== before) since = Date.now();
    before = now;
    if (now === 0n || Date.now() - since < 500) return undefined;
    const rest = metrics.unaccounted('w', from);
    if (rest !== 0n) throw new Error(`unaccounted: ${rest}`);
    return metrics;
  });
}

function ends(
  order: string,
  wire: WireSpec,
): { spec: WireSpec; from: 'client' | 'endpoint'; to: 'client' | 'endpoint' } {
  return order === 'turned'
    ? { spec: turned(wire), from: 'endpoint', to: 'client' }
    : { spec: wire, from: 'client', to: 'endpoint' };
}

for (const order of ['as written', 'turned']) {
  testWith(['root', 'tun', 'dpdk-testpmd'], `kernel → memif, ${order}: a stalled peer`, async (t) => {
    const { spec, from, to } = ends(order, {
      name: 'w',
      client: kernelEnd(a, 'cw0'),
      endpoint: memifEnd(socket(), 'server', 0),
    });
    await daemon.mustApply(wireFile(spec));
    const sink = await peer(0, 'rxonly'); // connected, not started: its ring fills up
    await daemon.up('w');
    await a.run(frameTool, 'flood', String(flooded), '64', 'cw0=1');
    await sink.command('start');
    await a.run(frameTool, 'flood', String(flooded), '64', 'cw0=1');
    const metrics = await settled(from);
    const kernel = await kernelCounters(a);
    t.is(metrics.sum('crosswire_wire_rx_packets_total', { end: from }), BigInt(kernel.tx.packets + kernel.tx.dropped));
    t.is(kernel.tx.packets + kernel.tx.dropped, 2 * flooded);
    t.is(metrics.sum('crosswire_wire_tx_packets_total', { end: to }), BigInt((await sink.statistics(0)).rxPackets));
    t.true(metrics.sum('crosswire_wire_drops_total', { end: from, reason: 'tx_full' }) > 0n);
  });

  testWith(['root', 'tun', 'dpdk-testpmd'], `memif → kernel, ${order}: faster than the kernel takes`, async (t) => {
    const { spec, from, to } = ends(order, {
      name: 'w',
      client: memifEnd(socket(), 'server', 0),
      endpoint: kernelEnd(a, 'cw0'),
    });
    await daemon.mustApply(wireFile(spec));
    const source = await peer(0, 'txonly');
    await daemon.up('w');
    await source.command('start');
    await new Promise((resolve) => setTimeout(resolve, 500));
    await source.command('stop');
    const metrics = await settled(from);
    const kernel = await kernelCounters(a);
    t.is(metrics.sum('crosswire_wire_rx_packets_total', { end: from }), BigInt((await source.statistics(0)).txPackets));
    t.is(metrics.sum('crosswire_wire_tx_packets_total', { end: to }), BigInt(kernel.rx.packets));
  });

  testWith(['root', 'tun', 'dpdk-testpmd'], `memif → memif, ${order}: the sink stops in the middle`, async (t) => {
    const { spec, from, to } = ends(order, {
      name: 'w',
      client: memifEnd(socket(), 'server', 0),
      endpoint: memifEnd(socket(), 'server', 1),
    });
    await daemon.mustApply(wireFile(spec));
    const sink = await peer(1, 'rxonly');
    const source = await peer(0, 'txonly');
    await daemon.up('w');
    await sink.command('start');
    await source.command('start');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await sink.command('stop');
    await new Promise((resolve) => setTimeout(resolve, 200));
    await source.command('stop');
    await sink.command('start');
    const metrics = await settled(from);
    t.is(metrics.sum('crosswire_wire_rx_packets_total', { end: from }), BigInt((await source.statistics(0)).txPackets));
    t.is(metrics.sum('crosswire_wire_tx_packets_total', { end: to }), BigInt((await sink.statistics(0)).rxPackets));
    t.true(metrics.sum('crosswire_wire_drops_total', { end: from, reason: 'tx_full' }) > 0n);
  });
}

testWith(['root'], 'kernel → kernel: every frame of a flood', async (t) => {
  await daemon.mustApply(wireFile({ name: 'w', client: kernelEnd(a, 'cw0'), endpoint: kernelEnd(b, 'cw0') }));
  await a.run(frameTool, 'flood', String(flooded), '64', 'cw0=1');
  const metrics = await settled('client');
  const kernel = await kernelCounters(a);
  t.is(
    metrics.sum('crosswire_wire_rx_packets_total', { end: 'client' }),
    BigInt(kernel.tx.packets + kernel.tx.dropped),
  );
  t.is(metrics.sum('crosswire_wire_rx_packets_total', { end: 'client' }), BigInt(flooded));
});

testWith(['root', 'tun'], 'kernel → memif without a peer: everything is link_down', async (t) => {
  const spec = { name: 'w', client: kernelEnd(a, 'cw0'), endpoint: memifEnd(socket(), 'server', 0) };
  await daemon.mustApply(wireFile(spec));
  await a.run(frameTool, 'flood', '5000', '64', 'cw0=1');
  const metrics = await settled('client');
  const dropped = (reason: string) => metrics.sum('crosswire_wire_drops_total', { end: 'client', reason });
  t.is(dropped('link_down') + dropped('kernel_queue'), 5000n);
});
