// SPDX-License-Identifier: Apache-2.0
// Calls over one connection to one server.

import type { TLSSocket } from 'node:tls';
import { type Client, Metadata, type MethodDefinition } from '@grpc/grpc-js';
import type { CallOptions, NextHop, Peer, UnaryAnswer } from '../calls.ts';
import { metadataKey } from '../metadata-key.ts';
import type { CurrentIdentity } from '../tls.ts';
import { leftReady } from './channel.ts';

export interface CallToken {
  readonly token: string;
  readonly expires: Date;
}

/** Sent with every call. */
export interface CallHooks {
  /** A token for each call, with the peer as its audience. */
  readonly issueToken: (peer: Peer) => Promise<CallToken> | CallToken;
  /** Adds the trace context (W3C traceparent). */
  readonly propagate?: (metadata: Metadata) => void;
}

interface Parts {
  readonly url: string;
  readonly peer: Peer;
  readonly client: Client;
  readonly socket: TLSSocket;
  readonly identity: CurrentIdentity;
  readonly hooks: CallHooks;
}

/** For the last frames of a closed connection. */
const partingMilliseconds = 2_000;

interface Cancellable {
  cancel(): void;
}

export class GrpcNextHop implements NextHop {
  readonly url: string;
  readonly peer: Peer;
  readonly closed: Promise<void>;
  readonly #client: Client;
  readonly #socket: TLSSocket;
  readonly #identity: CurrentIdentity;
  readonly #hooks: CallHooks;
  readonly #freshUntil: number;
  readonly #calls = new Set<Cancellable>();

  constructor({ url, peer, client, socket, identity, hooks }: Parts) {
    this.url = url;
    this.peer = peer;
    this.#client = client;
    this.#socket = socket;
    this.#identity = identity;
    this.#hooks = hooks;
    // SPIRE renews certificates at half of their life, and nothing agreed on here outlives the peer's certificate.
    this.#freshUntil = (Date.now() + peer.notAfter.getTime()) / 2;
    // Calls that are open when the server sends GOAWAY may still succeed, so the server closes the stream.
    this.closed = leftReady(client).then(() => client.close());
  }

  get outdated(): boolean {
    return this.#identity.current() !== this.peer.self || Date.now() > this.#freshUntil;
  }

  async unary<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): Promise<UnaryAnswer<Response>> {
    const metadata = await this.#metadata(options);
    options.signal?.throwIfAborted();
    let headers = new Metadata();
    const { promise, resolve, reject } = Promise.withResolvers<UnaryAnswer<Response>>();
    const call = this.#client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      metadata,
      settingsOf(options),
      (error, response) => (error ? reject(error) : resolve({ response: response as Response, headers })),
    );
    call.on('metadata', (received: Metadata) => {
      headers = received;
    });
    return this.#cancellable(call, options, () => promise);
  }

  async *stream<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): AsyncGenerator<Response, void, undefined> {
    const metadata = await this.#metadata(options);
    options.signal?.throwIfAborted();
    const call = this.#client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      metadata,
      settingsOf(options),
    );
    const stop = this.#begin(call, options);
    try {
      for await (const message of call) yield message as Response;
    } finally {
      stop();
      call.on('error', () => {}).cancel();
    }
  }

  close(): void {
    for (const call of this.#calls) call.cancel();
    this.#client.close();
    const timer = setTimeout(() => this.#socket.destroy(), partingMilliseconds).unref();
    this.#socket.once('close', () => clearTimeout(timer));
  }

  async #metadata({ metadata }: CallOptions): Promise<Metadata> {
    const all = metadata?.clone() ?? new Metadata();
    const { token, expires } = await this.#hooks.issueToken(this.peer);
    all.set(metadataKey.token, token);
    all.set(metadataKey.tokenExpires, expires.toISOString());
    this.#hooks.propagate?.(all);
    return all;
  }

  async #cancellable<Result>(call: Cancellable, options: CallOptions, result: () => Promise<Result>): Promise<Result> {
    const stop = this.#begin(call, options);
    try {
      return await result();
    } finally {
      stop();
    }
  }

  #begin(call: Cancellable, { signal }: CallOptions): () => void {
    const cancel = () => call.cancel();
    this.#calls.add(call);
    signal?.addEventListener('abort', cancel);
    return () => {
      this.#calls.delete(call);
      signal?.removeEventListener('abort', cancel);
    };
  }
}

const settingsOf = ({ deadline }: CallOptions) => (deadline ? { deadline } : {});
