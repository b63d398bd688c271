// SPDX-License-Identifier: Apache-2.0
// Which connection a call came over: each connection has an injector of its own, whose interceptor marks its calls, and
// counts what they hold.

import { experimental, ServerCredentials, ServerInterceptingCall, status } from '@grpc/grpc-js';
import type { Peer } from './calls.ts';
import { type Receipts, sizeOf } from './receipts.ts';

type AuthContext = ReturnType<ServerInterceptingCall['getAuthContext']>;

const peers = new WeakMap<AuthContext, Peer>();

/** Of a call of GrpcServer. */
export function callerOf(call: { getAuthContext(): AuthContext }): Peer {
  const peer = peers.get(call.getAuthContext());
  if (peer === undefined) throw new Error('the call came over a connection without a verified peer');
  return peer;
}

/** TLS is done already, and the stream above it is handed over: to grpc-js it is a plain one. */
export function credentialsOf(peer: Peer, receipts: Receipts): ServerCredentials {
  const context: AuthContext = { transportSecurityType: 'ssl' };
  peers.set(context, peer);
  class MarkedCall extends ServerInterceptingCall {
    override getAuthContext(): AuthContext {
      return context;
    }
    override start(listener: Parameters<ServerInterceptingCall['start']>[0]): void {
      const receipt = receipts.begin(peer.spiffeId);
      if (receipt === undefined)
        return this.sendStatus({ code: status.RESOURCE_EXHAUSTED, details: 'too many messages are under way' });
      super.start({
        onReceiveMetadata: (metadata) => listener.onReceiveMetadata(metadata),
        onReceiveMessage: (message: object) => {
          receipt.received(sizeOf(message));
          listener.onReceiveMessage(message);
        },
        onReceiveHalfClose: () => listener.onReceiveHalfClose(),
        // Comes when the stream closes, also after an answer (grpc-js, BaseServerInterceptingCall).
        onCancel: () => {
          receipt.end();
          listener.onCancel();
        },
      });
    }
  }
  return experimental.createServerCredentialsWithInterceptors(ServerCredentials.createInsecure(), [
    (_method, call) => new MarkedCall(call),
  ]);
}
