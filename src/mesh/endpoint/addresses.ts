// SPDX-License-Identifier: Apache-2.0
// Pairs of addresses from one prefix: one for the endpoint, the next for its client, without a common network
// (sdk, pkg/networkservice/ipam/point2pointipam).

import { CrosswireError } from '../../model/error.ts';
import {
  contains,
  type Family,
  type Network,
  parseAddress,
  parseNetwork,
  textOf,
  widthOf,
} from '../../wire/values/addresses.ts';

export interface Pair {
  readonly client: string;
  readonly endpoint: string;
}

export class AddressPool {
  readonly #cidr: string;
  readonly #base: bigint;
  readonly #family: Family;
  readonly #first: bigint;
  readonly #pairs: bigint;
  readonly #held = new Map<string, bigint>();

  constructor(cidr: string) {
    const network = parseNetwork(cidr);
    if (!network) throw new Error(`${cidr} is no prefix`);
    const { address, prefix } = network;
    this.#cidr = cidr;
    this.#family = address.family;
    const size = 1n << BigInt(widthOf(address.family) - prefix);
    this.#base = address.bits & ~(size - 1n);
    // In IPv4 the first and the last address belong to the network itself, unless it has only two (RFC 3021).
    this.#first = size > 2n && this.#family === 4 ? 1n : 0n;
    this.#pairs = (size - 2n * this.#first) / 2n;
  }

  /** The pair that the connection has; else the pair that it `had`, if that is free; else the next.
   *  Throws ADDRESSES_EXHAUSTED. */
  take(id: string, had: string | undefined, excluded: readonly string[]): Pair {
    const held = this.#held.get(id);
    if (held !== undefined) return this.#pair(held);
    const taken = new Set(this.#held.values());
    const networks = excluded.flatMap((one) => parseNetwork(one) ?? []);
    const usable = (at: bigint) => at >= 0n && at < this.#pairs && !taken.has(at) && !this.#touches(at, networks);
    const before = had === undefined ? -1n : this.#indexOf(had);
    if (usable(before)) return this.#hold(id, before);
    const tries = this.#pairs < mostTries ? this.#pairs : mostTries;
    for (let at = 0n; at < tries; at += 1n) if (usable(at)) return this.#hold(id, at);
    throw new CrosswireError({
      code: 'ADDRESSES_EXHAUSTED',
      operation: 'choose addresses for a connection',
      subject: this.#cidr,
      reason: `${taken.size} pairs are in use, and no other is free and not excluded`,
      hint: 'give the endpoint a larger --cidr',
    });
  }

  free(id: string): void {
    this.#held.delete(id);
  }

  #hold(id: string, at: bigint): Pair {
    this.#held.set(id, at);
    return this.#pair(at);
  }

  #pair(at: bigint): Pair {
    const [endpoint, client] = this.#addresses(at).map(
      (bits) => `${textOf(bits, this.#family)}/${widthOf(this.#family)}`,
    );
    return { endpoint, client } as Pair;
  }

  #addresses(at: bigint): [bigint, bigint] {
    const endpoint = this.#base + this.#first + 2n * at;
    return [endpoint, endpoint + 1n];
  }

  #indexOf(clientCidr: string): bigint {
    const [text = ''] = clientCidr.split('/');
    const address = parseAddress(text);
    if (address?.family !== this.#family) return -1n;
    const offset = address.bits - this.#base - this.#first - 1n;
    return offset >= 0n && offset % 2n === 0n ? offset / 2n : -1n;
  }

  #touches(at: bigint, networks: readonly Network[]): boolean {
    const family = this.#family;
    return this.#addresses(at).some((bits) => networks.some((one) => contains(one, { family, bits })));
  }
}

const mostTries = 65_536n;
