// SPDX-License-Identifier: Apache-2.0
// Before anything is done for a caller: its token into the path, ours beside it, the policies over all of them.

import { CrosswireError } from '../../model/error.ts';
import type { WireStatus } from '../../model/status.ts';
import type { Connection } from '../generated/connection.ts';
import { clientOf, previousSegment, withSegment } from '../path/path-segments.ts';
import { clientOfWire } from '../wire/wire-document.ts';
import { wireOf } from '../wire/wire-name.ts';
import type { Established } from './established.ts';
import type { IncomingCall, ServiceParts } from './parts.ts';

/** The order is the contract's: policies see the token that came with this very call. */
export async function admitted(
  parts: Pick<ServiceParts, 'issueToken' | 'checkCaller'>,
  located: Connection,
  call: IncomingCall,
): Promise<Connection> {
  const { caller, token } = call;
  const own = await parts.issueToken(caller);
  const callers = token && previousSegment(located) ? withSegment(located, -1, token) : located;
  const connection = withSegment(callers, 0, own);
  const segments = connection.path?.pathSegments.slice(0, connection.path.index + 1) ?? [];
  await parts.checkCaller(segments, caller.certificate);
  return connection;
}

/** The client must be the one of before, and its wire too. So must be the caller, whose word it is who the client is; but
 *  for our manager, which comes back under another identity. */
export async function mustOwn(
  { manager }: Pick<ServiceParts, 'manager'>,
  held: Established,
  connection: Connection,
  { caller: { spiffeId }, signal }: IncomingCall,
): Promise<void> {
  const isManager = () =>
    manager(signal).then(
      ({ peer }) => peer.spiffeId === spiffeId,
      () => false,
    );
  const same = held.client === clientOf(connection) && held.wire === wireOf(connection);
  if (same && (held.caller === spiffeId || (await isManager()))) return;
  throw ofAnother(connection, held.client || held.caller, ` by way of ${spiffeId}`);
}

/** So must be the client of a wire that an earlier run of ours made, and that no connection stands for yet. */
export function mustOwnWire(wire: WireStatus | undefined, connection: Connection): void {
  const client = clientOfWire(wire);
  if (client !== undefined && client !== clientOf(connection)) throw ofAnother(connection, client);
}

function ofAnother(connection: Connection, owner: string, way = ''): CrosswireError {
  return new CrosswireError({
    code: 'CONNECTION_OF_ANOTHER',
    operation: 'find the connection',
    subject: `connection ${connection.id}`,
    reason: `it, or its wire, belongs to ${owner}, not to ${clientOf(connection)}${way}`,
  });
}
