// SPDX-License-Identifier: Apache-2.0
// A connection's wire is named after the client's segment of the path, whose id alone survives the restart of every
// program on the way: so the same connection finds its wire again.

import { createHash } from 'node:crypto';
import type { Connection } from '../generated/connection.ts';
import { firstSegment } from '../path/path-segments.ts';

/** What the names of all wires of NSM begin with; wires of other origin should not. */
export const wireNamePrefix = 'nsm-';

/** Legible, and different for different ids: a DNS label of at most 63 characters. Within a scope that is not '' the
 *  digest is longer, so that no id of one scope can give a name of another. */
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
