// SPDX-License-Identifier: Apache-2.0
// Crosswire as an operator deploys it in place of cmd-forwarder-vpp: bin/crosswire run in the namespace of its node, configured
// by the same environment variables.

import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { askInside } from '../../support/ask-inside.ts';
import { Metrics } from '../../support/daemon.ts';
import { Background, eventually } from '../../support/shell.ts';
import { command, verb } from '../../support/verbs.ts';
import type { ProgramIdentity } from './mesh-authority.ts';
import type { Node } from './node.ts';
import type { Environment } from './programs.ts';

const metricsAddress = '127.0.0.1:9750';

export interface WireView {
  readonly name: string;
  readonly phase: string;
  readonly path: string;
}

export class Forwarder {
  readonly name: string;
  readonly listenUrl: string;
  readonly control: string;
  readonly #node: Node;
  readonly #environment: Environment;
  readonly #state: string;
  process!: Background;

  constructor(node: Node, name: string, environment: Environment) {
    const { directory } = node.mesh;
    this.name = name;
    this.#node = node;
    this.#environment = environment;
    // One for the node, not for the pod: a forwarder with another name finds what the previous one left.
    this.#state = join(directory, `${node.name}.state`);
    this.control = join(directory, `${node.name}.control.sock`);
    this.listenUrl = `unix://${join(directory, `${name}.sock`)}`;
  }

  async launch(identity?: ProgramIdentity): Promise<void> {
    const { mesh, namespace, name, managerUrl, address } = this.#node;
    const self = identity ?? (await mesh.authority.program(this.name));
    const [program, args] = namespace.inside('env', ...self.wrap, command, 'run');
    const environment = {
      PATH: process.env['PATH'] ?? '',
      CROSSWIRE_STATE_DIR: this.#state,
      CROSSWIRE_CONTROL: this.control,
      CROSSWIRE_METRICS: metricsAddress,
      CROSSWIRE_NODE: `${name}-${basename(mesh.directory)}`,
      NSM_NAME: this.name,
      NSM_CONNECT_TO: managerUrl,
      NSM_LISTEN_ON: this.listenUrl,
      NSM_TUNNEL_IP: address,
      NSM_DIAL_TIMEOUT: mesh.dialTimeout,
      ...self.environment,
      ...this.#environment,
    };
    const started = new Background(program, args, { env: environment });
    this.process = started;
    mesh.onRemove(() => started.stop('SIGKILL'));
    const answers = async () => {
      if (started.child.exitCode !== null) throw new Error(started.output);
      return (await this.cli('get', 'wires', '-o', 'json')).code === 0;
    };
    // Two forwarders that start at once on two busy CPUs exceed the usual limit.
    await eventually('the forwarder answers', answers, 60_000);
  }

  async cli(...args: string[]) {
    return verb(...args, '--control', this.control);
  }

  async wires(): Promise<readonly WireView[]> {
    const { code, stdout, stderr } = await this.cli('get', 'wires', '-o', 'json');
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as WireView[];
  }

  /** Its metrics, scraped inside its namespace. */
  async metrics(): Promise<string> {
    return (await askInside(this.#node.namespace, metricsAddress, '/metrics')) ?? '';
  }

  /** Number of answered Requests. */
  async answers(): Promise<bigint> {
    return new Metrics(await this.metrics()).sum('crosswire_nsm_calls_total', { call: 'request' });
  }

  /** Number of answered Requests with any other outcome. */
  async answersBut(outcome: string): Promise<bigint> {
    const metrics = new Metrics(await this.metrics());
    const total = (labels: Record<string, string>) => metrics.sum('crosswire_nsm_calls_total', labels);
    return total({ call: 'request' }) - total({ call: 'request', outcome });
  }

  /** Number of open descriptors. */
  async descriptors(): Promise<number> {
    return (await readdir(`/proc/${this.process.child.pid}/fd`)).length;
  }

  async residentMegabytes(): Promise<number> {
    const text = await readFile(`/proc/${this.process.child.pid}/status`, 'utf8');
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024);
  }

  /** CPU time of all its threads, in user and kernel mode (proc_pid_stat(5), fields 14 and 15; USER_HZ is 100). */
  async cpuMilliseconds(): Promise<number> {
    const text = await readFile(`/proc/${this.process.child.pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return 10 * (Number(fields[11]) + Number(fields[12]));
  }

  async stop(signal?: NodeJS.Signals): Promise<void> {
    await this.process.stop(signal);
  }
}
