// SPDX-License-Identifier: Apache-2.0
// Ownership marks: the alias of every interface we make says whose it is, so that anyone who cleans up can tell.

import { randomBytes } from 'node:crypto';
import { CrosswireError } from '../model/error.ts';
import { type EndName, endNames } from '../model/wire.ts';

export interface Mark {
  readonly wire: string;
  readonly end: EndName;
}

/** IFALIASZ in linux/if.h is 256 with the final zero. */
const longestAlias = 255;
const longestMark = `crosswire//${'w'.repeat(63)}/endpoint/uplink`.length;

export function checkNode(node: string): void {
  const reason =
    node === ''
      ? 'it is empty'
      : node.includes('/')
        ? 'it contains a slash'
        : longestMark + Buffer.byteLength(node) > longestAlias
          ? `it is longer than ${longestAlias - longestMark} bytes`
          : undefined;
  if (reason)
    throw new CrosswireError({ code: 'NODE_NAME', operation: 'use the node name for marks', subject: node, reason });
}

/** What the marks of all wires of a node begin with; of one wire, if that is given. */
export function markPrefix(node: string, wire?: string): string {
  return wire === undefined ? `crosswire/${node}/` : `crosswire/${node}/${wire}/`;
}

export function markOf(node: string, wire: string, end: EndName): string {
  return markPrefix(node, wire) + end;
}

export function parseMark(node: string, alias: string): Mark | undefined {
  const prefix = markPrefix(node);
  if (!alias.startsWith(prefix)) return undefined;
  const [wire = '', end, ...rest] = alias.slice(prefix.length).split('/');
  const known = endNames.find((name) => name === end);
  return wire && known && rest.length === 0 ? { wire, end: known } : undefined;
}

const uplinkSuffix = '/uplink';

/** Of the macvlan below an interface, which has the mark `alias`. */
export function uplinkMark(alias: string): string {
  return alias + uplinkSuffix;
}

/** Of the interface above it. */
export function parseUplinkMark(node: string, alias: string): Mark | undefined {
  return alias.endsWith(uplinkSuffix) ? parseMark(node, alias.slice(0, -uplinkSuffix.length)) : undefined;
}

/** 14 bytes of the 15 an interface name may have; 48 random bits. */
export function temporaryName(): string {
  return `cw${randomBytes(6).toString('hex')}`;
}
