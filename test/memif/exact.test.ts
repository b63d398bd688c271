// SPDX-License-Identifier: Apache-2.0
// Frames that DPDK (net_pcap) or a raw socket sends into one end leave at the other, byte for byte and in order.

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { oddFrames, readCapture, writeCapture } from '../support/captures.ts';
import { Daemon } from '../support/daemon.ts';
import { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { Background, eventually } from '../support/shell.ts';
import { memifDevice, Testpmd } from '../support/testpmd.ts';
import { kernelEnd, memifEnd, wireFile } from '../support/wires.ts';

const frameTool = resolve('build/native-tools/frame_tool');
const sourceMac = '02000000aa02'; // of every frame of oddFrames()
const frames = oddFrames(9014);
// One slot per frame: DPDK's sender corrupts chains when the ring is full.
const large = ['--mbuf-size=10240', '--no-flush-rx'];
const largeDevice = 'bsize=10240';

let directory: string;
let daemon: Daemon;
const namespaces: Namespace[] = [];
const peers: Testpmd[] = [];

test.beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cwt-exact-'));
  daemon = await Daemon.start();
  await writeFile(join(directory, 'in.pcap'), writeCapture(frames));
});
test.afterEach.always(async () => {
  for (const peer of peers.splice(0)) await peer.stop();
  await daemon?.destroy();
  for (const namespace of namespaces.splice(0)) await namespace.remove();
  await rm(directory, { recursive: true, force: true });
});

const input = () => join(directory, 'in.pcap');
const output = () => join(directory, 'out.pcap');
const socket = () => join(directory, 'memif.sock');

async function namespace(label: string): Promise<Namespace> {
  const made = await Namespace.make(label);
  namespaces.push(made);
  return made;
}

/** DPDK reads in.pcap and sends it into the memif (id) once. */
async function dpdkSource(id: number): Promise<Testpmd> {
  const peer = await Testpmd.start({
    devices: [memifDevice(0, 'client', socket(), id, largeDevice), `net_pcap0,rx_pcap=${input()},tx_pcap=/dev/null`],
    extra: large,
  });
  peers.push(peer);
  return peer;
}

/** DPDK writes what the memif (id) delivers to out.pcap. */
async function dpdkSink(id: number): Promise<Testpmd> {
  const peer = await Testpmd.start({
    devices: [memifDevice(0, 'client', socket(), id, largeDevice), `net_pcap0,rx_iface=lo,tx_pcap=${output()}`],
    extra: large,
  });
  peers.push(peer);
  await peer.command('start');
  return peer;
}

/** Checks that all frames arrived unchanged and in order. Frames are shown by head and digest, so that a failure is readable. */
function compare(t: ExecutionContext, received: readonly Buffer[]): void {
  const named = (frame: Buffer) =>
    `${frame.length} bytes ${frame.toString('hex', 12, 22)} ${createHash('sha256').update(frame).digest('hex')}`;
  t.deepEqual(received.map(named), frames.map(named));
}

async function captured(): Promise<Buffer[]> {
  const all = readCapture(await readFile(output()));
  return all.filter((frame) => frame.toString('hex', 6, 12) === sourceMac);
}

async function arrived(id: string): Promise<void> {
  await eventually('all frames are through', async () => {
    const metrics = await daemon.metrics();
    return metrics.sum('crosswire_wire_tx_packets_total', { wire: id, end: 'endpoint' }) >= BigInt(frames.length);
  });
}

testWith(['root', 'tun', 'dpdk-testpmd'], 'memif → memif', async (t) => {
  const [client, endpoint] = [memifEnd(socket(), 'server', 0), memifEnd(socket(), 'server', 1)];
  await daemon.mustApply(wireFile({ name: 'mm', mtu: 9000, client, endpoint }));
  const sink = await dpdkSink(1);
  const source = await dpdkSource(0);
  await daemon.up('mm');
  await source.command('start');
  await arrived('mm');
  await sink.command('stop');
  await peers.pop()?.stop();
  await peers.pop()?.stop();
  compare(t, await captured());
});

testWith(['root', 'tun', 'dpdk-testpmd'], 'kernel → memif', async (t) => {
  const a = await namespace('a');
  const endpoint = memifEnd(socket(), 'server', 0);
  await daemon.mustApply(wireFile({ name: 'km', mtu: 9000, client: kernelEnd(a, 'cw0'), endpoint }));
  await dpdkSink(0);
  await daemon.up('km');
  await a.run(frameTool, 'send', input(), 'cw0');
  await arrived('km');
  await peers.pop()?.stop();
  compare(t, await captured());
});

testWith(['root', 'tun', 'dpdk-testpmd'], 'memif → kernel', async (t) => {
  const a = await namespace('a');
  const client = memifEnd(socket(), 'server', 0);
  await daemon.mustApply(wireFile({ name: 'mk', mtu: 9000, client, endpoint: kernelEnd(a, 'cw0') }));
  const source = await dpdkSource(0);
  await daemon.up('mk');
  const capture = await startCapture(a);
  await source.command('start');
  await arrived('mk');
  await eventually('the capture has them', async () => {
    const count = (await captured()).length;
    if (count < frames.length) throw new Error(`${count} of ${frames.length} frames`);
    return true;
  });
  await capture.stop('SIGINT');
  compare(t, await captured());
});

testWith(['root'], 'kernel → kernel', async (t) => {
  const [a, b] = [await namespace('a'), await namespace('b')];
  await daemon.mustApply(
    wireFile({ name: 'kk', mtu: 9000, client: kernelEnd(a, 'cw0'), endpoint: kernelEnd(b, 'cw0') }),
  );
  const capture = await startCapture(b);
  await a.run(frameTool, 'send', input(), 'cw0');
  await arrived('kk');
  await eventually('the capture has them', async () => {
    const count = (await captured()).length;
    const got = new Set((await captured()).map((f) => f.toString('hex')));
    if (count < frames.length)
      throw new Error(
        `${count} of ${frames.length} frames` +
          frames.filter((f) => !got.has(f.toString('hex'))).map((f) => `${f.length} ${f.toString('hex', 12, 22)}`) +
          (await daemon.metrics()).text.split('\n').filter((l) => /drops_total.*mk/.test(l) && !l.endsWith(' 0')),
      );
    return true;
  });
  await capture.stop('SIGINT');
  compare(t, await captured());
});

async function startCapture(where: Namespace): Promise<Background> {
  // In immediate mode the kernel's buffer has slots of the snap length: the default has only eight.
  const options = ['-U', '--immediate-mode', '-s', '10000', '-B', '16384', '-Q', 'in', '-Z', 'root'];
  const [program, args] = where.inside('tcpdump', '-i', 'cw0', ...options, '-w', output());
  const capture = new Background(program, args);
  await capture.says('listening on');
  return capture;
}
