// SPDX-License-Identifier: Apache-2.0
// Names the wire of a connection after the client's path segment. Only that segment's id survives the restart of every program
// on the path, so that a connection finds its wire again.

import { createHash } from 'node:crypto';
import type { Connection } from '../generated/connection.ts';
import { firstSegment } from '../path/path-segments.ts';

/** The prefix of the names of all wires of NSM; other wires should not have it. */
export const wireNamePrefix = 'nsm-';

/** A readable and unique DNS label of at most 63 characters. If `scope` is not '', the digest is longer, so that ids of different
 *  scopes never give the same name. */
export function wireNameOf(clientId: string, scope = ''): string {
  const legible = clientId
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 36)
    .replace(/^-+|-+$/g, '');
  const [hashed, length] = scope === '' ? [clientId, 12] : [JSON.stringify([scope, clientId]), 16];
  const digest = createHash('sha256').update(hashed).digest('hex').slice(0, length);
  return `${wireNamePrefix}${legible}${legible ? '-' : ''}${digest}`;
}

export function wireOf(connection: Connection, scope: string): string {
  return wireNameOf(firstSegment(connection)?.id ?? connection.id, scope);
}
