// SPDX-License-Identifier: Apache-2.0
// The identity from a SPIFFE agent (spiffe.io, "The SPIFFE Workload API"): one stream for the life of the process brings every
// rotation. While the agent is away, the last identity stays.

import { Client, type ClientReadableStream, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { CrosswireError } from '../../model/error.ts';
import type { Log } from '../../model/log.ts';
import { SpiffeWorkloadAPIService, type X509SVIDResponse } from '../generated/workload.ts';
import type { Identity } from '../identity.ts';
import { isTrustDomain } from '../spiffe-id.ts';
import { pemOf, pemOfCertificates } from '../x509/pem.ts';
import { KeepingSource } from './source.ts';
import { identityOf, type Material } from './svid.ts';

export interface WorkloadSourceOptions {
  /** `SPIFFE_ENDPOINT_SOCKET`. */
  readonly endpoint: string;
  readonly log: Log;
  /** Before the agent is asked again; the delay doubles each time. */
  readonly retryMilliseconds?: { readonly first: number; readonly longest: number };
}

export class WorkloadSource extends KeepingSource {
  readonly #endpoint: string;
  readonly #target: string;
  readonly #retry: { readonly first: number; readonly longest: number };
  #wait: number;
  #client: Client | undefined;
  #stream: ClientReadableStream<X509SVIDResponse> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** Throws OPTION_INVALID. */
  constructor({ endpoint, log, retryMilliseconds = { first: 200, longest: 30_000 } }: WorkloadSourceOptions) {
    super(log);
    this.#endpoint = endpoint;
    this.#target = targetOf(endpoint);
    this.#retry = retryMilliseconds;
    this.#wait = retryMilliseconds.first;
  }

  start(): void {
    this.log.info({ endpoint: this.#endpoint }, 'waiting for an identity from the Workload API');
    this.#fetch();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stream?.cancel(); // Closing a client does not end its calls.
    this.#client?.close();
  }

  #fetch(): void {
    const stream = this.#open();
    this.#stream = stream;
    let over = false;
    stream.on('data', (response: X509SVIDResponse) => this.#receive(response));
    const ended = (reason: string, cause?: unknown) => {
      if (over || this.#closed) return;
      over = true;
      this.fail(this.#unavailable(reason, cause));
      this.#later();
    };
    stream.on('error', (error: ServiceError) => ended(reasonOf(error), error));
    stream.on('end', () => ended('the agent ended the stream'));
  }

  /** A new client for each attempt: otherwise grpc-js would apply its own backoff and share the connection with others. */
  #open(): ClientReadableStream<X509SVIDResponse> {
    this.#client?.close();
    this.#client = new Client(this.#target, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
    });
    const metadata = new Metadata();
    metadata.set('workload.spiffe.io', 'true'); // required by section 5 of the Workload Endpoint
    const { path, requestSerialize, responseDeserialize } = SpiffeWorkloadAPIService.fetchX509Svid;
    return this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}, metadata);
  }

  #receive(response: X509SVIDResponse): void {
    if (this.#closed) return;
    const read = this.#read(response);
    if (read instanceof CrosswireError) return this.fail(read);
    this.#wait = this.#retry.first;
    this.take(read);
  }

  #read(response: X509SVIDResponse): Identity | CrosswireError {
    try {
      return identityOf(materialOf(response, this.#endpoint));
    } catch (cause) {
      return cause instanceof CrosswireError ? cause : this.#unavailable('its message cannot be read', cause);
    }
  }

  #later(): void {
    this.#timer = setTimeout(() => this.#fetch(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, this.#retry.longest);
  }

  #unavailable(reason: string, cause: unknown): CrosswireError {
    const operation = 'ask the Workload API';
    return new CrosswireError({ code: 'IDENTITY_UNAVAILABLE', operation, subject: this.#endpoint, reason, cause });
  }
}

/** "The SPIFFE Workload Endpoint", section 4: `unix:///path` or `tcp://ADDRESS:PORT`. */
function targetOf(endpoint: string): string {
  const [, path] = /^unix:(?:\/\/)?(\/(?!\/)[^?#]+)$/.exec(endpoint) ?? [];
  if (path !== undefined) return `unix:${path}`;
  const [, address, port] = /^tcp:\/\/([0-9.]+|\[[0-9a-f:.]+\]):(\d{1,5})$/i.exec(endpoint) ?? [];
  if (address !== undefined) return `${address.startsWith('[') ? 'ipv6' : 'ipv4'}:${address}:${port}`;
  const reason = 'it is neither unix:///PATH nor tcp://ADDRESS:PORT';
  throw new CrosswireError({ code: 'OPTION_INVALID', operation: 'find the Workload API', subject: endpoint, reason });
}

function reasonOf({ code, details }: ServiceError): string {
  if (code === status.PERMISSION_DENIED) return `the agent has no identity for this process (${details})`;
  if (code === status.UNAVAILABLE) return `the agent is not there (${details})`;
  return details;
}

/** The first SVID is the default, section 5.2. */
function materialOf({ svids, federatedBundles }: X509SVIDResponse, source: string): Material {
  const [svid] = svids;
  if (svid === undefined) throw new RangeError('there is no SVID in it');
  const federated = Object.entries(federatedBundles).map(
    ([name, bundle]) => [name.replace(/^spiffe:\/\//, ''), pemOfCertificates(bundle)] as const,
  );
  return {
    source,
    certificates: pemOfCertificates(svid.x509Svid),
    privateKey: pemOf(svid.x509SvidKey, 'PRIVATE KEY'),
    bundle: pemOfCertificates(svid.bundle),
    federatedBundles: new Map(federated.filter(([name]) => isTrustDomain(name))),
  };
}
