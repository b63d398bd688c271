// SPDX-License-Identifier: Apache-2.0
// Addresses with prefixes, as an IP context has them. What cannot be read is left for the check of the whole wire,
// which names it.

import ipaddr from 'ipaddr.js';

type Cidr = [ipaddr.IPv4 | ipaddr.IPv6, number];

function cidrOf(text: string): Cidr | undefined {
  const [address = '', prefix] = text.split('/');
  const strict = ipaddr.IPv4.isValidFourPartDecimal(address) || ipaddr.IPv6.isValid(address);
  if (!strict) return undefined;
  const parsed = ipaddr.parse(address);
  const width = parsed.kind() === 'ipv4' ? 32 : 128;
  const length = prefix === undefined ? width : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  return length >= 0 && length <= width ? [parsed, length] : undefined;
}

/** As everybody writes it: IPv6 has many spellings, and a peer may send any (RFC 5952). */
export function addressOf(prefix: string): string {
  const [address = ''] = prefix.split('/');
  return cidrOf(address)?.[0].toString() ?? address;
}

/** The single address as a network: 10.0.0.1/24 → 10.0.0.1/32. */
export function hostNetworkOf(prefix: string): string {
  return `${addressOf(prefix)}/${isIPv6(prefix) ? 128 : 32}`;
}

export function isIPv6(text: string): boolean {
  return text.includes(':');
}

/** With the bits behind the prefix zero: 10.0.0.1/24 → 10.0.0.0/24. A bare address is a network of one. */
export function masked(text: string): string {
  const cidr = cidrOf(text);
  if (!cidr) return text;
  const [address, length] = cidr;
  const family = address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  return `${family.networkAddressFromCIDR(`${address.toString()}/${length}`).toString()}/${length}`;
}

/** Whether the address of `text` lies in one of these networks. */
export function liesWithin(text: string, networks: readonly string[]): boolean {
  const [address] = cidrOf(addressOf(text)) ?? [];
  return networks.some((network) => {
    const cidr = cidrOf(network);
    return address !== undefined && cidr?.[0].kind() === address.kind() && address.match(cidr);
  });
}

export function sameFamily(a: string, b: string): boolean {
  return isIPv6(a) === isIPv6(b);
}
