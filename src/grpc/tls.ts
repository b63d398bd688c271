// SPDX-License-Identifier: Apache-2.0
// Mutual TLS between SPIFFE identities over an existing stream: at least TLS 1.2, ALPN h2, no host names, and no resumed
// sessions, which would skip the verification and outlive a rotation.

import { constants, type X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect, createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { CrosswireError } from '../model/error.ts';
import type { Identity, IdentitySource } from '../spiffe/identity.ts';
import { verifyPeer } from '../spiffe/x509/trust.ts';
import type { Peer } from './calls.ts';

/** Read at each handshake. */
export type CurrentIdentity = Pick<IdentitySource, 'current'>;

export interface TlsSession {
  readonly socket: TLSSocket;
  readonly peer: Peer;
}

/** More than any chain that verifies; a peer may send any number. */
const mostCertificates = 16;

/** Destroys the stream on failure. Rejects with PEER_REFUSED. */
export function acceptTls(stream: Duplex, source: CurrentIdentity, signal: AbortSignal): Promise<TlsSession> {
  return handshake(stream, source, signal, (settings) => {
    const options = { ...settings, isServer: true, requestCert: true, rejectUnauthorized: false };
    return new TLSSocket(stream as TLSSocket, options);
  });
}

/** Destroys the stream on failure. Rejects with PEER_REFUSED. */
export function connectTls(stream: Duplex, source: CurrentIdentity, signal: AbortSignal): Promise<TlsSession> {
  return handshake(stream, source, signal, (settings) =>
    connect({ ...settings, socket: stream, rejectUnauthorized: false, checkServerIdentity: () => undefined }),
  );
}

async function handshake(
  stream: Duplex,
  source: CurrentIdentity,
  signal: AbortSignal,
  begin: (settings: Pick<ConnectionOptions, 'secureContext' | 'ALPNProtocols'>) => TLSSocket,
): Promise<TlsSession> {
  const identity = source.current();
  let socket: TLSSocket | undefined;
  try {
    if (identity === undefined) throw refusal('there is no identity of our own yet');
    signal.throwIfAborted();
    socket = begin({ secureContext: contextOf(identity), ALPNProtocols: ['h2'] });
    await secured(socket, stream, signal);
    return { socket, peer: peerOf(socket, identity) };
  } catch (error) {
    socket?.on('error', () => {}).destroy();
    stream.on('error', () => {}).destroy();
    throw error instanceof CrosswireError ? error : refusal(reasonOf(error, signal), error);
  }
}

function secured(socket: TLSSocket, stream: Duplex, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const closed = () => reject(new Error('the peer closed the connection during the TLS handshake'));
  const aborted = () => reject(signal.reason as Error);
  socket.once('secure', resolve).once('error', reject).once('close', closed);
  stream.once('error', reject).once('close', closed);
  signal.addEventListener('abort', aborted, { once: true });
  return promise.finally(() => {
    socket.off('error', reject).off('close', closed);
    stream.off('error', reject).off('close', closed);
    signal.removeEventListener('abort', aborted);
    // HTTP/2 hears of later errors by 'close'.
    socket.on('error', () => {});
    stream.on('error', () => {});
  });
}

function peerOf(socket: TLSSocket, identity: Identity): Peer {
  if (socket.isSessionReused()) throw refusal('it resumed an earlier TLS session');
  if (socket.alpnProtocol !== 'h2') throw refusal('it does not speak HTTP/2 (no ALPN h2)');
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) throw refusal('it presented no certificate');
  const spiffeId = verifyPeer(chainOf(leaf), identity.bundles);
  return { spiffeId, certificate: leaf.toString(), notAfter: new Date(leaf.validTo), self: identity };
}

function chainOf(leaf: X509Certificate): string[] {
  const chain: string[] = [];
  for (let next: X509Certificate | undefined = leaf; next; next = next.issuerCertificate) {
    if (chain.length === mostCertificates) throw refusal(`it presented more than ${mostCertificates} certificates`);
    chain.push(next.toString());
  }
  return chain;
}

const contexts = new WeakMap<Identity, SecureContext>();

/** Without authorities: verifyPeer decides by trust domain who is trusted; the system's store has no say. */
function contextOf(identity: Identity): SecureContext {
  const context =
    contexts.get(identity) ??
    createSecureContext({
      cert: identity.certificates,
      key: identity.privateKey,
      ca: [],
      minVersion: 'TLSv1.2',
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    });
  contexts.set(identity, context);
  return context;
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'the TLS handshake took too long, or was given up';
  return error instanceof Error ? error.message : String(error);
}

function refusal(reason: string, cause?: unknown): CrosswireError {
  return new CrosswireError({ code: 'PEER_REFUSED', operation: 'verify the peer', subject: '', reason, cause });
}
