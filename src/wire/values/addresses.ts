// SPDX-License-Identifier: Apache-2.0
// IP addresses and networks: parsed, checked and brought into the one form in which the kernel prints them, so that
// what is wanted and what is observed compare as text.

import { isIP, SocketAddress } from 'node:net';

export type Family = 4 | 6;

export interface Address {
  readonly family: Family;
  readonly text: string; // as inet_ntop writes it
  readonly bits: bigint;
}

export interface Network {
  readonly address: Address;
  readonly prefix: number;
  readonly text: string;
}

/** The canonical form of an address, with or without a prefix length. Any other text is returned unchanged; its check
 *  reports it. */
export function canonicalAddress(text: string): string {
  const [address = '', prefix] = text.split('/');
  const suffix = prefix === undefined ? '' : `/${/^\d+$/.test(prefix) ? Number(prefix) : prefix}`;
  return (address.includes(':') ? (parseAddress(address)?.text ?? address) : address) + suffix;
}

export const widthOf = (family: Family): number => (family === 4 ? 32 : 128);

export function parseAddress(text: string): Address | undefined {
  const family = isIP(text);
  if (family === 0 || text.includes('%')) return undefined; // a zone names an interface; ours is known already
  if (family === 4) return { family, text, bits: bitsOfGroups(text.split('.').map(Number), 8n) };
  const canonical = new SocketAddress({ address: text, family: 'ipv6' }).address;
  return { family: 6, text: canonical, bits: bitsOfGroups(groupsOf(canonical), 16n) };
}

export function parseNetwork(text: string): Network | undefined {
  const [, address, prefix] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const parsed = parseAddress(address ?? '');
  if (parsed === undefined || Number(prefix) > widthOf(parsed.family)) return undefined;
  return { address: parsed, prefix: Number(prefix), text: `${parsed.text}/${Number(prefix)}` };
}

/** The network's own address: all bits behind the prefix are zero. */
export function networkAddress({ address, prefix }: Network): string {
  const hostBits = BigInt(widthOf(address.family) - prefix);
  return `${textOf((address.bits >> hostBits) << hostBits, address.family)}/${prefix}`;
}

/** Whether the address lies in the network. */
export function contains({ address, prefix }: Network, { family, bits }: Pick<Address, 'family' | 'bits'>): boolean {
  const hostBits = BigInt(widthOf(family) - prefix);
  return address.family === family && address.bits >> hostBits === bits >> hostBits;
}

/** Why no interface may have this address; undefined if it may. */
export function unusable({ family, bits }: Address): string | undefined {
  if (bits === 0n) return 'is the unspecified address';
  const multicast = family === 4 ? bits >> 28n === 0xen : bits >> 120n === 0xffn;
  if (multicast) return 'is a multicast address';
  if (family === 4 && bits === 0xffff_ffffn) return 'is the broadcast address';
  return undefined;
}

/** As inet_ntop writes it. */
export function textOf(bits: bigint, family: Family): string {
  const [groupBits, count] = family === 4 ? [8n, 4] : [16n, 8];
  const groups = Array.from({ length: count }, (_, i) => {
    const group = (bits >> (groupBits * BigInt(count - 1 - i))) & ((1n << groupBits) - 1n);
    return group.toString(family === 4 ? 10 : 16);
  });
  const text = groups.join(family === 4 ? '.' : ':');
  return (parseAddress(text) as Address).text;
}

function groupsOf(canonical: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(canonical);
  if (dotted) {
    const [a, b, c, d] = dotted.slice(2).map(Number) as [number, number, number, number];
    return groupsOf(`${dotted[1]}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`);
  }
  const [head = '', tail] = canonical.split('::');
  const hex = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  if (tail === undefined) return hex(head);
  const [first, last] = [hex(head), hex(tail)];
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}

const bitsOfGroups = (groups: readonly number[], width: bigint): bigint =>
  groups.reduce((bits, group) => (bits << width) | BigInt(group), 0n);
