// SPDX-License-Identifier: Apache-2.0
// Which connection a call came over: each connection has an injector of its own, whose interceptor marks its calls.

import { experimental, ServerCredentials, ServerInterceptingCall } from '@grpc/grpc-js';
import type { Peer } from './calls.ts';

type AuthContext = ReturnType<ServerInterceptingCall['getAuthContext']>;

const peers = new WeakMap<AuthContext, Peer>();

/** Of a call of GrpcServer. */
export function callerOf(call: { getAuthContext(): AuthContext }): Peer {
  const peer = peers.get(call.getAuthContext());
  if (peer === undefined) throw new Error('the call came over a connection without a verified peer');
  return peer;
}

/** TLS is done already, and the stream above it is handed over: to grpc-js it is a plain one. */
export function credentialsOf(peer: Peer): ServerCredentials {
  const context: AuthContext = { transportSecurityType: 'ssl' };
  peers.set(context, peer);
  class MarkedCall extends ServerInterceptingCall {
    override getAuthContext(): AuthContext {
      return context;
    }
  }
  return experimental.createServerCredentialsWithInterceptors(ServerCredentials.createInsecure(), [
    (_method, call) => new MarkedCall(call),
  ]);
}
