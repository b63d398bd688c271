// SPDX-License-Identifier: Apache-2.0
// One spelling for what people and the kernel spell differently: wanted and observed values are compared as text.

import { canonicalAddress } from '../wire/values/addresses.ts';
import type { Neighbour, Policy, Route } from '../wire/wire.ts';

export { canonicalAddress };

export function canonicalRoute({ to, via }: Route): Route {
  return via === undefined ? { to: canonicalAddress(to) } : { to: canonicalAddress(to), via: canonicalAddress(via) };
}

export function canonicalNeighbour({ address, mac }: Neighbour): Neighbour {
  return { address: canonicalAddress(address), mac: mac.toLowerCase() };
}

/** As rules are read back: one of all sources has none. Routes have no order. */
export function canonicalPolicy({ from, routes, ...match }: Policy): Policy {
  const sorted = routes.map(canonicalRoute).sort((a, b) => (routeKey(a) < routeKey(b) ? -1 : 1));
  return { ...match, ...(from && !from.endsWith('/0') ? { from: canonicalAddress(from) } : {}), routes: sorted };
}

export function routeKey({ to, via }: Route): string {
  return `${to} ${via ?? ''}`;
}

/** What tells one policy of an interface from another. */
export function policyKey({ from, protocol, destinationPorts, sourcePorts }: Policy): string {
  return [from, protocol, destinationPorts, sourcePorts].join(';');
}

/** Each value once; the last of those with the same key wins. */
export function unique<T>(values: readonly T[], key: (value: T) => string): T[] {
  return [...new Map(values.map((value) => [key(value), value])).values()];
}
