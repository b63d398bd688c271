// SPDX-License-Identifier: Apache-2.0
// A forwarder of NSM from its first identity to its last answer.

import { tmpdir } from 'node:os';
import type { Peer } from '../grpc/calls.ts';
import { GrpcDialer } from '../grpc/client/dialer.ts';
import { GrpcServer } from '../grpc/server/server.ts';
import type { Tracing } from '../grpc/tracing/tracing.ts';
import type { UnixSockets } from '../grpc/unix-sockets.ts';
import type { MeshMetrics } from '../metrics/mesh-metrics.ts';
import { serve } from '../nsm/chain/serve.ts';
import type { SharedDevices } from '../nsm/mechanisms/devices.ts';
import type { Gateways } from '../nsm/mechanisms/gateways.ts';
import type { TunnelSettings } from '../nsm/mechanisms/mechanism.ts';
import { Manager } from '../nsm/registry/manager.ts';
import { Registration } from '../nsm/registry/registration.ts';
import type { IdentitySource } from '../spiffe/identity.ts';
import { checkServerPolicies } from '../spiffe/tokens/policies.ts';
import { tokenFor } from '../spiffe/tokens/token.ts';
import type { ServiceLog, ServiceParts } from './parts/parts.ts';
import type { NsmSettings } from './parts/settings.ts';
import type { Wires } from './parts/wires.ts';
import { ForwarderService } from './service.ts';

export interface ForwarderParts {
  readonly wires: Wires;
  readonly readWire: ServiceParts['readWire'];
  readonly listNamespaces: ServiceParts['listNamespaces'];
  readonly isPortFree: ServiceParts['isPortFree'];
  readonly unixSockets: UnixSockets;
  readonly identity: IdentitySource;
  readonly tunnel: TunnelSettings | undefined;
  readonly gateways?: Gateways | undefined;
  readonly tracing: Tracing;
  readonly metrics: MeshMetrics;
  readonly devices?: SharedDevices | undefined;
  readonly log: ServiceLog;
}

/** For calls that are still open when the forwarder stops. */
const stopMilliseconds = 2_000;

export class Forwarder {
  readonly #settings: NsmSettings;
  readonly #parts: ForwarderParts;
  readonly #service: ForwarderService;
  readonly #server: GrpcServer;
  readonly #dialer: GrpcDialer;
  readonly #manager: Manager;
  readonly #registration: Registration;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #serving = false;

  constructor(settings: NsmSettings, parts: ForwarderParts) {
    this.#settings = settings;
    this.#parts = parts;
    const { identity, unixSockets, wires, readWire, log, tunnel, tracing, metrics } = parts;
    const issueToken = (peer: Peer) => tokenFor(peer, settings.maxTokenMilliseconds);
    this.#dialer = new GrpcDialer({
      identity,
      unixSockets,
      issueToken,
      propagate: (metadata) => tracing.propagate(metadata),
    });
    this.#manager = new Manager(settings.managerUrl, this.#dialer, settings.dialMilliseconds);
    this.#service = new ForwarderService(
      { ...settings, ...(tunnel ? { tunnel } : {}), temporaryDirectory: tmpdir() },
      {
        wires,
        readWire,
        dialer: this.#dialer,
        manager: (signal) => this.#manager.connect(signal),
        issueToken,
        checkCaller: checkServerPolicies,
        listNamespaces: parts.listNamespaces,
        devices: parts.devices,
        gateways: parts.gateways,
        isPortFree: parts.isPortFree,
        tracing,
        log,
      },
    );
    metrics.connections = () => this.#service.connections();
    this.#server = new GrpcServer({
      identity,
      unixSockets,
      callsForOthers: (spiffeId) => this.#manager.isKnownAs(spiffeId),
      onRefused: (error) => log.warn({ error }, 'a caller was not let in'),
    });
    this.#registration = new Registration(
      { ...settings, service: settings.serviceName },
      {
        manager: (signal) => this.#manager.connect(signal),
        onRegistered: ({ name, expirationTime: until }) => {
          metrics.registered(until);
          log.info({ name, until }, 'registered');
        },
        onFailed: (error) => {
          metrics.registrationFailed();
          log.warn({ error, manager: settings.managerUrl }, 'not registered; trying again');
        },
      },
    );
  }

  /** Whether calls are answered. */
  get serving(): boolean {
    return this.#serving;
  }

  /** Returns at once; waits for an identity in the background. */
  start(onFailed: (error: unknown) => void): void {
    // No connection of an earlier run lives longer than a token.
    this.#parts.wires.expire('nsm', this.#settings.maxTokenMilliseconds);
    this.#running = this.#begin().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) onFailed(error);
    });
  }

  /** Wires stay; neither callers nor endpoints are told. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#serving = false;
    await this.#running;
    await this.#registration.stop();
    await this.#server.stop(stopMilliseconds);
    this.#service.stop();
    this.#manager.close();
    this.#dialer.close();
    this.#parts.identity.close();
    await this.#parts.tracing.stop();
  }

  async #begin(): Promise<void> {
    const { identity, log, tracing, metrics } = this.#parts;
    if (!identity.current()) log.info({}, 'waiting for an identity before anything is served');
    const { spiffeId } = await identity.ready(this.#stopping.signal);
    serve(this.#server, this.#service, {
      tracing,
      onAnswered: (call, outcome, seconds) => metrics.answered(call, outcome, seconds),
      isServing: () => this.#serving,
    });
    const url = await this.#server.listen(this.#settings.listenUrl);
    this.#serving = true;
    this.#service.start();
    log.info({ spiffeId, url }, 'serving Network Service Mesh');
    this.#registration.start();
  }
}
