// SPDX-License-Identifier: Apache-2.0
// What other rooms see of gRPC: who called, and whom we call.

import type { Metadata, MethodDefinition } from '@grpc/grpc-js';
import type { Identity } from '../spiffe/identity.ts';
import type { UnixConnection } from './unix-sockets.ts';

/** The other side of a TLS session. */
export interface Peer {
  /** From the URI SAN of its leaf certificate. */
  readonly spiffeId: string;
  /** PEM of the leaf. */
  readonly certificate: string;
  /** When the leaf expires. */
  readonly notAfter: Date;
  /** Our identity towards this peer for the life of the connection: NSM's policies check our tokens with the certificate of
   *  the handshake, even if it was renewed since. */
  readonly self: Identity;
  /** Absent on TCP, which carries no descriptors. */
  readonly descriptors?: Pick<UnixConnection, 'send' | 'receive'>;
}

export interface CallOptions {
  /** Aborting cancels the call. */
  readonly signal?: AbortSignal;
  /** Absolute. */
  readonly deadline?: Date;
  /** Sent beside the token keys, which every call carries. */
  readonly metadata?: Metadata;
}

export interface UnaryAnswer<Response> {
  readonly response: Response;
  /** Response headers (not trailers). */
  readonly headers: Metadata;
}

/** One gRPC connection to one server. Every call carries `nsm-client-token` and `nsm-client-token-expires`. */
export interface NextHop {
  readonly url: string;
  readonly peer: Peer;
  /** Our certificate was renewed since the handshake, or the peer's may have been: a new connection would use the new ones. */
  readonly outdated: boolean;
  unary<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    options?: CallOptions,
  ): Promise<UnaryAnswer<Response>>;
  /** Ends when the server ends it; rejects with the gRPC error; to stop iterating cancels the call. */
  stream<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    options?: CallOptions,
  ): AsyncIterable<Response>;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  close(): void;
}

/** Waits one turn of the event loop, in which a broken connection reports itself. */
export async function isOpen({ closed }: NextHop): Promise<boolean> {
  return Promise.race([closed.then(() => false), new Promise<true>((resolve) => setImmediate(resolve, true))]);
}

export interface Dialer {
  /** `unix:///path`, `tcp://host:port` or any target gRPC knows. Rejects with NEXT_HOP_UNREACHABLE. */
  dial(url: string, signal: AbortSignal): Promise<NextHop>;
}
