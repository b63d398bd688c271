// SPDX-License-Identifier: Apache-2.0
// What the service needs from outside, and the call it is given.

import type { Wire } from '../wire/wire.ts';
import type { Connection, PathSegment } from '../nsm/generated/connection.ts';
import type { SharedDevices } from '../nsm/mechanisms/devices.ts';
import type { Gateways } from '../nsm/mechanisms/gateways.ts';
import type { TunnelSettings } from '../nsm/mechanisms/offers.ts';
import type { WireguardPorts } from '../nsm/mechanisms/wireguard.ts';
import type { Tracing } from '../grpc/tracing/tracing.ts';
import type { Dialer, NextHop, Peer } from '../grpc/calls.ts';
import type { Wires } from './wires.ts';
import type { DeparturesParts } from './departures.ts';

export interface ServiceSettings {
  /** Of our path segment and of our registration. */
  readonly name: string;
  readonly tunnel?: TunnelSettings;
  /** Mechanism types to offer first. */
  readonly mechanismPriority: readonly string[];
  /** memif at both ends goes through the engine, where it is counted, instead of directly. */
  readonly memifViaEngine: boolean;
  readonly temporaryDirectory: string;
  /** Milliseconds to reach a next hop. */
  readonly dialMilliseconds: number;
}

export interface Token {
  readonly token: string;
  readonly expires: Date;
}

export interface ServiceParts {
  readonly wires: Wires;
  /** Checks a wire document by the rules of wire files. */
  readonly readWire: (document: object) => Promise<Wire>;
  readonly dialer: Dialer;
  readonly manager: (signal: AbortSignal) => Promise<NextHop>;
  readonly issueToken: (peer: Peer) => Promise<Token>;
  /** The policies of a server; rejects with POLICY_REFUSED. */
  readonly checkCaller: (segments: readonly PathSegment[], certificate: string) => Promise<void>;
  /** The namespaces of this node that processes and mounts refer to. */
  readonly listNamespaces: DeparturesParts['list'];
  readonly isPortFree: WireguardPorts['isFree'];
  /** Absent: none are. */
  readonly devices?: SharedDevices | undefined;
  /** Absent: none are known. */
  readonly gateways?: Gateways | undefined;
  readonly tracing: Pick<Tracing, 'step'>;
  readonly log: ServiceLog;
}

export interface ServiceLog {
  info(about: object, words: string): void;
  warn(about: object, words: string): void;
}

export interface IncomingCall {
  readonly caller: Peer;
  /** What the caller's metadata brought. */
  readonly token?: Token;
  readonly deadline: Date;
  /** Aborts at the deadline, or when the caller gives up. */
  readonly signal: AbortSignal;
}

/** Told of every change of a connection, in order. */
export interface ConnectionObserver {
  updated(connection: Connection): void;
  deleted(connection: Connection): void;
}
