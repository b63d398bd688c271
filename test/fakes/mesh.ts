// SPDX-License-Identifier: Apache-2.0
// A FAKE of the surroundings of a forwarder in a mesh: a manager with its registry, endpoints, received descriptors, and the
// supervisor's wires. Nothing is sent; test/nsm has the real programs.

import { isDeepStrictEqual } from 'node:util';
import type { MethodDefinition } from '@grpc/grpc-js';
import { Metadata } from '@grpc/grpc-js';
import { parseWireList } from '../../src/wire/wire-list.ts';
import type { ApplyReport, RemoveReport, WireCounters } from '../../src/model/status.ts';
import type { Wire } from '../../src/wire/wire.ts';
import type { WireDocument } from '../../src/wire/wire-document.ts';
import { Connection, type ConnectionEvent } from '../../src/nsm/generated/connection.ts';
import type { NetworkServiceRequest } from '../../src/nsm/generated/networkservice.ts';
import { NetworkService, NetworkServiceEndpoint } from '../../src/nsm/generated/registry.ts';
import type { CallOptions, NextHop, Peer } from '../../src/grpc/calls.ts';
import type { HeldFile } from '../../src/grpc/unix-sockets.ts';
import type { Wires } from '../../src/forwarder/parts/wires.ts';
import { counters, status } from './wires.ts';

export const failure = { code: 'NAMESPACE_MISSING', operation: 'open the namespace', subject: 'x', reason: 'gone' };

/** Descriptors from peers: all descriptors have arrived, except those that are named as missing. */
export class FakeFiles {
  open = 0;
  readonly neverSent = new Set<string>();
  readonly sent: string[] = [];

  readonly send = async (path: string): Promise<string> => {
    this.sent.push(path);
    return path;
  };
  readonly receive = async (url: string, signal: AbortSignal): Promise<HeldFile> => {
    if (this.neverSent.has(url))
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    this.open += 1;
    let closed = false;
    return {
      path: `/fake/${url.replace('inode://', '')}`,
      close: () => {
        if (!closed) this.open -= 1;
        closed = true;
      },
    };
  };
}

export class FakeWires implements Wires {
  readonly wires = new Map<string, Wire>();
  readonly applied: ApplyReport[] = [];
  readonly failing = new Set<string>();
  readonly expiries: number[] = [];
  numbers: WireCounters = counters();

  async set(
    _owner: 'nsm',
    wires: readonly Wire[],
    { giveUpFailed }: { readonly giveUpFailed: boolean },
  ): Promise<ApplyReport[]> {
    const reports = wires.map((wire): ApplyReport => {
      const before = this.wires.get(wire.name);
      if (this.failing.has(wire.name)) {
        if (giveUpFailed) this.wires.delete(wire.name);
        return { name: wire.name, outcome: 'failed', actions: [], error: failure };
      }
      this.wires.set(wire.name, wire);
      const outcome = before === undefined ? 'created' : isDeepStrictEqual(before, wire) ? 'unchanged' : 'changed';
      return { name: wire.name, outcome, actions: [] };
    });
    this.applied.push(...reports);
    return reports;
  }
  async remove(names: readonly string[]): Promise<RemoveReport[]> {
    return names.map((name) => ({ name, outcome: this.wires.delete(name) ? 'removed' : 'missing', errors: [] }));
  }
  get(name: string) {
    const wire = this.wires.get(name);
    return wire && status(wire);
  }
  wanted(name: string) {
    return this.wires.get(name);
  }
  expire(_owner: 'nsm', milliseconds: number) {
    this.expiries.push(milliseconds);
  }
  async countersOf(name: string) {
    return this.wires.has(name) ? this.numbers : undefined;
  }
}

/** An endpoint. By default it accepts KERNEL and answers with its own namespace. */
export class FakeEndpoint {
  readonly name: string;
  readonly inode: number;
  readonly requests: NetworkServiceRequest[] = [];
  readonly closes: Connection[] = [];
  readonly hops: FakeNextHop[] = [];
  /** Changes an answer before it is sent; if it throws, the Request is refused. */
  answering: (answer: Connection) => Connection = (answer) => answer;
  closing: () => Promise<void> = async () => {};
  reachable = true;
  /** Set for an endpoint at another node. */
  url: string | undefined;
  #watch: ((event: ConnectionEvent | undefined) => void)[] = [];

  constructor(name: string, inode: number) {
    this.name = name;
    this.inode = inode;
  }

  answer(request: NetworkServiceRequest): Connection {
    this.requests.push(request);
    const { connection } = request;
    if (!connection?.path) throw new Error('a Request without a path');
    const { index, pathSegments } = connection.path;
    const own = {
      name: this.name,
      id: `${this.name}-1`,
      token: 't',
      metrics: { server_interface: `KERNEL/${this.name}` },
    };
    return this.answering(
      Connection.fromPartial({
        ...connection,
        path: { index, pathSegments: [...pathSegments.slice(0, index + 1), own] },
        mechanism: {
          cls: 'LOCAL',
          type: 'KERNEL',
          parameters: { inodeURL: `inode://4/${this.inode + 1000}`, name: `if-${this.name}`.slice(0, 15) },
        },
        context: { ...connection.context, ipContext: { srcIpAddrs: ['10.0.0.2/32'], dstIpAddrs: ['10.0.0.1/32'] } },
      }),
    );
  }

