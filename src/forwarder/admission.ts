// SPDX-License-Identifier: Apache-2.0
// Before anything is done for a caller: its token into the path, ours beside it, the policies over all of them.

import { CrosswireError } from '../model/error.ts';
import type { WireStatus } from '../wire/status.ts';
import type { Connection, PathSegment } from '../nsm/generated/connection.ts';
import { clientOf, previousSegment, subjectOf, withSegment } from '../nsm/path/path-segments.ts';
import { clientOfWire } from '../nsm/wire/wire-document.ts';
import type { Established } from './established.ts';
import type { IncomingCall, ServiceParts } from './parts.ts';

/** The order is the contract's: policies see the token that came with this very call. */
export async function admitted(
  parts: Pick<ServiceParts, 'issueToken' | 'checkCaller'>,
  located: Connection,
  call: IncomingCall,
): Promise<Connection> {
  const { caller, token } = call;
  const callers = token && previousSegment(located) ? withSegment(located, -1, token) : located;
  const own = await parts.issueToken(caller);
  const connection = withSegment(callers, 0, own);
  const segments = connection.path?.pathSegments.slice(0, connection.path.index + 1) ?? [];
  await parts.checkCaller(segments, caller.certificate);
  mustSpeakForItself(previousSegment(connection), caller.spiffeId);
  return connection;
}

/** NSM's policies check only that the caller signed its token; one that says it is another would be believed by the chain. */
function mustSpeakForItself(segment: PathSegment | undefined, spiffeId: string): void {
  const subject = segment && subjectOf(segment);
  if (subject === spiffeId) return;
  throw new CrosswireError({
    code: 'POLICY_REFUSED',
    operation: 'check the tokens',
    subject: 'prev_token_subject',
    reason: `${spiffeId} signed a token of '${subject ?? ''}'`,
  });
}

/** The client must be the one of before, and its wire too: wires of callers other than our manager are their own. */
export function mustOwn(held: Established, connection: Connection, wire: string, { caller }: IncomingCall): void {
  if (held.wire === wire && held.client === clientOf(connection)) return;
  throw ofAnother(connection, held.client || held.caller, ` by way of ${caller.spiffeId}`);
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
