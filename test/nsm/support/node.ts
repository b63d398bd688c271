// SPDX-License-Identifier: Apache-2.0
// One node: a manager, a forwarder, and the workloads beside them.

import { join } from 'node:path';
import type { Namespace } from '../../support/namespace.ts';
import { type Background, patience } from '../../support/shell.ts';
import { Forwarder } from './forwarder.ts';
import type { Mesh } from './mesh.ts';
import { type Environment, inUrl } from './programs.ts';
import { Workload } from './workload.ts';

export interface EndpointOptions {
  readonly services: readonly string[];
  readonly payload: 'IP' | 'ETHERNET';
  readonly cidr: string;
  readonly environment?: Environment;
  /** Another process in the namespace of an earlier one. */
  readonly where?: Namespace;
}

export interface ClientOptions {
  /** `kernel://service/interface`. */
  readonly services: readonly string[];
  readonly environment?: Environment;
  readonly where?: Namespace;
}

export class Node {
  readonly mesh: Mesh;
  readonly name: string;
  readonly namespace: Namespace;
  readonly address: string;
  /** URL of the manager for workloads and the forwarder. */
  readonly managerUrl: string;
  manager!: Background;
  forwarder!: Forwarder;

  constructor(mesh: Mesh, name: string, namespace: Namespace, address: string) {
    this.mesh = mesh;
    this.name = name;
    this.namespace = namespace;
    this.address = address;
    this.managerUrl = `unix://${join(mesh.directory, `${name}.nsm.io.sock`)}`;
  }

  /** Also after a kill. */
  async startManager(): Promise<void> {
    const { mesh, managerUrl, address } = this;
    this.manager = await mesh.peer('cmd-nsmgr', `nsmgr-${this.name}`, this.namespace, {
      NSM_NAME: `nsmgr-${this.name}`,
      NSM_LISTEN_ON: `${managerUrl},tcp://${inUrl(address)}:5001`,
      NSM_REGISTRY_URL: mesh.registry.url,
      NSM_DIAL_TIMEOUT: mesh.dialTimeout,
    });
    await this.manager.says('Startup completed');
  }

  /** Resolves when registered. */
  async startForwarder(name = `forwarder-${this.name}`, environment: Environment = {}): Promise<Forwarder> {
    this.forwarder = new Forwarder(this, name, environment);
    await this.forwarder.launch();
    await this.mesh.registry.has(name).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.forwarder.process.output.slice(-4000)}`);
    });
    return this.forwarder;
  }

  /** Resolves when registered. */
  async startEndpoint(name: string, options: EndpointOptions): Promise<Workload> {
    const where = options.where ?? (await this.mesh.namespace('nse'));
    const process = await this.mesh.peer('cmd-nse-icmp-responder', name, where, {
      NSM_NAME: name,
      NSM_CONNECT_TO: this.managerUrl,
      NSM_SERVICE_NAMES: options.services.join(','),
      NSM_PAYLOAD: options.payload,
      NSM_CIDR_PREFIX: options.cidr,
      NSM_REGISTER_SERVICE: String(this.mesh.firstToOffer(options.services)),
      ...options.environment,
    });
    await process.says('startup completed');
    return new Workload(name, where, process);
  }

  /** Resolves when started, perhaps not yet connected. */
  async launchClient(name: string, options: ClientOptions): Promise<Workload> {
    const where = options.where ?? (await this.mesh.namespace('nsc'));
    const environment = {
      NSM_NAME: name,
      NSM_CONNECT_TO: this.managerUrl,
      NSM_NETWORK_SERVICES: options.services.join(','),
      NSM_LOCAL_DNS_SERVER_ENABLED: 'false',
      NSM_REQUEST_TIMEOUT: `${15 * patience}s`,
      NSM_LIVENESS_CHECK_TIMEOUT: `${patience}s`,
      ...options.environment,
    };
    // nsc may rewrite /etc/resolv.conf: in its own mount namespace that is a scratch file.
    const scratch = join(this.mesh.directory, `${name}.resolv.conf`);
    const hide = `: >${scratch}; mount --bind ${scratch} /etc/resolv.conf; exec "$@"`;
    const wrap = ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', hide, 'nsc'];
    return new Workload(name, where, await this.mesh.peer('cmd-nsc', name, where, environment, wrap));
  }

  /** Resolves when connected to all its services. */
  async startClient(name: string, options: ClientOptions): Promise<Workload> {
    const client = await this.launchClient(name, options);
    await client.connected(options.services.length);
    return client;
  }
}
