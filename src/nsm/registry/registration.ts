// SPDX-License-Identifier: Apache-2.0
// Keeps us registered: the entry is refreshed at two thirds of its life, and at once when the manager is gone, which the end of
// a watch stream tells. Managers drop an entry early, by the time that the registering call might have taken (sdk,
// registry/common/expire).

import { setTimeout as sleep } from 'node:timers/promises';
import { Metadata } from '@grpc/grpc-js';
import type { NextHop } from '../../grpc/calls.ts';
import { metadataKey } from '../../grpc/metadata-key.ts';
import { CrosswireError } from '../../model/error.ts';
import type { RegistryPolicy } from '../../model/registry-policy.ts';
import { checkRegistryPolicies } from '../../spiffe/tokens/policies.ts';
import {
  NetworkServiceEndpoint,
  NetworkServiceEndpointQuery,
  NetworkServiceEndpointRegistryService,
} from '../generated/registry.ts';

export interface RegistrationSettings {
  readonly name: string;
  /** The service under which forwarders are found: `forwarder`. */
  readonly service: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The socket file that we listen on, or `tcp://…`. */
  readonly listenUrl: string;
  /** Policies that the answer must pass. */
  readonly registryPolicies: readonly RegistryPolicy[];
}

export interface RegistrationParts {
  /** The connection to the manager; a new one after the last was closed. */
  readonly manager: (signal: AbortSignal) => Promise<NextHop>;
  readonly onRegistered: (answer: NetworkServiceEndpoint) => void;
  readonly onFailed: (error: unknown) => void;
}

/** Between attempts, as in NSM's own programs. */
const retryMilliseconds = 200;
const longestAttempt = 15_000;
/** Where the answer has no expiry: the managers' default of a minute. */
const usualLife = 60_000;

export class Registration {
  readonly #settings: RegistrationSettings;
  readonly #parts: RegistrationParts;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(settings: RegistrationSettings, parts: RegistrationParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  start(): void {
    this.#running ??= this.#keep();
  }

  /** The entry is left to expire, as with NSM's forwarders. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const attempt = AbortSignal.any([signal, AbortSignal.timeout(longestAttempt)]);
        const manager = await this.#parts.manager(attempt);
        const longest = longestCall(manager);
        const answer = await this.#register(manager, attempt, longest);
        this.#parts.onRegistered(answer);
        await this.#untilDue(manager, answer, longest);
      } catch (error) {
        if (signal.aborted) return;
        this.#parts.onFailed(error);
        await sleep(retryMilliseconds, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #register(manager: NextHop, signal: AbortSignal, longest: number): Promise<NetworkServiceEndpoint> {
    const { name, service, labels, registryPolicies } = this.#settings;
    const metadata = new Metadata();
    metadata.set(metadataKey.path, '{"Index":0,"PathSegments":null}');
    const endpoint = NetworkServiceEndpoint.fromPartial({
      name,
      networkServiceNames: [service],
      networkServiceLabels: { [service]: { labels } },
      url: await this.#urlFor(manager),
    });
    const deadline = new Date(Date.now() + longest);
    const { response, headers } = await manager.unary(NetworkServiceEndpointRegistryService.register, endpoint, {
      signal,
      deadline,
      metadata,
    });
    await checkRegistryPolicies(pathIn(headers), manager.peer.certificate, registryPolicies);
    return response;
  }

  /** Over a unix socket our own socket is sent as a descriptor, so the manager reaches it in any mount namespace. */
  async #urlFor({ peer }: NextHop): Promise<string> {
    const { listenUrl } = this.#settings;
    if (!listenUrl.startsWith('unix:') || !peer.descriptors) return listenUrl;
    return peer.descriptors.send(listenUrl.replace(/^unix:(\/\/)?/, ''));
  }

  /** Returns when it is time to refresh; rejects when the manager is gone. */
  async #untilDue(manager: NextHop, { name, expirationTime }: NetworkServiceEndpoint, longest: number): Promise<void> {
    const life = (expirationTime ? expirationTime.getTime() - Date.now() : usualLife) - longest;
    const done = new AbortController();
    const due = sleep(Math.max(retryMilliseconds, (life * 2) / 3), undefined, {
      signal: AbortSignal.any([this.#stopping.signal, done.signal]),
    });
    try {
      await Promise.race([due, this.#watch(manager, name, done.signal)]);
    } finally {
      done.abort();
      due.catch(() => {});
    }
  }

  async #watch(manager: NextHop, name: string, signal: AbortSignal): Promise<never> {
    const query = NetworkServiceEndpointQuery.fromPartial({ networkServiceEndpoint: { name }, watch: true });
    const answers = manager.stream(NetworkServiceEndpointRegistryService.find, query, { signal });
    for await (const { networkServiceEndpoint: entry, deleted } of answers)
      if (deleted && entry?.name === name) throw lost('the manager removed the entry');
    throw lost('the manager ended the watch');
  }
}

/** An entry never outlives the certificate of the connection that registered it. */
function longestCall({ peer }: NextHop): number {
  return Math.min(longestAttempt, (peer.self.notAfter.getTime() - Date.now()) / 4);
}

/** The path in the header of a registry's answer (sdk, registry/common/grpcmetadata); empty where it cannot be read. */
function pathIn(headers: Metadata): { token: string }[] {
  try {
    const { PathSegments: segments } = JSON.parse(String(headers.get(metadataKey.path)[0])) as {
      readonly PathSegments?: unknown;
    };
    return Array.isArray(segments) ? segments.map((one: { token?: unknown }) => ({ token: String(one.token) })) : [];
  } catch {
    return [];
  }
}

function lost(reason: string): CrosswireError {
  return new CrosswireError({
    code: 'REGISTRATION_LOST',
    operation: 'stay registered at the manager',
    subject: '',
    reason,
    hint: 'it is registered again at once',
  });
}
