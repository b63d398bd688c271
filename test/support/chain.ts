// SPDX-License-Identifier: Apache-2.0
//   a ── wire `left` (kernel–memif) ── testpmd (io between its two memifs) ── wire `right` (memif–kernel) ── b

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon } from './daemon.ts';
import { Namespace } from './namespace.ts';
import { eventually } from './shell.ts';
import { memifDevice, Testpmd } from './testpmd.ts';
import { kernelEnd, memifEnd, wireFile } from './wires.ts';

export interface ChainOptions {
  /** The forwarder's memif role; testpmd has the other. */
  readonly role: 'server' | 'client';
  readonly memif?: object;
  /** Appended to testpmd's device arguments, e.g. `zero-copy=yes`. */
  readonly device?: string;
  readonly eal?: readonly string[];
  readonly queues?: number;
  readonly mtu?: number;
}

export class Chain {
  readonly a: Namespace;
  readonly b: Namespace;
  readonly daemon: Daemon;
  readonly directory: string;
  testpmd: Testpmd | undefined;
  readonly #options: ChainOptions;

  private constructor(a: Namespace, b: Namespace, daemon: Daemon, directory: string, options: ChainOptions) {
    this.a = a;
    this.b = b;
    this.daemon = daemon;
    this.directory = directory;
    this.#options = options;
  }

  static async make(options: ChainOptions): Promise<Chain> {
    const directory = await mkdtemp(join(tmpdir(), 'cwt-chain-'));
    const chain = new Chain(
      await Namespace.make('a'),
      await Namespace.make('b'),
      await Daemon.start(),
      directory,
      options,
    );
    const { role, memif = {}, mtu } = options;
    if (role === 'client') await chain.startPeer(); // a DPDK client connects only once, so the server side starts first
    await chain.daemon.mustApply(
      wireFile(
        {
          name: 'left',
          client: kernelEnd(chain.a, 'cw0', { addresses: ['10.79.0.1/24', 'fd79::1/64'] }, 'pod-a'),
          endpoint: memifEnd(chain.socket(0), role, 0, memif, 'function'),
          ...(mtu ? { mtu } : {}),
        },
        {
          name: 'right',
          client: memifEnd(chain.socket(1), role, 1, memif, 'function'),
          endpoint: kernelEnd(chain.b, 'cw0', { addresses: ['10.79.0.2/24', 'fd79::2/64'] }, 'pod-b'),
          ...(mtu ? { mtu } : {}),
        },
      ),
    );
    if (role === 'server') await chain.startPeer();
    await chain.daemon.up('left');
    await chain.daemon.up('right');
    return chain;
  }

  socket(port: number): string {
    // The forwarder listens on one socket for both ids; a DPDK server listens on one socket per device.
    return join(this.directory, this.#options.role === 'server' ? 'memif.sock' : `memif${port}.sock`);
  }

  async startPeer(): Promise<void> {
    const { role, device = '', eal = [], queues = 1 } = this.#options;
    const other = role === 'server' ? 'client' : 'server';
    if (other === 'server') for (const port of [0, 1]) await rm(this.socket(port), { force: true });
    this.testpmd = await Testpmd.start({
      devices: [0, 1].map((port) => memifDevice(port, other, this.socket(port), port, device)),
      extra: queues > 1 ? [`--rxq=${queues}`, `--txq=${queues}`, '--no-flush-rx'] : ['--no-flush-rx'],
      eal,
    });
    await this.testpmd.command('start');
  }

  /** Waits until the counters no longer change, and checks rx = tx + Σ drops in all four directions. */
  async conserved(): Promise<void> {
    await eventually('every frame is accounted for', async () => {
      const metrics = await this.daemon.metrics();
      const rest = ['left', 'right'].flatMap((wire) =>
        (['client', 'endpoint'] as const).map((end) => metrics.unaccounted(wire, end)),
      );
      if (rest.some((difference) => difference !== 0n)) throw new Error(`unaccounted: ${rest.join(', ')}`);
      return true;
    });
  }

  async destroy(): Promise<void> {
    await this.testpmd?.stop();
    await this.daemon.destroy();
    await this.a.remove();
    await this.b.remove();
    await rm(this.directory, { recursive: true, force: true });
  }
}
