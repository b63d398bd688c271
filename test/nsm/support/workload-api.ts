// SPDX-License-Identifier: Apache-2.0
// A SPIFFE Workload API on a unix socket for one identity, in place of SPIRE's agent.

import { EventEmitter, once } from 'node:events';
import { rm } from 'node:fs/promises';
import { Server, ServerCredentials, type ServerWritableStream, status } from '@grpc/grpc-js';
import {
  SpiffeWorkloadAPIService,
  type X509SVIDRequest,
  type X509SVIDResponse,
} from '../../../src/spiffe/generated/workload.ts';
import type { Identity } from '../../../src/spiffe/identity.ts';

type Stream = ServerWritableStream<X509SVIDRequest, X509SVIDResponse>;

export class WorkloadApi {
  /** For `SPIFFE_ENDPOINT_SOCKET`. */
  readonly endpoint: string;
  readonly #path: string;
  readonly #server = new Server();
  readonly #streams = new Set<Stream>();
  readonly #events = new EventEmitter();
  #identities: readonly Identity[];
  #calls = 0;

  private constructor(path: string, identities: readonly Identity[]) {
    this.endpoint = `unix://${path}`;
    this.#path = path;
    this.#identities = identities;
    this.#server.addService(SpiffeWorkloadAPIService, { fetchX509Svid: (stream: Stream) => this.#serve(stream) });
  }

  /** Without identities: refuses as SPIRE does when no entry matches the caller, until `rotate` gives some. */
  static async start(path: string, ...identities: readonly Identity[]): Promise<WorkloadApi> {
    const api = new WorkloadApi(path, identities);
    await rm(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      api.#server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      );
    });
    return api;
  }

  /** Number of calls so far, with refused ones. */
  get calls(): number {
    return this.#calls;
  }

  /** Resolves at the next call. */
  async called(): Promise<void> {
    await once(this.#events, 'call');
  }

  /** Resolves when the next caller disconnects. */
  async left(): Promise<void> {
    await once(this.#events, 'left');
  }

  /** The first is the default. Sent on every open stream. */
  rotate(...identities: readonly Identity[]): void {
    this.#identities = identities;
    for (const stream of this.#streams) stream.write(messageOf(identities));
  }

  /** Sends any message on every open stream, also one that no agent would send. */
  send(message: X509SVIDResponse): void {
    for (const stream of this.#streams) stream.write(message);
  }

  /** Ends every open stream with this status; the agent itself stays. */
  drop(code: status = status.UNAVAILABLE): void {
    for (const stream of this.#streams) endWith(stream, code, 'dropped');
    this.#streams.clear();
  }

  async close(): Promise<void> {
    this.#server.forceShutdown();
    await rm(this.#path, { force: true });
  }

  #serve(stream: Stream): void {
    this.#calls += 1;
    if (stream.metadata.get('workload.spiffe.io')[0] !== 'true')
      endWith(stream, status.INVALID_ARGUMENT, 'security header missing from request');
    else if (this.#identities.length === 0) endWith(stream, status.PERMISSION_DENIED, 'no identity issued');
    else {
      this.#streams.add(stream);
      const gone = () => this.#streams.delete(stream) && this.#events.emit('left');
      stream.on('cancelled', gone);
      stream.on('close', gone);
      stream.write(messageOf(this.#identities));
    }
    this.#events.emit('call');
  }
}

export function messageOf(identities: readonly Identity[]): X509SVIDResponse {
  const federated: Record<string, Buffer> = {};
  for (const identity of identities) {
    const own = trustDomainOf(identity.spiffeId);
    for (const [trustDomain, bundle] of identity.bundles)
      if (trustDomain !== own) federated[`spiffe://${trustDomain}`] = derOf(bundle);
  }
  return {
    svids: identities.map((identity) => ({
      spiffeId: identity.spiffeId,
      x509Svid: derOf(identity.certificates),
      x509SvidKey: derOf(identity.privateKey),
      bundle: derOf(identity.bundles.get(trustDomainOf(identity.spiffeId)) ?? ''),
      hint: '',
    })),
    crl: [],
    federatedBundles: federated,
  };
}

/** grpc-js takes the status of a stream from an error event. */
function endWith(stream: Stream, code: status, details: string): void {
  stream.emit('error', { code, details });
}

function trustDomainOf(spiffeId: string): string {
  return new URL(spiffeId).host;
}

function derOf(pem: string): Buffer {
  const blocks = pem.matchAll(/-----BEGIN [A-Z ]+-----([^-]+)-----END/g);
  return Buffer.concat(Array.from(blocks, ([, body]) => Buffer.from(body as string, 'base64')));
}
