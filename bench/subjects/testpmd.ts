// SPDX-License-Identifier: Apache-2.0
// The rival testpmd (DPDK), on one CPU without huge pages.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Absent } from '../harness/measure.ts';
import type { Namespace } from '../harness/namespace.ts';
import { Measured } from '../harness/process.ts';
import { findProgram } from '../harness/programs.ts';
import { cyclesPerFrame, type MemifForwarder, type MemifOptions } from './memif.ts';

export interface TestpmdOptions {
  readonly cpu: number;
  readonly devices: readonly string[];
  /** Bytes of a buffer: 2048 and headroom by default. */
  readonly buffer?: number;
  /** The namespace of its kernel ports. */
  readonly within?: Namespace;
}

let started = 0;

export async function startTestpmd({ cpu, devices, buffer = 2176, within }: TestpmdOptions): Promise<Measured> {
  const program = findProgram('dpdk-testpmd');
  if (program === undefined) throw new Absent('dpdk-testpmd is not installed');
  const buffers = buffer > 4096 ? 8192 : 16384;
  const memory = 256 + Math.ceil((buffers * (buffer + 512)) / (1 << 20));
  const command = [
    '-oL',
    program,
    `--lcores=0@${cpu},1@${cpu}`,
    '--no-huge',
    '-m',
    String(memory),
    '--no-pci',
    '--no-telemetry',
    `--file-prefix=crosswire-testpmd-${process.pid}-${started++}`,
    ...devices.map((device) => `--vdev=${device}`),
    '--',
    '-i',
    `--total-num-mbufs=${buffers}`,
    `--mbuf-size=${buffer}`,
    '--forward-mode=io',
    '--no-flush-rx',
    '--record-core-cycles',
    '--burst=64',
  ];
  const testpmd = within
    ? new Measured('testpmd', 'ip', within.inside('stdbuf', ...command))
    : new Measured('testpmd', 'stdbuf', command);
  try {
    await testpmd.says(/testpmd> /, 40);
    testpmd.write('start');
    await testpmd.says(/start[\s\S]*forwarding/i, 10);
  } catch (error) {
    await testpmd.stop('SIGKILL');
    throw error;
  }
  return testpmd;
}

/** Like Crosswire's busy time: the cycles of rounds that moved frames, over all streams. */
async function busyCycles(testpmd: Measured): Promise<{ readonly cycles: number; readonly frames: number }> {
  const from = testpmd.output.length;
  testpmd.write('show fwd stats all');
  // If nothing was forwarded yet, this line is missing, and the prompt follows the table.
  const answer = /CPU cycles\/packet=\S+ \(total cycles=(\d+) \/ total \w+ packets=(\d+)\)|\+{60,}\s+testpmd> /;
  const found = await testpmd.says(answer, 10, from);
  return { cycles: Number(found[1] ?? 0), frames: Number(found[2] ?? 0) };
}

/** io mode with two memif servers for each wire: testpmd's fastest configuration. */
export async function startTestpmdMemif({ cpu, wires, largest }: MemifOptions): Promise<MemifForwarder> {
  const directory = await mkdtemp(join(tmpdir(), 'crosswire-testpmd-'));
  const socket = (port: number) => join(directory, `${port}.sock`);
  const ports = Array.from({ length: 2 * wires }, (_, port) => port);
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    const testpmd = await startTestpmd({
      cpu,
      devices: ports.map((port) => `net_memif${port},role=server,id=0,socket=${socket(port)},socket-abstract=no`),
      ...(largest > 2048 ? { buffer: 9600 } : {}),
    });
    let last = { cycles: 0, frames: 0 };
    return {
      name: 'testpmd io',
      process: testpmd,
      countsCycles: true,
      pairs: Array.from({ length: wires }, (_, i) => [
        { socket: socket(2 * i), id: 0 },
        { socket: socket(2 * i + 1), id: 0 },
      ]),
      async figures() {
        const now = await busyCycles(testpmd);
        const perFrame = (now.cycles - last.cycles) / (now.frames - last.frames);
        last = now;
        return { [cyclesPerFrame]: perFrame };
      },
      async stop() {
        await testpmd.stop('SIGKILL'); // it polls, and leaves only its directory behind
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
