// SPDX-License-Identifier: Apache-2.0
// gRPC over mutual TLS on unix sockets and TCP. We make the handshakes, so that each uses the newest identity, has a time limit
// and ends with a verified peer; grpc-js gets the decrypted stream.

import { once } from 'node:events';
import { type Server as NetServer, createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { Server, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { CrosswireError } from '../../model/error.ts';
import { addressOf } from '../address.ts';
import type { Peer } from '../calls.ts';
import { acceptTls, type CurrentIdentity } from '../tls.ts';
import type { UnixConnection, UnixSockets } from '../unix-sockets.ts';
import { credentialsOf } from './caller.ts';
import { type ServerLimits, serverLimits, serverOptions } from './limits.ts';
import { measured, Receipts } from './receipts.ts';

export interface ServerParts {
  readonly identity: CurrentIdentity;
  readonly unixSockets: UnixSockets;
  readonly limits?: Partial<ServerLimits>;
  /** Whether this identity calls for others, and so may have any number of connections. */
  readonly callsForOthers?: (spiffeId: string) => boolean;
  /** For the log: why a peer was refused (PEER_REFUSED). */
  readonly onRefused?: (error: CrosswireError) => void;
}

type Descriptors = Peer['descriptors'];

export class GrpcServer {
  readonly #parts: ServerParts;
  readonly #limits: ServerLimits;
  readonly #grpc: Server;
  readonly #listeners: { close(): Promise<void> }[] = [];
  /** In order of arrival. */
  readonly #handshakes = new Set<AbortController>();
  /** With the SPIFFE ID of each peer. */
  readonly #connections = new Map<Duplex, string>();
  readonly #receipts: Receipts;
  #stopping = false;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.#limits = { ...serverLimits, ...parts.limits };
    this.#grpc = new Server(serverOptions(this.#limits));
    this.#receipts = new Receipts(this.#limits);
  }

  addService(definition: ServiceDefinition, implementation: UntypedServiceImplementation): void {
    const measuredOnes = Object.entries(definition).map(([name, method]) => [
      name,
      { ...method, requestDeserialize: measured(method.requestDeserialize) },
    ]);
    this.#grpc.addService(Object.fromEntries(measuredOnes) as ServiceDefinition, implementation);
  }

  /** The URL, with the kernel's choice where the port is 0. */
  async listen(url: string): Promise<string> {
    const address = addressOf(url);
    if (address.kind === 'tcp') return this.#listenTcp(url, address.host, address.port);
    const admit = (connection: UnixConnection) => void this.#admit(connection.socket, connection);
    this.#listeners.push(await this.#parts.unixSockets.listen(address.path, admit));
    return url;
  }

  /** Open calls may end within the grace; then all are ended. */
  async stop(graceMilliseconds: number): Promise<void> {
    this.#stopping = true;
    const closing = this.#listeners.splice(0).map((listener) => listener.close());
    for (const handshake of this.#handshakes) handshake.abort(new Error('the server is stopping'));
    // The callback comes before the sessions have ended, so the connections themselves are awaited.
    this.#grpc.tryShutdown(() => {});
    const timer = setTimeout(() => this.#end(), graceMilliseconds);
    await Promise.allSettled(Array.from(this.#connections.keys(), (connection) => once(connection, 'close')));
    clearTimeout(timer);
    this.#end();
    await Promise.allSettled(closing);
  }

  #end(): void {
    this.#grpc.forceShutdown();
    for (const connection of this.#connections.keys()) connection.destroy();
  }

  async #listenTcp(url: string, host: string, port: number): Promise<string> {
    const server = createServer({ noDelay: true }, (socket) => void this.#admit(socket, undefined));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenFailed(url, cause)));
    server.listen({ host: host || '::', port }, resolve);
    await promise;
    server.on('error', () => {}); // from a single accept(2); later ones may succeed
    this.#listeners.push({ close: () => closed(server) });
    return url.replace(/:\d+$/, `:${(server.address() as { port: number }).port}`);
  }

  async #admit(stream: Duplex, descriptors: Descriptors): Promise<void> {
    const handshake = this.#beginHandshake();
    try {
      const { socket, peer } = await acceptTls(stream, this.#parts.identity, handshake.signal);
      const reason = this.#noRoomFor(peer);
      if (reason !== undefined) {
        socket.destroy();
        throw refused(peer.spiffeId, reason);
      }
      this.#serve(socket, descriptors ? { ...peer, descriptors } : peer);
    } catch (error) {
      this.#parts.onRefused?.(error as CrosswireError);
    } finally {
      handshake.done();
    }
  }

  #noRoomFor({ spiffeId }: Peer): string | undefined {
    if (this.#stopping) return 'the server is stopping';
    const { connections, connectionsOfOne } = this.#limits;
    if (this.#connections.size >= connections) return `there are ${connections} connections already`;
    if (this.#parts.callsForOthers?.(spiffeId)) return undefined;
    const own = [...this.#connections.values()].filter((one) => one === spiffeId).length;
    return own >= connectionsOfOne ? `it has ${own} connections already` : undefined;
  }

  #beginHandshake() {
    const controller = new AbortController();
    const [oldest] = this.#handshakes;
    if (this.#handshakes.size >= this.#limits.handshakes) oldest?.abort(new Error('too many others came after it'));
    this.#handshakes.add(controller);
    const { handshakeMilliseconds } = this.#limits;
    const timer = setTimeout(() => controller.abort(new Error('it took too long')), handshakeMilliseconds);
    const done = () => {
      clearTimeout(timer);
      this.#handshakes.delete(controller);
    };
    return { signal: controller.signal, done };
  }

  #serve(socket: Duplex, peer: Peer): void {
    const injector = this.#grpc.createConnectionInjector(credentialsOf(peer, this.#receipts));
    this.#connections.set(socket, peer.spiffeId);
    socket.once('close', () => {
      this.#connections.delete(socket);
      injector.destroy();
    });
    injector.injectConnection(socket);
    // HTTP/2 waits for this event of a TLS socket, which only a tls.Server emits (lib/internal/http2/core.js, Http2Session).
    socket.emit('secureConnect');
  }
}

function closed(server: NetServer): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function refused(spiffeId: string, reason: string): CrosswireError {
  return new CrosswireError({ code: 'PEER_REFUSED', operation: 'take a connection', subject: spiffeId, reason });
}

function listenFailed(url: string, cause: NodeJS.ErrnoException): CrosswireError {
  return new CrosswireError({
    code: 'LISTEN_FAILED',
    operation: 'listen for NSM',
    subject: url,
    reason: cause.message,
    hint: 'see the option NSM_LISTEN_ON',
    errno: Math.abs(cause.errno ?? 0),
    cause,
  });
}
