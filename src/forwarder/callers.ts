// SPDX-License-Identifier: Apache-2.0
// Our manager speaks for every client of the node; any other caller speaks for itself alone.

import type { Peer } from '../grpc/calls.ts';
import type { ServiceParts } from './parts.ts';

export class Callers {
  readonly #manager: ServiceParts['manager'];
  /** SPIFFE ID of the manager that was last there; it may come back under another. */
  #known: string | undefined;

  constructor(manager: ServiceParts['manager']) {
    this.#manager = manager;
  }

  /** What the names of the caller's wires, and its ids, are good in: '' for those of the manager. */
  async scopeOf({ spiffeId }: Peer, signal: AbortSignal): Promise<string> {
    if (spiffeId === this.#known) return '';
    try {
      const { peer } = await this.#manager(signal);
      this.#known = peer.spiffeId;
    } catch {
      return spiffeId;
    }
    return spiffeId === this.#known ? '' : spiffeId;
  }
}
