// SPDX-License-Identifier: Apache-2.0
// A real daemon, started like a user starts it: bin/crosswire, with its own state directory.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { askInside } from './ask-inside.ts';
import type { Namespace } from './namespace.ts';
import { Background, eventually, type Outcome } from './shell.ts';
import { command, verb } from './verbs.ts';

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((ready) => server.once('listening', ready));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

export class Daemon {
  readonly directory: string;
  readonly control: string;
  readonly metricsAddress: string;
  readonly extra: string[];
  readonly #home: Namespace | undefined;
  process: Background | undefined;

  private constructor(directory: string, port: number, extra: string[], home?: Namespace) {
    this.#home = home;
    this.directory = directory;
    this.control = join(directory, 'control.sock');
    this.metricsAddress = `127.0.0.1:${port}`;
    this.extra = extra;
  }

  static async start(...extra: string[]): Promise<Daemon> {
    const directory = await mkdtemp(join(tmpdir(), 'crosswire-test-'));
    // A daemon removes the orphans of its node: tests beside each other are different nodes.
    const daemon = new Daemon(directory, await freePort(), [...extra, '--node', basename(directory)]);
    await daemon.launch();
    return daemon;
  }

  /** Starts the daemon in a namespace that stands for a node and gives the node its name. */
  static async startInside(home: Namespace, ...extra: string[]): Promise<Daemon> {
    const directory = await mkdtemp(join(tmpdir(), 'crosswire-test-'));
    const daemon = new Daemon(directory, await freePort(), [...extra, '--node', home.name], home);
    await daemon.launch();
    return daemon;
  }

  get arguments(): string[] {
    const { directory, control, metricsAddress, extra } = this;
    return [
      'run',
      '--state-dir',
      join(directory, 'state'),
      '--control',
      control,
      '--metrics',
      metricsAddress,
      ...extra,
    ];
  }

  async launch(): Promise<void> {
    const [program, args] = this.#home?.inside(command, ...this.arguments) ?? [command, this.arguments];
    const process = new Background(program, args);
    this.process = process;
    try {
      if (this.#home) return await process.says(/"msg":"ready"/); // polling inside the namespace would start a program each time
      await eventually('the daemon is ready', async () => {
        if (process.child.exitCode !== null) throw new Error(process.output);
        return (await this.#get('/readyz')) !== undefined;
      });
    } catch (error) {
      await process.stop('SIGKILL'); // otherwise the test's own process would not end
      throw error;
    }
  }

  /** Runs a client verb against this daemon. */
  async cli(...args: string[]): Promise<Outcome> {
    return verb(...args, '--control', this.control);
  }

  async apply(documents: string): Promise<Outcome> {
    const file = join(this.directory, 'wires.yaml');
    await writeFile(file, documents);
    return this.cli('apply', '-f', file, '-o', 'json');
  }

  /** Applies the documents; rejects unless all wires are made. */
  async mustApply(documents: string): Promise<void> {
    const { code, stdout, stderr } = await this.apply(documents);
    if (code !== 0) throw new Error(`apply exited ${code}: ${stderr}${stdout}\n${this.process?.output ?? ''}`);
  }

  async describe(wire: string): Promise<Record<string, unknown>> {
    const { code, stdout, stderr } = await this.cli('describe', 'wire', wire, '-o', 'json');
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  /** Waits until the wire carries frames: both ends up. */
  async up(wire: string): Promise<void> {
    await eventually(`wire ${wire} is up`, async () => {
      const status = (await this.describe(wire)) as { client: { up: boolean }; endpoint: { up: boolean } };
      return status.client.up && status.endpoint.up;
    });
  }

  async metrics(): Promise<Metrics> {
    return new Metrics((await this.#get('/metrics')) ?? '');
  }

  /** Returns the body if the status is 200. */
  async #get(path: string): Promise<string | undefined> {
    if (this.#home) return askInside(this.#home, this.metricsAddress, path);
    const answer = await fetch(`http://${this.metricsAddress}${path}`);
    return answer.ok ? answer.text() : undefined;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.process?.stop(signal);
  }

  /** Ends the daemon and removes its wires and its directory. */
  async destroy(): Promise<void> {
    if (this.process && this.process.child.exitCode === null && this.process.child.signalCode === null) {
      const wires = JSON.parse((await this.cli('get', 'wires', '-o', 'json')).stdout || '[]') as { name: string }[];
      if (wires.length > 0) await this.cli('delete', ...wires.map((wire) => wire.name));
      await this.stop();
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A parsed text exposition. */
export class Metrics {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }

  /** The sum of the samples of that name that have all the given labels. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): bigint {
    let total = 0n;
    for (const line of this.text.split('\n')) {
      const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
      if (match?.[1] !== name) continue;
      const all = match[2] ?? '';
      if (Object.entries(labels).every(([key, value]) => `,${all}`.includes(`,${key}="${value}"`)))
        total += BigInt(match[3] as string);
    }
    return total;
  }

  /** rx of an end − tx of the other end − Σ drops of the end: must be 0. */
  unaccounted(wire: string, from: 'client' | 'endpoint'): bigint {
    const to = from === 'client' ? 'endpoint' : 'client';
    return (
      this.sum('crosswire_wire_rx_packets_total', { wire, end: from }) -
      this.sum('crosswire_wire_tx_packets_total', { wire, end: to }) -
      this.sum('crosswire_wire_drops_total', { wire, end: from })
    );
  }
}
