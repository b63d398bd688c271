// SPDX-License-Identifier: Apache-2.0
// Our manager calls for every client of the node; any other caller calls for itself alone.

import type { Peer } from '../../grpc/calls.ts';
import type { ServiceParts } from '../parts/parts.ts';

export class Callers {
  readonly #manager: ServiceParts['manager'];
  /** SPIFFE ID of the manager when last connected; a restarted manager may have another. */
  #known: string | undefined;

  constructor(manager: ServiceParts['manager']) {
    this.#manager = manager;
  }

  /** The scope of the caller's connection ids and wire names: '' for the manager, else the caller's SPIFFE ID. */
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
