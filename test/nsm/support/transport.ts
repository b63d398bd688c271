// SPDX-License-Identifier: Apache-2.0
// A gRPC server and dialers with identities of one authority, over the real sockets of the addon.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { NativeUnixSockets } from '../../../src/dataplane/unix-sockets.ts';
import type { CrosswireError } from '../../../src/model/error.ts';
import {
  type ConnectionEvent,
  ConnectionEventType,
  MonitorConnectionService,
  type MonitorScopeSelector,
} from '../../../src/nsm/generated/connection.ts';
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  type HealthServer,
  HealthService,
} from '../../../src/grpc/generated/health.ts';
import type { Identity } from '../../../src/spiffe/identity.ts';
import type { Peer } from '../../../src/grpc/calls.ts';
import { GrpcDialer } from '../../../src/grpc/client/dialer.ts';
import type { ServerLimits } from '../../../src/grpc/server/limits.ts';
import { callerOf } from '../../../src/grpc/server/caller.ts';
import { GrpcServer } from '../../../src/grpc/server/server.ts';
import { TestAuthority } from './authority.ts';

export type Check = ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>;
export type Handler = (call: Check, caller: Peer) => Promise<void> | void;

export const check = HealthService.check;
export const monitor = MonitorConnectionService.monitorConnections;
export const soon = () => AbortSignal.timeout(60_000);
export const openDescriptors = () => readdirSync('/proc/self/fd').length;

export class Transport {
  readonly directory = mkdtempSync(join(tmpdir(), 'crosswire-transport-'));
  readonly socket = join(this.directory, 'made/on/demand/nsm.sock');
  readonly url = `unix://${this.socket}`;
  readonly sockets = new NativeUnixSockets();
  readonly authority: TestAuthority;
  readonly refusals: CrosswireError[] = [];
  /** Replace to rotate. */
  serverIdentity: Identity;
  clientIdentity: Identity;
  readonly #servers: GrpcServer[] = [];
  readonly #dialers: GrpcDialer[] = [];

  private constructor(authority: TestAuthority, server: Identity, client: Identity) {
    this.authority = authority;
    this.serverIdentity = server;
    this.clientIdentity = client;
  }

  static async make(): Promise<Transport> {
    const authority = await TestAuthority.create();
    return new Transport(authority, await authority.issue('server'), await authority.issue('client'));
  }

  /** Check runs the handler; MonitorConnections sends an event and stays open. */
  server(handler: Handler, limits: Partial<ServerLimits> = {}): GrpcServer {
    const server = new GrpcServer({
      identity: { current: () => this.serverIdentity },
      unixSockets: this.sockets,
      limits,
      onRefused: (error) => void this.refusals.push(error),
    });
    const health: HealthServer = {
      check: (call, callback) => {
        const work = async () => handler(call, callerOf(call));
        work().then(
          () => callback(null, { status: HealthCheckResponse_ServingStatus.SERVING }),
          (error: Error) => callback(error),
        );
      },
      watch: () => {},
    };
    server.addService(HealthService, health);
    server.addService(MonitorConnectionService, {
      monitorConnections: (call: ServerWritableStream<MonitorScopeSelector, ConnectionEvent>) =>
        void call.write({ type: ConnectionEventType.INITIAL_STATE_TRANSFER, connections: {} }),
    });
    this.#servers.push(server);
    return server;
  }

  dialer(identity?: Identity): GrpcDialer {
    const dialer = new GrpcDialer({
      identity: { current: () => identity ?? this.clientIdentity },
      unixSockets: this.sockets,
      issueToken: (peer) => ({ token: `for ${peer.spiffeId}`, expires: new Date('2030-01-02T03:04:05.678Z') }),
      propagate: (metadata) => metadata.set('traceparent', '00-1-2-01'),
    });
    this.#dialers.push(dialer);
    return dialer;
  }

  async remove(): Promise<void> {
    for (const dialer of this.#dialers) dialer.close();
    await Promise.all(this.#servers.map((server) => server.stop(0)));
    await this.sockets.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
