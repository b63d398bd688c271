// SPDX-License-Identifier: Apache-2.0
// The subject: a real daemon on one CPU, with its own state directory; its wires are made through the control API.

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlClient } from '../../src/cli/control-client.ts';
import { account } from '../harness/cost.ts';
import { Measured } from '../harness/process.ts';
import { daemonProgram } from '../harness/programs.ts';
import { Hopeless, until } from '../harness/until.ts';

export interface DaemonOptions {
  readonly cpu: number;
  /** One worker on each of these CPUs, instead of one on `cpu`, on which all other threads run. */
  readonly workerCpus?: readonly number[];
  readonly more?: readonly string[];
}

interface ApplyReports {
  readonly reports: readonly { readonly name: string; readonly outcome: string }[];
}

function refuseFailures({ reports }: ApplyReports): void {
  const failed = reports.find((report) => report.outcome === 'failed');
  if (failed) throw new Error(`a wire could not be made: ${JSON.stringify(failed)}`);
}

interface WireState {
  readonly name: string;
  readonly client: { readonly up: boolean };
  readonly endpoint: { readonly up: boolean };
}

export interface WorkerFigures {
  readonly busySeconds: number;
  readonly frames: number;
  readonly bursts: number;
  readonly wakeUps: number;
}

export class Daemon {
  readonly directory: string;
  readonly #metrics: string;
  readonly #options: DaemonOptions;
  readonly #kept: ControlClient;
  #process: Measured | undefined;

  private constructor(directory: string, port: number, options: DaemonOptions) {
    this.directory = directory;
    this.#kept = new ControlClient(join(directory, 'control.sock'));
    this.#metrics = `127.0.0.1:${port}`;
    this.#options = options;
  }

  static async start(options: DaemonOptions): Promise<Daemon> {
    const directory = await mkdtemp(join(tmpdir(), 'crosswire-bench-'));
    const daemon = new Daemon(directory, await freePort(), options);
    try {
      await daemon.launch();
    } catch (error) {
      await daemon.destroy();
      throw error;
    }
    return daemon;
  }

  get process(): Measured {
    if (!this.#process) throw new Error('the daemon is not running');
    return this.#process;
  }

  /** Returns the seconds from the start of the process until it is ready. */
  async launch(): Promise<number> {
    const { cpu, workerCpus = [cpu], more = [] } = this.#options;
    const from = performance.now();
    const daemon = new Measured('crosswire', 'taskset', [
      '--cpu-list',
      String(cpu),
      daemonProgram,
      'run',
      `--state-dir=${join(this.directory, 'state')}`,
      `--control=${join(this.directory, 'control.sock')}`,
      `--metrics=${this.#metrics}`,
      `--worker-cpus=${workerCpus.join()}`,
      '--log-level=warn',
      ...more,
    ]);
    this.#process = daemon;
    account(daemon);
    await until(
      'the daemon is ready',
      async () => {
        if (daemon.ended) throw new Hopeless(daemon.output);
        return (await fetch(`http://${this.#metrics}/readyz`)).ok;
      },
      60,
      5,
    );
    return (performance.now() - from) / 1000;
  }

  /** Opens a new connection each time: a paused daemon cannot close old ones. */
  async control<T>(talk: (client: ControlClient) => Promise<T>): Promise<T> {
    const client = new ControlClient(join(this.directory, 'control.sock'));
    try {
      return await talk(client);
    } finally {
      client.close();
    }
  }

  /** Sends a request over a connection that stays open, like that of a controller. */
  async applyKept(documents: readonly object[]): Promise<void> {
    refuseFailures(await this.#kept.put<ApplyReports>('/v1/wires', { wires: documents }));
  }

  async removeKept(name: string): Promise<void> {
    await this.#kept.delete(`/v1/wires/${encodeURIComponent(name)}`);
  }

  /** Makes wires; rejects unless all of them are made. */
  async apply(documents: readonly object[]): Promise<void> {
    refuseFailures(await this.control((client) => client.put<ApplyReports>('/v1/wires', { wires: documents })));
  }

  async up(name: string): Promise<void> {
    await until(`wire ${name} is up`, async () => {
      const status = await this.control((client) => client.get<WireState>(`/v1/wires/${name}`));
      return status.client.up && status.endpoint.up;
    });
  }

  get metrics(): string {
    return `http://${this.#metrics}/metrics`;
  }

  async scrape(): Promise<string> {
    return (await fetch(this.metrics)).text();
  }

  /** The figures of all workers together. */
  async worker(): Promise<WorkerFigures> {
    const text = await this.scrape();
    const value = (name: string) => {
      const all = text.matchAll(new RegExp(`^crosswire_worker_${name}_total\\{worker="\\d+"\\} (\\S+)$`, 'gm'));
      return [...all].reduce((sum, [, one]) => sum + Number(one), 0);
    };
    return {
      busySeconds: value('busy_seconds'),
      frames: value('frames'),
      bursts: value('bursts'),
      wakeUps: value('wake_ups'),
    };
  }

  /** Stops with SIGTERM, which keeps kernel wires, so that a start can be measured. */
  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  /** Removes every wire, eight at a time. */
  async removeAll(): Promise<void> {
    await this.control(async (client) => {
      const { wires } = await client.get<{ wires: readonly WireState[] }>('/v1/wires');
      const paths = wires.map(({ name }) => `/v1/wires/${encodeURIComponent(name)}`);
      while (paths.length > 0) await Promise.all(paths.splice(-8).map((path) => client.delete(path)));
    });
  }

  /** Removes all wires and the directory. */
  async destroy(): Promise<void> {
    const daemon = this.#process;
    this.#kept.close();
    try {
      daemon?.resume();
      if (daemon && !daemon.ended) await this.removeAll();
    } finally {
      await daemon?.stop();
      await rm(this.directory, { recursive: true, force: true });
    }
  }
}

export interface WireEnds {
  readonly client: object;
  readonly endpoint: object;
}

export function wireDocument(name: string, ends: WireEnds, more: object = {}): object {
  const spec = { payload: 'ethernet', ...more, ...ends };
  return { apiVersion: 'crosswire.dev/v1alpha1', kind: 'Wire', metadata: { name }, spec };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((ready) => server.once('listening', ready));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}
