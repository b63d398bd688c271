// SPDX-License-Identifier: Apache-2.0
// One spelling for what people and the kernel spell differently: wanted and observed values are compared as text.

import type { Neighbour, Route } from '../model/wire.ts';

/** An address, or an address with a prefix length. IPv6 as RFC 5952 and inet_ntop(3) write it. */
export function canonicalAddress(text: string): string {
  const [address = '', prefix] = text.split('/');
  const suffix = prefix === undefined ? '' : `/${prefix}`;
  if (!address.includes(':')) return address + suffix;
  const url = URL.parse(`http://[${address}]/`);
  return (url ? url.hostname.slice(1, -1) : address.toLowerCase()) + suffix;
}

export function canonicalRoute({ to, via }: Route): Route {
  return via === undefined ? { to: canonicalAddress(to) } : { to: canonicalAddress(to), via: canonicalAddress(via) };
}

export function canonicalNeighbour({ address, mac }: Neighbour): Neighbour {
  return { address: canonicalAddress(address), mac: mac.toLowerCase() };
}

/** Each value once; the last of those with the same key wins. */
export function unique<T>(values: readonly T[], key: (value: T) => string): T[] {
  return [...new Map(values.map((value) => [key(value), value])).values()];
}
