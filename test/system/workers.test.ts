// SPDX-License-Identifier: Apache-2.0
// Several workers: their CPUs, which wires they get, and that wires on different workers lose no frames.
//   a:n<i> ── `left<i>` kernel–memif ── `right<i>` memif–kernel ── b:n<i>          for i of 0 … 3

import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import { Daemon, type Metrics } from '../support/daemon.ts';
import { transfer } from '../support/iperf.ts';
import { Namespace } from '../support/namespace.ts';
import { testWith } from '../support/requires.ts';
import { attempt, Background, eventually } from '../support/shell.ts';
import { kernelEnd, memifEnd, type WireSpec, wireFile } from '../support/wires.ts';

const frameTool = resolve('build/native-tools/frame_tool');
const workers = 4;

let daemon: Daemon | undefined;
let namespaces: Namespace[] = [];
test.afterEach.always(async () => {
  await daemon?.destroy();
  for (const namespace of namespaces) await namespace.remove();
  namespaces = [];
  daemon = undefined;
});

/** Thread name → CPUs, for the threads of the daemon. */
async function affinities({ process }: Daemon): Promise<Map<string, string>> {
  const tasks = `/proc/${process?.child.pid}/task`;
  const found = new Map<string, string>();
  for (const task of await readdir(tasks)) {
    const status = await readFile(join(tasks, task, 'status'), 'utf8');
    const value = (key: string) => new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
    found.set(value('Name'), value('Cpus_allowed_list'));
  }
  return found;
}

testWith(['root'], 'each worker is pinned to its CPU, and nothing else is', async (t) => {
  const last = availableParallelism() - 1;
  daemon = await Daemon.start('--worker-cpus', `0-${last}`);
  const found = await affinities(daemon);
  for (let i = 0; i <= last; i++) t.is(found.get(`cw-worker-${i}`), String(i));
  const others = [...found].filter(([name]) => !name.startsWith('cw-worker-'));
  t.is(found.size - others.length, last + 1);
  t.true(others.length > 0);
  for (const [name, cpus] of others) t.is(cpus, last === 0 ? '0' : `0-${last}`, name);
});

testWith(['root'], 'without CPUs no worker is pinned', async (t) => {
  daemon = await Daemon.start('--workers', '2');
  const found = await affinities(daemon);
  t.is(found.get('cw-worker-0'), found.get('node') ?? found.get('MainThread'));
  t.is(found.get('cw-worker-1'), found.get('cw-worker-0'));
});

const refused: Record<string, { args: string[]; code: number; says: RegExp }> = {
  'no list of CPUs': {
    args: ['--worker-cpus=0;1'],
    code: 2,
    says: /error OPTION_INVALID: .*--worker-cpus.*like 2-5,8/,
  },
  'more workers than CPUs': {
    args: ['--worker-cpus=0', '--workers=2'],
    code: 2,
    says: /error OPTION_INVALID: .*--worker-cpus.*1 CPUs for 2 workers/,
  },
  'a CPU that the machine lacks': {
    args: ['--worker-cpus=1023'],
    code: 1,
    says: /error CPU_UNAVAILABLE: .*CPU 1023.*online here: 0/,
  },
};
for (const [title, { args, code, says }] of Object.entries(refused))
  testWith(['root'], `the daemon does not start with ${title}`, async (t) => {
    const directory = '/nonexistent/crosswire';
    const outcome = await attempt(resolve('bin/crosswire'), 'run', `--state-dir=${directory}`, ...args);
    t.is(outcome.code, code, outcome.stderr);
    t.regex(outcome.stderr, says);
  });

function paths(count: number, a: Namespace, b: Namespace, socket: string): WireSpec[] {
  return Array.from({ length: count }, (_, i) => [
    {
      name: `left${i}`,
      client: kernelEnd(a, `n${i}`, { addresses: [`10.88.${i}.1/24`] }),
      endpoint: memifEnd(socket, 'server', i, { rings: 2 }),
    },
    {
      name: `right${i}`,
      client: memifEnd(socket, 'client', i, { rings: 2 }),
      endpoint: kernelEnd(b, `n${i}`, { addresses: [`10.88.${i}.2/24`] }),
    },
  ]).flat();
}

/** As many paths as workers. */
async function spread(
  count = workers,
  ...extra: string[]
): Promise<{ a: Namespace; b: Namespace; specs: WireSpec[]; on: Daemon }> {
  const [a, b] = [await Namespace.make('a'), await Namespace.make('b')];
  namespaces = [a, b];
  const on = await Daemon.start(`--workers=${count}`, ...extra);
  daemon = on;
  const specs = paths(count, a, b, join(on.directory, 'memif.sock'));
  await on.mustApply(wireFile(...specs));
  for (const { name } of specs) await on.up(name);
  return { a, b, specs, on };
}

