// SPDX-License-Identifier: Apache-2.0
// A connection that moves to another endpoint is closed at the previous one first, once, however many others are tried
// (networkservicemesh/sdk, pkg/networkservice/common/heal, reselect).

import { within } from '../../nsm/chain/onward.ts';
import type { Found } from '../../nsm/registry/discovery.ts';
import { type CloseParts, closePreviousNextHop } from '../close/close-next-hop.ts';
import type { Established } from '../connections/established.ts';
import type { ServiceLog } from '../parts/parts.ts';

const closeMilliseconds = 5_000;

export class PreviousEndpoint {
  readonly #parts: CloseParts & { readonly log: ServiceLog };
  readonly #held: Established | undefined;
  #isClosed = false;

  constructor(parts: CloseParts & { readonly log: ServiceLog }, held: Established | undefined) {
    this.#parts = parts;
    this.#held = held;
  }

  /** The connection as it is established, where it leads to that endpoint already. */
  at({ identity, name }: Found): Established | undefined {
    const held = this.#held;
    return held?.endpoint.identity === identity && held.endpoint.name === name ? held : undefined;
  }

  /** Unless it is that endpoint. */
  async closeUnless(found: Found): Promise<void> {
    const held = this.#held;
    if (!held || this.#isClosed || this.at(found)) return;
    this.#isClosed = true;
    const endpoint = held.endpoint.name;
    await closePreviousNextHop(this.#parts, held, within(closeMilliseconds)).catch((error: unknown) =>
      this.#parts.log.warn({ connection: held.id, endpoint, error }, 'the previous endpoint did not take the Close'),
    );
  }
}
