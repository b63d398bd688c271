// SPDX-License-Identifier: Apache-2.0
// Ownership marks. The alias of every interface that Crosswire makes names its node, wire and end, so that leftovers can be
// found and removed without any other record.

import { randomBytes } from 'node:crypto';
import { CrosswireError } from '../model/error.ts';
import { type EndName, endNames } from '../model/wire.ts';

export interface Mark {
  readonly wire: string;
  readonly end: EndName;
}

/** IFALIASZ in linux/if.h is 256, with the terminating zero. */
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

/** The common prefix of the marks of a node, or of one wire of the node. */
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

/** The mark of the uplink of an interface that has the mark `alias`. The uplink is the macvlan device below a VLAN device. */
export function uplinkMark(alias: string): string {
  return alias + uplinkSuffix;
}

/** The mark of the interface above the uplink; undefined if the alias is not the mark of an uplink. */
export function parseUplinkMark(node: string, alias: string): Mark | undefined {
  return alias.endsWith(uplinkSuffix) ? parseMark(node, alias.slice(0, -uplinkSuffix.length)) : undefined;
}

/** A random interface name of 14 bytes (the kernel allows 15), with 48 random bits. */
export function temporaryName(): string {
  return `cw${randomBytes(6).toString('hex')}`;
}
