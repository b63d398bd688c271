// SPDX-License-Identifier: Apache-2.0
// cmd-registry-memory, and queries of its entries.

import { join } from 'node:path';
import type { Client } from '@grpc/grpc-js';
import {
  NetworkServiceEndpoint,
  NetworkServiceEndpointQuery,
  NetworkServiceEndpointRegistryService,
  type NetworkServiceEndpointResponse,
} from '../../../src/nsm/generated/registry.ts';
import type { Namespace } from '../../support/namespace.ts';
import { type Background, eventually } from '../../support/shell.ts';
import { plainClient } from './plain-client.ts';
import type { Mesh } from './mesh.ts';

export class Registry {
  /** For managers. */
  readonly url: string;
  process!: Background;
  readonly #client: Client;

  private constructor(address: string, client: Client) {
    this.url = `tcp://${address}`;
    this.#client = client;
  }

  static async start(mesh: Mesh, where: Namespace, address: string): Promise<Registry> {
    const socket = join(mesh.directory, 'registry.sock');
    const registry = new Registry(
      address,
      plainClient(mesh, await mesh.authority.issue('observer'), `unix://${socket}`),
    );
    registry.process = await mesh.peer('cmd-registry-memory', 'registry', where, {
      NSM_LISTEN_ON: `unix://${socket},${registry.url}`,
    });
    await registry.process.says('Startup completed');
    return registry;
  }

  /** Endpoints registered now, those of a service or of a name. */
  find(wanted: { service?: string; name?: string }): Promise<NetworkServiceEndpoint[]> {
    const { find } = NetworkServiceEndpointRegistryService;
    const query = NetworkServiceEndpointQuery.fromPartial({
      networkServiceEndpoint: { name: wanted.name ?? '', networkServiceNames: wanted.service ? [wanted.service] : [] },
    });
    const options = { deadline: Date.now() + 10_000 };
    const found: NetworkServiceEndpoint[] = [];
    return new Promise((resolve, reject) => {
      this.#client
        .makeServerStreamRequest(find.path, find.requestSerialize, find.responseDeserialize, query, options)
        .on('data', ({ networkServiceEndpoint }: NetworkServiceEndpointResponse) =>
          found.push(networkServiceEndpoint ?? NetworkServiceEndpoint.create()),
        )
        .on('error', reject)
        .on('end', () => resolve(found));
    });
  }

  /** Waits until an endpoint of that name is registered. */
  async has(name: string, milliseconds?: number): Promise<NetworkServiceEndpoint> {
    return eventually(`${name} is registered`, async () => (await this.find({ name }))[0], milliseconds);
  }
}
