// SPDX-License-Identifier: Apache-2.0
// Asks the manager for the endpoints of a connection. The url of a local endpoint is `inode://…`, and the descriptor of its
// socket comes over the same unix socket as the answer.

import type { NextHop } from '../../grpc/calls.ts';
import type { HeldFile } from '../../grpc/unix-sockets.ts';
import { CrosswireError } from '../../model/error.ts';
import type { Connection } from '../generated/connection.ts';
import {
  NetworkService,
  NetworkServiceEndpoint,
  NetworkServiceEndpointQuery,
  NetworkServiceEndpointRegistryService,
  NetworkServiceQuery,
  NetworkServiceRegistryService,
} from '../generated/registry.ts';
import { isInodeUrl } from '../inode-url.ts';
import { type Candidate, candidatesFor } from './match.ts';
import type { Rotation } from './rotation.ts';

/** An endless answer of a registry is cut off. */
const mostAnswers = 10_000;

export interface Found {
  readonly name: string;
  /** `unix:///proc/self/fd/N` for one on this node, else as registered. */
  readonly url: string;
  /** Stays the same for the life of the endpoint's socket. */
  readonly identity: string;
  /** The socket file; the owner of this object closes it. */
  readonly file?: HeldFile;
}

export interface Discovered {
  readonly payload: string;
  /** In the order in which they are to be tried. */
  readonly candidates: readonly Candidate[];
}

export class Discovery {
  readonly #manager: NextHop;
  readonly #rotation: Rotation;

  constructor(manager: NextHop, rotation: Rotation) {
    this.#manager = manager;
    this.#rotation = rotation;
  }

  /** Rejects with ENDPOINT_UNKNOWN or SERVICE_UNKNOWN. */
  async discover(connection: Connection, signal: AbortSignal): Promise<Discovered> {
    const { networkService: name, networkServiceEndpointName: endpointName, labels } = connection;
    if (endpointName) {
      const endpoints = await this.#findEndpoints({ name: endpointName }, signal);
      const endpoint = endpoints.find((one) => one.name === endpointName);
      if (!endpoint) throw unknown('ENDPOINT_UNKNOWN', `endpoint ${endpointName}`, 'it is not registered, or expired');
      return { payload: connection.payload, candidates: [{ endpoint, weight: 1 }] };
    }
    const service = await this.#findService(name, signal);
    const endpoints = await this.#findEndpoints({ networkServiceNames: [name] }, signal);
    const candidates = candidatesFor(service, endpoints, labels);
    if (candidates.length === 0)
      throw unknown(
        'ENDPOINT_UNKNOWN',
        `service ${name}`,
        `none of its ${endpoints.length} endpoints matches the connection's labels`,
      );
    return { payload: service.payload || 'IP', candidates: this.#rotation.order(name, candidates) };
  }

  /** Waits for the descriptor of a local endpoint's socket. */
  async reach({ name, url }: NetworkServiceEndpoint, signal: AbortSignal): Promise<Found> {
    const { descriptors } = this.#manager.peer;
    if (!isInodeUrl(url) || !descriptors) return { name, url, identity: url };
    const file = await descriptors.receive(url, signal);
    return { name, url: `unix://${file.path}`, identity: url, file };
  }

  async #findService(name: string, signal: AbortSignal): Promise<NetworkService> {
    const query = NetworkServiceQuery.fromPartial({ networkService: { name } });
    const answers = this.#manager.stream(NetworkServiceRegistryService.find, query, { signal });
    for await (const { networkService: service } of bounded(answers)) if (service?.name === name) return service;
    throw unknown('SERVICE_UNKNOWN', `service ${name}`, 'it is not registered');
  }

  async #findEndpoints(
    like: Partial<NetworkServiceEndpoint>,
    signal: AbortSignal,
  ): Promise<readonly NetworkServiceEndpoint[]> {
    const query = NetworkServiceEndpointQuery.fromPartial({ networkServiceEndpoint: like });
    const found: NetworkServiceEndpoint[] = [];
    const answers = this.#manager.stream(NetworkServiceEndpointRegistryService.find, query, { signal });
    for await (const { networkServiceEndpoint: endpoint, deleted } of bounded(answers))
      if (endpoint && !deleted && !isExpired(endpoint)) found.push(endpoint);
    return found;
  }
}

function isExpired({ expirationTime }: NetworkServiceEndpoint): boolean {
  return expirationTime !== undefined && expirationTime.getTime() <= Date.now();
}

async function* bounded<T>(answers: AsyncIterable<T>): AsyncGenerator<T> {
  let count = 0;
  for await (const answer of answers) {
    if (++count > mostAnswers) return;
    yield answer;
  }
}

function unknown(code: 'SERVICE_UNKNOWN' | 'ENDPOINT_UNKNOWN', subject: string, reason: string): CrosswireError {
  return new CrosswireError({
    code,
    operation: 'find an endpoint at the manager',
    subject,
    reason,
    hint: 'the manager is asked again with the next Request',
  });
}
