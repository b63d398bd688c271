// SPDX-License-Identifier: Apache-2.0
// The first element of every chain: the caller's token goes into the path, our own beside it, and the policies judge all
// tokens (networkservicemesh/sdk, pkg/networkservice/common: updatetoken, authorize).

import type { Peer } from '../../grpc/calls.ts';
import { CrosswireError } from '../../model/error.ts';
import type { Token } from '../../spiffe/tokens/token.ts';
import type { Connection, PathSegment } from '../generated/connection.ts';
import { clientOf, previousSegment, subjectOf, withSegment } from '../path/path-segments.ts';
import type { IncomingCall } from './call.ts';

export interface AuthorizeParts {
  readonly issueToken: (peer: Peer) => Promise<Token>;
  /** The policies of a server; rejects with POLICY_REFUSED. */
  readonly checkCaller: (segments: readonly PathSegment[], certificate: string) => Promise<void>;
}

/** The policies see the token of this very call, not one that an earlier call left in the path. */
export async function authorized(
  parts: AuthorizeParts,
  located: Connection,
  { caller, token }: IncomingCall,
): Promise<Connection> {
  const withCallers = token && previousSegment(located) ? withSegment(located, -1, token) : located;
  const own = await parts.issueToken(caller);
  const connection = withSegment(withCallers, 0, own);
  const segments = connection.path?.pathSegments.slice(0, connection.path.index + 1) ?? [];
  await parts.checkCaller(segments, caller.certificate);
  mustSpeakForItself(previousSegment(connection), caller.spiffeId);
  return connection;
}

/** NSM's policies check only that the caller signed its token: without this check a caller could pose as another. */
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

/** Only the client that made a connection may change it; `owner` is its SPIFFE ID. */
export function mustBelongToClient(owner: string, connection: Connection, { caller }: IncomingCall): void {
  if (owner !== clientOf(connection)) throw ofAnother(connection, owner, caller);
}

export function ofAnother(connection: Connection, owner: string, { spiffeId }: Peer): CrosswireError {
  return new CrosswireError({
    code: 'CONNECTION_OF_ANOTHER',
    operation: 'find the connection',
    subject: `connection ${connection.id}`,
    reason: `it, or its wire, belongs to ${owner}, not to ${clientOf(connection)} by way of ${spiffeId}`,
  });
}
