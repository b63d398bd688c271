// SPDX-License-Identifier: Apache-2.0
//   node 1 (namespace): registry, manager, forwarder      node 2 (namespace): manager, forwarder
//     └──────────────── veth, 10.99.0.1/24 … 10.99.0.2/24 ────────────────┘
//   each client and endpoint: a namespace of its own, beside the nodes'; its node's manager by unix socket

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Namespace } from '../../support/namespace.ts';
import type { Background } from '../../support/shell.ts';
import { type MeshAuthority, StubAuthority } from './mesh-authority.ts';
import { Node } from './node.ts';
import { dialTimeout, type Environment, inUrl, startPeer } from './programs.ts';
import { Registry } from './registry.ts';
import { Spire } from './spire.ts';

export interface MeshOptions {
  /** Underlay addresses, one for each node; without: one node that has only its loopback. */
  readonly addresses?: readonly [string, string];
  /** NSM_DIAL_TIMEOUT of managers and forwarders. */
  readonly dialTimeout?: string;
  /** Seconds that SVIDs of SPIRE live, by name of the program; an hour otherwise. */
  readonly svidSeconds?: Readonly<Record<string, number>>;
}

export class Mesh {
  readonly directory: string;
  readonly dialTimeout: string;
  readonly nodes: Node[] = [];
  authority!: MeshAuthority;
  registry!: Registry;
  readonly #services = new Set<string>();
  readonly #namespaces = new Set<Namespace>();
  readonly #releases: (() => Promise<void>)[] = [];

  private constructor(directory: string, options: MeshOptions) {
    this.directory = directory;
    this.dialTimeout = options.dialTimeout ?? dialTimeout;
  }

  /** Resolves when registry and managers run; on failure nothing is left. */
  static async start(options: MeshOptions = {}): Promise<Mesh> {
    const directory = await mkdtemp(join(tmpdir(), 'crosswire-nsm-'));
    const mesh = new Mesh(directory, options);
    try {
      await mesh.#start(options);
    } catch (error) {
      await mesh.remove();
      throw error;
    }
    return mesh;
  }

  get node(): Node {
    return this.nodes[0] as Node;
  }

  /** For scenarios that need SPIRE. */
  get spire(): Spire {
    if (this.authority instanceof Spire) return this.authority;
    throw new Error('the identities of this mesh are not from SPIRE');
  }

  /** Called by remove(), last first. */
  onRemove(release: () => Promise<void>): void {
    this.#releases.push(release);
  }

  async namespace(label: string): Promise<Namespace> {
    const namespace = await Namespace.make(label);
    this.#namespaces.add(namespace);
    this.onRemove(() => this.removeNamespace(namespace));
    return namespace;
  }

  /** Removes what is left of a deleted pod, before the mesh itself is removed. */
  async removeNamespace(namespace: Namespace): Promise<void> {
    if (this.#namespaces.delete(namespace)) await namespace.remove();
  }

  /** A service belongs to the identity that registered it first (policy registry/client_allowed). */
  firstToOffer(services: readonly string[]): boolean {
    const first = services.every((service) => !this.#services.has(service));
    for (const service of services) this.#services.add(service);
    return first;
  }

  async peer(
    program: string,
    name: string,
    where: Namespace,
    environment: Environment,
    wrap: readonly string[] = [],
  ): Promise<Background> {
    const directory = join(this.directory, name);
    await mkdir(directory, { recursive: true });
    const self = await this.authority.program(name);
    const peer = startPeer(program, where, directory, { ...self.environment, ...environment }, [...self.wrap, ...wrap]);
    this.onRemove(() => peer.stop('SIGKILL'));
    return peer;
  }

  /** Ends every program, removes every namespace and the directory. */
  async remove(): Promise<void> {
    for (const release of this.#releases.toReversed()) await release();
    await rm(this.directory, { recursive: true, force: true });
  }

  async #start({ addresses, svidSeconds }: MeshOptions): Promise<void> {
    const all = addresses ?? ['127.0.0.1'];
    const namespaces: Namespace[] = [];
    for (const index of all.keys()) namespaces.push(await this.namespace(`node${index + 1}`));
    const [first, second] = namespaces as [Namespace, Namespace | undefined];
    if (addresses && second) await joinByVeth(first, second, addresses);
    this.authority = Spire.isBuilt()
      ? await Spire.start(join(this.directory, 'spire'), first, svidSeconds)
      : await StubAuthority.start(this.directory);
    this.onRemove(() => this.authority.close());
    this.registry = await Registry.start(this, first, `${inUrl(all[0] as string)}:5002`);
    for (const [index, address] of all.entries()) {
      const node = new Node(this, `node${index + 1}`, namespaces[index] as Namespace, address);
      await node.startManager();
      this.nodes.push(node);
    }
  }
}

async function joinByVeth(first: Namespace, second: Namespace, addresses: readonly [string, string]): Promise<void> {
  await first.run('ip', 'link', 'add', 'uplink', 'type', 'veth', 'peer', 'name', 'uplink', 'netns', second.name);
  for (const [index, namespace] of [first, second].entries()) {
    const address = addresses[index] as string;
    const isIPv6 = address.includes(':');
    const own = isIPv6 ? [`${address}/64`, 'nodad'] : [`${address}/24`];
    await namespace.run('ip', 'address', 'add', ...own, 'dev', 'uplink');
    await namespace.run('ip', 'link', 'set', 'uplink', 'up');
    // Both the forwarder and the manager may look for the default route's interface.
    await namespace.run('ip', isIPv6 ? '-6' : '-4', 'route', 'add', 'default', 'dev', 'uplink');
  }
}
