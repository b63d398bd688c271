// SPDX-License-Identifier: Apache-2.0
// The registered services, and the endpoints until they expire. Queries match by the rules of NSM's registries (sdk,
// pkg/registry/utils/matchutils).

import type { HeldFile } from '../../grpc/unix-sockets.ts';
import { CrosswireError } from '../../model/error.ts';
import { Timeouts } from '../../nsm/chain/timeout.ts';
import type { NetworkService, NetworkServiceEndpoint } from '../../nsm/generated/registry.ts';

export interface EndpointEntry {
  readonly endpoint: NetworkServiceEndpoint;
  /** SPIFFE ID of the program that registered it. */
  readonly owner: string;
  /** Its socket file, for an endpoint on this node. */
  readonly file?: HeldFile;
}

type Watcher = (entry: EndpointEntry, deleted: boolean) => void;

/** Any identity may register entries, so their number is limited. */
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

  /** Throws NAME_OF_ANOTHER; the caller then keeps the file. */
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

  /** Tells later registrations and removals until the returned function is called. */
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

/** Only the owner may change an entry (NSM's policy registry/client_allowed). */
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
