// SPDX-License-Identifier: Apache-2.0
// Finds the connection that a call came over: each connection has its own injector, whose interceptor marks the calls and
// counts the memory they hold.

import { experimental, ServerCredentials, ServerInterceptingCall, status } from '@grpc/grpc-js';
import type { Peer } from '../calls.ts';
import { type Receipts, sizeOf } from './receipts.ts';

type AuthContext = ReturnType<ServerInterceptingCall['getAuthContext']>;

const peers = new WeakMap<AuthContext, Peer>();

/** The peer behind a call of GrpcServer. */
export function callerOf(call: { getAuthContext(): AuthContext }): Peer {
  const peer = peers.get(call.getAuthContext());
  if (peer === undefined) throw new Error('the call came over a connection without a verified peer');
  return peer;
}

/** TLS is done before grpc-js gets the stream, which it treats as insecure. */
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
        // Called when the stream closes, also after an answer (grpc-js, BaseServerInterceptingCall).
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
