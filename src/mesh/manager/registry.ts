// SPDX-License-Identifier: Apache-2.0
// What is registered: services, and endpoints for as long as they say that they are there. The match rules of a query
// are those of NSM's registries (sdk, pkg/registry/utils/matchutils).

import { CrosswireError } from '../../model/error.ts';
import type { NetworkService, NetworkServiceEndpoint } from '../../nsm/generated/registry.ts';
import { Timeouts } from '../../nsm/chain/timeout.ts';
import type { HeldFile } from '../../grpc/unix-sockets.ts';

export interface EndpointEntry {
  readonly endpoint: NetworkServiceEndpoint;
  /** SPIFFE ID of who registered it. */
  readonly owner: string;
  /** Of its socket, where it is on this node. */
  readonly file?: HeldFile;
}

type Watcher = (entry: EndpointEntry, deleted: boolean) => void;

/** One identity may register anything: there is an end to it. */
const mostEntries = 10_000;

export class LocalRegistry {
  readonly #services = new Map<string, { service: NetworkService; owner: string }>();
  readonly #endpoints = new Map<string, EndpointEntry>();
  readonly #watchers = new Set<Watcher>();
  readonly #timeouts = new Timeouts((name) => this.#remove(name));

  /** Throws NAME_OF_ANOTHER. */
  registerService(service: NetworkService, owner: string): NetworkService {
    mustOwn(service.name, this.#services.get(service.name)?.owner, owner, this.#services.size);
    const known = { ...service, payload: service.payload || 'IP' };
    this.#services.set(service.name, { service: known, owner });
    return known;
  }

  unregisterService(name: string, owner: string): void {
    mustOwn(name, this.#services.get(name)?.owner, owner, 0);
    this.#services.delete(name);
  }

  services({ name, payload }: Partial<NetworkService>): NetworkService[] {
    return [...this.#services.values()]
      .map(({ service }) => service)
      .filter((one) => (!name || one.name === name) && (!payload || one.payload === payload));
  }

  /** Throws NAME_OF_ANOTHER; the file is then still the caller's. */
  registerEndpoint(entry: EndpointEntry): void {
    const { name, expirationTime } = entry.endpoint;
    const before = this.#endpoints.get(name);
    mustOwn(name, before?.owner, entry.owner, this.#endpoints.size);
    before?.file?.close();
    this.#endpoints.set(name, entry);
    this.#timeouts.arm(name, (expirationTime?.getTime() ?? 0) - Date.now());
    for (const watcher of this.#watchers) watcher(entry, false);
  }

  unregisterEndpoint(name: string, owner: string): void {
    mustOwn(name, this.#endpoints.get(name)?.owner, owner, 0);
    this.#remove(name);
  }

  endpoints(like: Partial<NetworkServiceEndpoint>): EndpointEntry[] {
    return [...this.#endpoints.values()].filter(({ endpoint }) => isLike(endpoint, like));
  }

  /** Later registrations and removals; the function it returns ends it. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  close(): void {
    this.#timeouts.stop();
    for (const { file } of this.#endpoints.values()) file?.close();
    this.#endpoints.clear();
  }

  #remove(name: string): void {
    const entry = this.#endpoints.get(name);
    this.#endpoints.delete(name);
    this.#timeouts.disarm(name);
    if (!entry) return;
    for (const watcher of this.#watchers) watcher(entry, true);
    entry.file?.close();
  }
}

export function isLike(endpoint: NetworkServiceEndpoint, like: Partial<NetworkServiceEndpoint>): boolean {
  const { name, networkServiceNames = [], networkServiceLabels = {}, url } = like;
  const hasLabels = Object.entries(networkServiceLabels).every(([service, wanted]) =>
    Object.entries(wanted.labels).every(
      ([label, value]) => endpoint.networkServiceLabels[service]?.labels[label] === value,
    ),
  );
  return (
    (!name || endpoint.name === name) &&
    networkServiceNames.every((service) => endpoint.networkServiceNames.includes(service)) &&
    (!url || endpoint.url.includes(url)) &&
    hasLabels
  );
}

/** NSM's policy registry/client_allowed. */
function mustOwn(name: string, owner: string | undefined, caller: string, entries: number): void {
  if (owner === caller || (owner === undefined && entries < mostEntries)) return;
  throw new CrosswireError({
    code: 'NAME_OF_ANOTHER',
    operation: 'change the registry',
    subject: name,
    reason: owner === undefined ? `there are ${entries} entries already` : `${owner} registered that name`,
    hint: 'choose another name',
  });
}
