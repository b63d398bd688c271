// SPDX-License-Identifier: Apache-2.0
// Brings values to one spelling, because people and the kernel spell them differently and the planner compares text.

import { canonicalAddress } from '../wire/values/addresses.ts';
import type { Neighbour, Policy, Route } from '../wire/wire.ts';

export { canonicalAddress };

export function canonicalRoute({ to, via }: Route): Route {
  return via === undefined ? { to: canonicalAddress(to) } : { to: canonicalAddress(to), via: canonicalAddress(via) };
}

export function canonicalNeighbour({ address, mac }: Neighbour): Neighbour {
  return { address: canonicalAddress(address), mac: mac.toLowerCase() };
}

/** A policy as the kernel reports its rule: a rule for all sources has no source. The order of routes has no meaning. */
export function canonicalPolicy({ from, routes, ...match }: Policy): Policy {
  const sorted = routes.map(canonicalRoute).sort((a, b) => (routeKey(a) < routeKey(b) ? -1 : 1));
  return { ...match, ...(from && !from.endsWith('/0') ? { from: canonicalAddress(from) } : {}), routes: sorted };
}

export function routeKey({ to, via }: Route): string {
  return `${to} ${via ?? ''}`;
}

/** The key that distinguishes the policies of an interface. */
export function policyKey({ from, protocol, destinationPorts, sourcePorts }: Policy): string {
  return [from, protocol, destinationPorts, sourcePorts].join(';');
}

/** Removes duplicates; of the values with the same key the last one wins. */
export function unique<T>(values: readonly T[], key: (value: T) => string): T[] {
  return [...new Map(values.map((value) => [key(value), value])).values()];
}
