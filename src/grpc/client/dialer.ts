// SPDX-License-Identifier: Apache-2.0
// Connections to next hops. We open and secure them, so that the peer is known before the first call; grpc-js makes the
// calls.

import { connect, type Socket } from 'node:net';
import { CrosswireError } from '../../model/error.ts';
import { addressOf } from '../address.ts';
import type { Dialer, NextHop, Peer } from '../calls.ts';
import { type CurrentIdentity, connectTls } from '../tls.ts';
import type { UnixSockets } from '../unix-sockets.ts';
import { openChannel, Rendezvous } from './channel.ts';
import { type CallHooks, GrpcNextHop } from './next-hop.ts';

export interface DialerParts extends CallHooks {
  readonly identity: CurrentIdentity;
  readonly unixSockets: UnixSockets;
}

export class GrpcDialer implements Dialer {
  readonly #parts: DialerParts;
  readonly #rendezvous = new Rendezvous();

  constructor(parts: DialerParts) {
    this.#parts = parts;
  }

  async dial(url: string, signal: AbortSignal): Promise<NextHop> {
    try {
      return await this.#dial(url, signal);
    } catch (cause) {
      throw unreachable(url, cause, signal);
    }
  }

  /** Open connections stay. */
  close(): void {
    this.#rendezvous.close();
  }

  async #dial(url: string, signal: AbortSignal): Promise<NextHop> {
    const target = await this.#rendezvous.target();
    const { stream, descriptors } = await this.#open(url, signal);
    const { socket, peer } = await connectTls(stream, this.#parts.identity, signal);
    try {
      const client = await openChannel(target, socket, signal);
      const known = descriptors ? { ...peer, descriptors } : peer;
      return new GrpcNextHop({ url, peer: known, client, socket, identity: this.#parts.identity, hooks: this.#parts });
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  async #open(url: string, signal: AbortSignal): Promise<{ stream: Socket; descriptors?: Peer['descriptors'] }> {
    const address = addressOf(url);
    if (address.kind === 'tcp') return { stream: await connectTcp(address.host, address.port, signal) };
    const descriptors = await this.#parts.unixSockets.dial(address.path, signal);
    return { stream: descriptors.socket as Socket, descriptors };
  }
}

function connectTcp(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ host: host || 'localhost', port, noDelay: true });
  const abort = () => socket.destroy(signal.reason as Error);
  socket.once('error', reject).once('connect', () => resolve(socket));
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  return promise.finally(() => {
    socket.off('error', reject);
    signal.removeEventListener('abort', abort);
  });
}

function unreachable(url: string, cause: unknown, signal: AbortSignal): CrosswireError {
  const given = signal.aborted ? 'it took too long, or was given up' : undefined;
  const reason =
    cause instanceof CrosswireError ? cause.reason : cause instanceof Error ? cause.message : String(cause);
  return new CrosswireError({
    code: 'NEXT_HOP_UNREACHABLE',
    operation: 'reach the next hop',
    subject: url,
    reason: given ?? reason,
    errno: cause instanceof CrosswireError ? cause.errno : 0,
    cause,
  });
}
