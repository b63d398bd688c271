// SPDX-License-Identifier: Apache-2.0
// A mesh on one machine, made of this project's programs only: `crosswire manager` STANDS IN for NSM's manager and registry.
//   client (namespace) ── wire ── endpoint (namespace)       forwarder and manager beside them

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { TestAuthority } from '../nsm/support/authority.ts';
import { freePort, Metrics } from './daemon.ts';
import { Namespace } from './namespace.ts';
import { Background, eventually, patience } from './shell.ts';
import { command, verb } from './verbs.ts';

/** The output of `crosswire request -o json`. */
export interface Answer {
  readonly endpoint: string;
  readonly payload: string;
  readonly interface: string;
  readonly socket?: string;
  readonly clientAddresses: readonly string[];
  readonly endpointAddresses: readonly string[];
  readonly path: readonly string[];
}

export interface Client {
  readonly answer: Answer;
  readonly process: Background;
}

export class LocalMesh {
  readonly #directory: string;
  readonly authority: TestAuthority;
  readonly #port: number;
  readonly #releases: (() => Promise<void>)[] = [];
  forwarder!: Background;
  /** Additional environment of every program that is started from now on. */
  environment: Readonly<Record<string, string>> = {};

  private constructor(directory: string, authority: TestAuthority, port: number) {
    this.#directory = directory;
    this.authority = authority;
    this.#port = port;
  }

  /** Resolves when the manager serves and the forwarder is registered. */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<LocalMesh> {
    const directory = await mkdtemp(join(tmpdir(), 'crosswire-mesh-'));
    const mesh = new LocalMesh(directory, await TestAuthority.create(), await freePort());
    mesh.environment = environment;
    mesh.onRemove(() => rm(directory, { recursive: true, force: true }));
    try {
      await (await mesh.#start('manager', ['manager'])).says('serving');
      await mesh.startForwarder();
    } catch (error) {
      await mesh.remove();
      throw error;
    }
    return mesh;
  }

  get managerUrl(): string {
    return `unix://${join(this.#directory, 'manager.sock')}`;
  }

  /** Adds a release that remove() calls, in reverse order. */
  onRemove(release: () => Promise<void>): void {
    this.#releases.push(release);
  }

  /** Starts the forwarder, for the first time or after it was killed. */
  async startForwarder(): Promise<void> {
    const at = (name: string) => join(this.#directory, name);
    const node = basename(this.#directory);
    const options = ['--node', node, '--state-dir', at('state'), '--control', at('control.sock'), '--remove-on-exit'];
    this.forwarder = await this.#start('forwarder', ['run', ...options, '--metrics', `127.0.0.1:${this.#port}`]);
    await this.forwarder.says('"registered"');
  }

  async namespace(label: string): Promise<Namespace> {
    const namespace = await Namespace.make(label);
    this.onRemove(() => namespace.remove());
    return namespace;
  }

  /** Starts an endpoint; resolves when it is registered. */
  async endpoint(url: string, where: Namespace, ...options: string[]): Promise<Background> {
    const endpoint = await this.#start('endpoint', ['endpoint', url, '--netns', where.path, ...options]);
    await endpoint.says('serving');
    return endpoint;
  }

  /** Starts a client; resolves when it is connected. */
  async client(url: string, where: Namespace, ...options: string[]): Promise<Client> {
    const process = await this.#start('client', ['request', url, '--netns', where.path, '-o', 'json', ...options]);
    await process.says(/^}$/m);
    return { answer: JSON.parse(process.output.replace(/}\n[\s\S]*/, '}')) as Answer, process };
  }

  async wires(): Promise<readonly { name: string; phase: string; path: string }[]> {
    return this.get('wires');
  }

  /** The output of `crosswire get WHAT -o json`. */
  async get<T>(what: string): Promise<T> {
    const control = join(this.#directory, 'control.sock');
    const { stdout } = await verb('get', what, '-o', 'json', '--control', control);
    return JSON.parse(stdout) as T;
  }

  async metrics(): Promise<Metrics> {
    return new Metrics(await (await fetch(`http://127.0.0.1:${this.#port}/metrics`)).text());
  }

  /** Resolves when no frames move and every frame that entered the wire was delivered, or dropped with a reason. */
  async accounted(wire: string): Promise<Metrics> {
    return eventually(`every frame of ${wire} is accounted for`, async () => {
      const metrics = await this.metrics();
      const rest = [metrics.unaccounted(wire, 'client'), metrics.unaccounted(wire, 'endpoint')];
      return rest.every((frames) => frames === 0n) && metrics;
    });
  }

  /** Ends all programs in reverse order, and removes the namespaces and the directory. */
  async remove(): Promise<void> {
    for (const release of this.#releases.splice(0).toReversed()) await release();
  }

  /** Starts a program as an operator does: its name in the environment, its identity in files. */
  async #start(name: string, args: readonly string[]): Promise<Background> {
    const at = (suffix: string) => join(this.#directory, `${name}.${suffix}`);
    const { certificates, privateKey } = await this.authority.issue(name);
    await writeFile(at('pem'), certificates);
    await writeFile(at('key'), privateKey);
    await writeFile(at('bundle'), this.authority.bundle);
    const env = {
      PATH: process.env['PATH'] ?? '',
      TMPDIR: this.#directory,
      CROSSWIRE_TLS_CERTIFICATE: at('pem'),
      CROSSWIRE_TLS_KEY: at('key'),
      CROSSWIRE_TLS_BUNDLE: at('bundle'),
      NSM_NAME: name,
      NSM_LISTEN_ON: `unix://${at('sock')}`,
      ...(name === 'manager' ? {} : { NSM_CONNECT_TO: this.managerUrl }),
      NSM_DIAL_TIMEOUT: `${750 * patience}ms`,
      ...this.environment,
    };
    const started = new Background(command, args, { env });
    this.onRemove(() => started.stop());
    return started;
  }
}