  /** Sends an event to all watchers; undefined ends their streams. */
  tell(event: ConnectionEvent | undefined): void {
    for (const one of this.#watch.splice(0)) one(event);
  }

  async *events(signal: AbortSignal | undefined): AsyncGenerator<ConnectionEvent> {
    for (;;) {
      const event = await new Promise<ConnectionEvent | undefined>((resolve) => {
        this.#watch.push(resolve);
        signal?.addEventListener('abort', () => resolve(undefined));
      });
      if (!event) return;
      yield event;
    }
  }
}

type Answers = (path: string, request: never) => Promise<unknown>;
type Streams = (path: string, request: never, signal?: AbortSignal) => AsyncIterable<unknown>;

export class FakeNextHop implements NextHop {
  readonly closed: Promise<void>;
  isClosed = false;
  readonly url: string;
  readonly peer: Peer;
  outdated = false;
  readonly #unary: Answers;
  readonly #stream: Streams;
  readonly #end: () => void;

  constructor(url: string, peer: Peer, { unary, stream }: { unary?: Answers; stream: Streams }) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.url = url;
    this.peer = peer;
    this.closed = promise;
    this.#end = resolve;
    this.#unary = unary ?? (() => Promise.reject(new Error('not taken')));
    this.#stream = stream;
  }

  async unary<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    { signal }: CallOptions = {},
  ) {
    if (this.isClosed) throw new Error('the connection is gone');
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    signal?.addEventListener('abort', () => reject(signal.reason as Error));
    const response = await Promise.race([this.#unary(method.path, request as never), aborted]);
    return { response: response as Response, headers: new Metadata() };
  }
  stream<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    options?: { signal?: AbortSignal },
  ) {
    return this.#stream(method.path, request as never, options?.signal) as AsyncIterable<Response>;
  }
  close(): void {
    this.isClosed = true;
    this.#end();
  }
}

export class FakeMesh {
  readonly files = new FakeFiles();
  readonly endpoints: FakeEndpoint[] = [];
  managerId = 'spiffe://test/nsmgr';
  service = 'firewall';
  /** The payload of the service. */
  payload = 'IP';
  /** Whether an endpoint is registered. */
  listed: (name: string) => boolean = () => true;

  peer(spiffeId: string): Peer {
    const notAfter = new Date(Date.now() + 3_600_000);
    const self = { spiffeId: 'spiffe://test/self', certificates: '', privateKey: '', notAfter, bundles: new Map() };
    return { spiffeId, certificate: '', notAfter, self, descriptors: this.files };
  }

  add(...endpoints: FakeEndpoint[]): void {
    this.endpoints.push(...endpoints);
  }

  readonly manager = async (): Promise<NextHop> => {
    const services = [NetworkService.fromPartial({ name: this.service, payload: this.payload })];
    const stream = async function* (
      this: FakeMesh,
      path: string,
      query: { networkServiceEndpoint?: { name: string } },
    ) {
      if (path.includes('NetworkServiceRegistry/'))
        yield* services.map((networkService) => ({ networkService, deleted: false }));
      for (const { name, inode, url: elsewhere } of path.includes('EndpointRegistry/') ? this.endpoints : []) {
        if (query.networkServiceEndpoint?.name && query.networkServiceEndpoint.name !== name) continue;
        if (!this.listed(name)) continue;
        const url = elsewhere ?? `inode://5/${inode}`;
        yield { networkServiceEndpoint: NetworkServiceEndpoint.fromPartial({ name, url }), deleted: false };
      }
    };
    return new FakeNextHop('manager', this.peer(this.managerId), {
      stream: stream.bind(this) as Streams,
    });
  };

  readonly dialer = {
    dial: async (url: string): Promise<NextHop> => {
      const endpoint = this.endpoints.find((one) => url === (one.url ?? `unix:///fake/5/${one.inode}`));
      if (!endpoint?.reachable) throw new Error(`nobody listens at ${url}`);
      const hop = new FakeNextHop(url, this.peer(`spiffe://test/${endpoint.name}`), {
        unary: async (path, request) => {
          if (path.endsWith('/Request')) return endpoint.answer(request);
          endpoint.closes.push(request);
          await endpoint.closing();
          return {};
        },
        stream: (_path, _request, signal) => endpoint.events(signal),
      });
      endpoint.hops.push(hop);
      return hop;
    },
  };
}

/** Parses a document with the real rules of wire files. */
export async function readWire(document: WireDocument): Promise<Wire> {
  const { wires, errors } = await parseWireList([document]);
  if (!wires[0] || errors.length > 0) throw errors[0] ?? new Error('no wire');
  return wires[0];
}
