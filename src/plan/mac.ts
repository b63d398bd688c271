// SPDX-License-Identifier: Apache-2.0
// Derives a MAC address for an end without one. It looks random but is computed from node, wire and end, so that an interface
// that is made again after a restart or repair keeps the address that its neighbours know. Also derives the names of
// interfaces that are not the workload's.

import type { EndName } from '../model/wire.ts';

export function macOf(node: string, wire: string, end: EndName): string {
  const [high, low] = hashes(`${node}/${wire}/${end}`);
  // Locally administered (bit 1 set) and unicast (bit 0 clear): IEEE 802, clause 8.2.
  const first = ((high >>> 24) & 0xfc) | 0x02;
  const rest = [high >>> 16, high >>> 8, high, low >>> 8, low];
  return [first, ...rest].map((byte) => (byte & 0xff).toString(16).padStart(2, '0')).join(':');
}

/** The name of an uplink, 15 bytes; it must be unique, because the uplinks of all wires are in one namespace. */
export function uplinkName(mark: string, device: string): string {
  return nameFor(`${mark}/${device}`);
}

/** The name of a port; it must be unique, because the ports of all wires are in one namespace. */
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

/** FNV-1a over UTF-16 units, then murmur3's finalizer, so that the hashes of names with a common end differ in all bytes. */
function hash(text: string, seed: number): number {
  let value = seed;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