const perWorker = (metrics: Metrics, name: string) =>
  Array.from({ length: workers }, (_, i) => metrics.sum(name, { worker: String(i) }));

testWith(['root', 'tun'], 'wires go to the worker that has the fewest, also after others went', async (t) => {
  const { a, b, specs, on } = await spread();
  t.deepEqual(perWorker(await on.metrics(), 'crosswire_worker_wires'), [2n, 2n, 2n, 2n]);
  await on.cli('delete', 'left0', 'right0', 'left1');
  const socket = join(on.directory, 'other.sock');
  const fresh = Array.from({ length: 3 }, (_, i) => ({
    name: `fresh${i}`,
    client: kernelEnd(a, `f${i}`),
    endpoint: memifEnd(socket, 'server', i),
  }));
  await on.mustApply(wireFile(...fresh));
  await eventually('all are even', async () => {
    const wires = perWorker(await on.metrics(), 'crosswire_worker_wires');
    if (wires.some((count) => count !== 2n)) throw new Error(wires.join());
    return true;
  });
  // A wire between two kernel ends needs no worker.
  await on.mustApply(wireFile({ name: 'direct', client: kernelEnd(a, 'd'), endpoint: kernelEnd(b, 'd') }));
  t.is((await on.metrics()).sum('crosswire_worker_wires'), BigInt(specs.length));
});

testWith(['root', 'tun'], 'frames cross between workers without loss', async (t) => {
  const { a, b, specs, on } = await spread();
  const each = 500; // fewer than a ring holds
  const tagged = Array.from({ length: workers }, (_, i) => `n${i}=${3000 + i}`);
  const watch = new Background(...b.inside(frameTool, 'watch', '1500', ...tagged));
  await watch.says('ready');
  // Until every wire had its peer, the kernel's own frames were dropped.
  const before = await on.metrics();
  await a.run(frameTool, 'flood', String(each), '200', ...tagged);
  t.is(await watch.ended(), 0);
  const seen = JSON.parse(watch.output.slice(watch.output.indexOf('['))) as Record<string, number>[];
  for (const one of seen) t.like(one, { own: each, foreign: 0, disorder: 0, missed: 0 });
  const metrics = await on.metrics();
  const drops = (of: Metrics, wire: string) => of.sum('crosswire_wire_drops_total', { wire });
  for (const { name } of specs) t.is(drops(metrics, name), drops(before, name), name);
});

testWith(['root', 'tun'], 'with --busy-poll no wire goes cold', async (t) => {
  const { on } = await spread(1, '--busy-poll');
  const hot = async () => (await on.metrics()).sum('crosswire_worker_hot_wires');
  await eventually('both wires are hot', async () => (await hot()) === 2n);
  const before = (await on.metrics()).sum('crosswire_worker_wake_ups_total');
  t.is(await hot(), 2n);
  t.is((await on.metrics()).sum('crosswire_worker_wake_ups_total'), before, 'nobody slept');
});

testWith(['root', 'tun', 'iperf3'], 'TCP over wires of different workers adds up', async (t) => {
  const { a, b, specs, on } = await spread();
  const ends = Array.from({ length: workers }, (_, i) => `10.88.${i}.2`);
  const servers = ends.map((end) => new Background(...b.inside('iperf3', '--server', '--bind', end)));
  const bytes = await Promise.all(ends.map((end) => transfer(a, end))).finally(() =>
    Promise.all(servers.map((server) => server.stop())),
  );
  const arrived = bytes.reduce((sum, count) => sum + BigInt(count), 0n);
  const metrics = await eventually('every frame is accounted for', async () => {
    const now = await on.metrics();
    for (const { name } of specs)
      for (const end of ['client', 'endpoint'] as const)
        if (now.unaccounted(name, end) !== 0n) throw new Error(`${name} ${end}: ${now.unaccounted(name, end)}`);
    return now;
  });
  if (typeof metrics === 'boolean') return t.fail();
  for (const frames of perWorker(metrics, 'crosswire_worker_frames_total'))
    t.true(frames > 100n, 'every worker worked');
  let carried = 0n;
  for (let i = 0; i < workers; i++) {
    const out = metrics.sum('crosswire_wire_tx_packets_total', { wire: `left${i}`, end: 'endpoint' });
    const into = metrics.sum('crosswire_wire_rx_packets_total', { wire: `right${i}`, end: 'client' });
    t.is(out, into, `path ${i}: what one wire gave, the next took`);
    carried += metrics.sum('crosswire_wire_tx_bytes_total', { wire: `right${i}`, end: 'endpoint' });
  }
  t.true(carried >= arrived, `${carried} bytes on the wires, ${arrived} of payload`);
});
