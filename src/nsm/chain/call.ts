// SPDX-License-Identifier: Apache-2.0
// A call as the services of a mesh see it: who called, with which token, until when.

import type { Metadata, ServerUnaryCall } from '@grpc/grpc-js';
import type { Peer } from '../../grpc/calls.ts';
import { metadataKey } from '../../grpc/metadata-key.ts';
import { callerOf } from '../../grpc/server/caller.ts';
import { CrosswireError } from '../../model/error.ts';
import type { Token } from '../../spiffe/tokens/token.ts';
import type { Connection } from '../generated/connection.ts';
import type { NetworkServiceRequest } from '../generated/networkservice.ts';

export interface IncomingCall {
  readonly caller: Peer;
  /** From the metadata of the call. */
  readonly token?: Token;
  readonly deadline: Date;
  /** Aborts at the deadline, or when the caller cancels. */
  readonly signal: AbortSignal;
}

/** Milliseconds. A call without a deadline gets that of NSM's client; no call gets more than the longest. */
const usualDeadline = 15_000;
const longestDeadline = 120_000;

export function incomingCall(call: ServerUnaryCall<unknown, unknown>): IncomingCall {
  const now = Date.now();
  const asked = call.getDeadline();
  const wanted = asked === Number.POSITIVE_INFINITY ? now + usualDeadline : Number(asked);
  const deadline = new Date(Math.min(wanted, now + longestDeadline));
  const cancelling = new AbortController();
  call.on('cancelled', () => cancelling.abort());
  const timeout = AbortSignal.timeout(Math.max(0, deadline.getTime() - now));
  const token = tokenOf(call.metadata);
  return {
    caller: callerOf(call),
    deadline,
    signal: AbortSignal.any([cancelling.signal, timeout]),
    ...(token ? { token } : {}),
  };
}

function tokenOf(metadata: Metadata): Token | undefined {
  const [token] = metadata.get(metadataKey.token);
  const [written] = metadata.get(metadataKey.tokenExpires);
  const expires = new Date(String(written ?? ''));
  return token && !Number.isNaN(expires.getTime()) ? { token: String(token), expires } : undefined;
}

/** The connection that a Request is about. Throws CONNECTION_PATH. */
export function connectionOf({ connection }: NetworkServiceRequest): Connection {
  if (connection) return connection;
  throw new CrosswireError({
    code: 'CONNECTION_PATH',
    operation: 'read the Request',
    subject: '',
    reason: 'it has no connection',
    hint: 'a Request needs the connection that is asked for',
  });
}
