// SPDX-License-Identifier: Apache-2.0
// Crosswire between memifs. Both ends of every wire are servers, as for VPP or DPDK workloads.

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';
import { cyclesPerSecond } from '../harness/environment.ts';
import { Daemon, wireDocument } from './crosswire.ts';
import { cyclesPerFrame, type MemifForwarder, type MemifOptions, slotFor } from './memif.ts';

export interface CrosswireMemifOptions extends MemifOptions {
  readonly workerCpus?: readonly number[];
}

export interface CrosswireMemif extends MemifForwarder {
  readonly metrics: string; // its address
}

export async function startCrosswireMemif(options: CrosswireMemifOptions): Promise<CrosswireMemif> {
  const { cpu, wires, idleWires = 0, largest, workerCpus = [cpu] } = options;
  const daemon = await Daemon.start({ cpu, workerCpus });
  const sockets = await mkdtemp(join(tmpdir(), 'crosswire-memif-'));
  const socket = join(sockets, 'memif.sock');
  // Zero-copy DPDK shares its own memory, which cannot be sealed.
  const end = (id: number) => ({
    memif: { socket, role: 'server', id, bufferSize: slotFor(largest), allowUnsealed: true },
  });
  const document = (_: unknown, i: number) =>
    wireDocument(`wire-${i}`, { client: end(2 * i), endpoint: end(2 * i + 1) }, largest > 1514 ? { mtu: 9202 } : {});
  const documents = Array.from({ length: wires + idleWires }, document);
  try {
    while (documents.length > 0) await daemon.apply(documents.splice(0, 100));
  } catch (error) {
    await daemon.destroy();
    await rm(sockets, { recursive: true, force: true });
    throw error;
  }
  let last = await daemon.worker();
  return {
    name: 'crosswire',
    process: daemon.process,
    countsCycles: true,
    idleWires,
    // The active wires are distributed evenly among the others.
    pairs: Array.from({ length: wires }, (_, i) => {
      const wire = Math.floor((i * (wires + idleWires)) / wires);
      return [
        { socket, id: 2 * wire },
        { socket, id: 2 * wire + 1 },
      ] as const;
    }),
    async figures() {
      const now = await daemon.worker();
      const frames = now.frames - last.frames;
      const busy = now.busySeconds - last.busySeconds;
      const figures = {
        'ns per frame': (busy / frames) * 1e9,
        [cyclesPerFrame]: (busy / frames) * cyclesPerSecond(),
        'frames per burst': frames / (now.bursts - last.bursts),
        'wake-ups': now.wakeUps - last.wakeUps,
      };
      last = now;
      return figures;
    },
    metrics: daemon.metrics,
    async stop() {
      await daemon.destroy();
      await rm(sockets, { recursive: true, force: true });
    },
  };
}
