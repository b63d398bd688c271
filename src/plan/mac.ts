// SPDX-License-Identifier: Apache-2.0
// A MAC for an end that was given none: it looks random, but follows from node, wire and end, so that an interface made
// again, after a restart or a repair, keeps the address its neighbours remember. Likewise names of what is no workload's.

import type { EndName } from '../model/wire.ts';

export function macOf(node: string, wire: string, end: EndName): string {
  const [high, low] = hashes(`${node}/${wire}/${end}`);
  // Locally administered (bit 1 set), one station (bit 0 clear): IEEE 802, clause 8.2.
  const first = ((high >>> 24) & 0xfc) | 0x02;
  const rest = [high >>> 16, high >>> 8, high, low >>> 8, low];
  return [first, ...rest].map((byte) => (byte & 0xff).toString(16).padStart(2, '0')).join(':');
}

/** Of the macvlan below a VLAN device, beside which there may be those of all other wires: 15 bytes. */
export function uplinkName(mark: string, device: string): string {
  return nameFor(`${mark}/${device}`);
}

/** Of the interface that the engine reaches an end by, beside those of all other wires. */
export function portName(mark: string): string {
  return nameFor(`${mark}/port`);
}

function nameFor(text: string): string {
  const [high, low] = hashes(text);
  return `cw-${high.toString(16).padStart(8, '0')}${(low & 0xffff).toString(16).padStart(4, '0')}`;
}

function hashes(text: string): readonly [number, number] {
  return [hash(text, 0x811c9dc5), hash(text, 0x2f0b4c47)];
}

/** FNV-1a over UTF-16 units, then murmur3's finalizer, so that names with a common end differ in all bytes. */
function hash(text: string, seed: number): number {
  let value = seed;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
