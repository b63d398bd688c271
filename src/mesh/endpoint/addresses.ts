// SPDX-License-Identifier: Apache-2.0
// Pairs of addresses from one prefix: one for the endpoint, the next for its client, without a common network
// (sdk, pkg/networkservice/ipam/point2pointipam).

import ipaddr from 'ipaddr.js';
import { CrosswireError } from '../../model/error.ts';

export interface Pair {
  readonly client: string;
  readonly endpoint: string;
}

type Address = ReturnType<typeof ipaddr.parse>;

export class AddressPool {
  readonly #cidr: string;
  readonly #base: bigint;
  readonly #bits: number;
  readonly #first: bigint;
  readonly #pairs: bigint;
  readonly #held = new Map<string, bigint>();

  constructor(cidr: string) {
    const [address, length] = ipaddr.parseCIDR(cidr);
    this.#cidr = cidr;
    this.#bits = address.kind() === 'ipv4' ? 32 : 128;
    const size = 1n << BigInt(this.#bits - length);
    this.#base = numberOf(address) & ~(size - 1n);
    // In IPv4 the first and the last address belong to the network itself, unless it has only two (RFC 3021).
    this.#first = size > 2n && this.#bits === 32 ? 1n : 0n;
    this.#pairs = (size - 2n * this.#first) / 2n;
  }

  /** The pair that the connection has; else the pair that it `had`, if that is free; else the next.
   *  Throws ADDRESSES_EXHAUSTED. */
  take(id: string, had: string | undefined, excluded: readonly string[]): Pair {
    const held = this.#held.get(id);
    if (held !== undefined) return this.#pair(held);
    const taken = new Set(this.#held.values());
    const usable = (at: bigint) => at >= 0n && at < this.#pairs && !taken.has(at) && !this.#touches(at, excluded);
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
    const [endpoint, client] = this.#addresses(at);
    return { endpoint: `${endpoint.toString()}/${this.#bits}`, client: `${client.toString()}/${this.#bits}` };
  }

  #addresses(at: bigint): [Address, Address] {
    const endpoint = this.#base + this.#first + 2n * at;
    return [addressOf(endpoint, this.#bits), addressOf(endpoint + 1n, this.#bits)];
  }

  #indexOf(clientCidr: string): bigint {
    const [text = ''] = clientCidr.split('/');
    if (!ipaddr.isValid(text) || ipaddr.parse(text).toByteArray().length * 8 !== this.#bits) return -1n;
    const offset = numberOf(ipaddr.parse(text)) - this.#base - this.#first - 1n;
    return offset >= 0n && offset % 2n === 0n ? offset / 2n : -1n;
  }

  #touches(at: bigint, prefixes: readonly string[]): boolean {
    return this.#addresses(at).some((address) => prefixes.some((prefix) => isIn(address, prefix)));
  }
}

const mostTries = 65_536n;

function isIn(address: Address, prefix: string): boolean {
  if (!ipaddr.isValidCIDR(prefix)) return false;
  const [network, length] = ipaddr.parseCIDR(prefix);
  return network.kind() === address.kind() && address.match([network, length] as never);
}

function numberOf(address: Address): bigint {
  return BigInt(`0x${Buffer.from(address.toByteArray()).toString('hex')}`);
}

function addressOf(value: bigint, bits: number): Address {
  const hex = value.toString(16).padStart(bits / 4, '0');
  return ipaddr.fromByteArray([...Buffer.from(hex, 'hex')]);
}
