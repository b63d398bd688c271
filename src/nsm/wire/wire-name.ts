// SPDX-License-Identifier: Apache-2.0
// A connection's wire is named after the client's segment of the path, whose id alone survives the restart of every
// program on the way: so the same connection finds its wire again.

import { createHash } from 'node:crypto';
import type { Connection } from '../generated/connection.ts';
import { firstSegment } from '../path/path-segments.ts';

/** What the names of all wires of NSM begin with; wires of other origin should not. */
export const wireNamePrefix = 'nsm-';

/** Legible, and different for different ids: a DNS label of at most 63 characters. */
export function wireNameOf(clientId: string): string {
  const legible = clientId
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 36)
    .replace(/^-+|-+$/g, '');
  const digest = createHash('sha256').update(clientId).digest('hex').slice(0, 12);
  return `${wireNamePrefix}${legible}${legible ? '-' : ''}${digest}`;
}

export function wireOf(connection: Connection): string {
  return wireNameOf(firstSegment(connection)?.id ?? connection.id);
}
