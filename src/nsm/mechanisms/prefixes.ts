// SPDX-License-Identifier: Apache-2.0
// Parses addresses with prefixes, as in an IP context. Invalid text is returned unchanged: the check of the whole wire reports it.

import { contains, networkAddress, parseAddress, parseNetwork, widthOf } from '../../wire/values/addresses.ts';

/** The address in canonical form: IPv6 has many spellings, and a peer may send any (RFC 5952). */
export function addressOf(prefix: string): string {
  const [address = ''] = prefix.split('/');
  return parseAddress(address)?.text ?? address;
}

/** The single address as a network: 10.0.0.1/24 → 10.0.0.1/32. */
export function hostNetworkOf(prefix: string): string {
  return `${addressOf(prefix)}/${widthOf(isIPv6(prefix) ? 6 : 4)}`;
}

export function isIPv6(text: string): boolean {
  return text.includes(':');
}

/** The network of an address: 10.0.0.1/24 → 10.0.0.0/24. A bare address is a network of one address. */
export function masked(text: string): string {
  const network = parseNetwork(text.includes('/') ? text : hostNetworkOf(text));
  return network ? networkAddress(network) : text;
}

/** Whether the address of `text` lies in one of these networks. */
export function liesWithin(text: string, networks: readonly string[]): boolean {
  const address = parseAddress(addressOf(text));
  if (!address) return false;
  return networks.some((one) => {
    const network = parseNetwork(one.includes('/') ? one : hostNetworkOf(one));
    return network !== undefined && contains(network, address);
  });
}

export function sameFamily(a: string, b: string): boolean {
  return isIPv6(a) === isIPv6(b);
}
