// SPDX-License-Identifier: Apache-2.0
// What the forwarder's service needs from outside.

import type { Dialer, NextHop } from '../../grpc/calls.ts';
import type { Tracing } from '../../grpc/tracing/tracing.ts';
import type { AuthorizeParts } from '../../nsm/chain/authorize.ts';
import type { FileNumbers } from '../../nsm/inode-url.ts';
import type { SharedDevices } from '../../nsm/mechanisms/devices.ts';
import type { Gateways } from '../../nsm/mechanisms/gateways.ts';
import type { TunnelPorts, TunnelSettings } from '../../nsm/mechanisms/mechanism.ts';
import type { WireDocument } from '../../wire/wire-document.ts';
import type { Wire } from '../../wire/wire.ts';
import type { Wires } from './wires.ts';

export interface ServiceSettings {
  /** The name of our path segment and of our registration. */
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

export interface ServiceParts extends AuthorizeParts {
  readonly wires: Wires;
  /** Checks a wire document by the rules of wire files. */
  readonly readWire: (document: WireDocument) => Promise<Wire>;
  readonly dialer: Dialer;
  readonly manager: (signal: AbortSignal) => Promise<NextHop>;
  /** The namespaces of this node that processes and mounts refer to. */
  readonly listNamespaces: () => Promise<readonly FileNumbers[]>;
  readonly isPortFree: TunnelPorts['isFree'];
  /** Absent: this node shares no devices. */
  readonly devices?: SharedDevices | undefined;
  /** Absent: this node knows no gateways. */
  readonly gateways?: Gateways | undefined;
  readonly tracing: Pick<Tracing, 'step'>;
  readonly log: ServiceLog;
}

export interface ServiceLog {
  info(about: object, words: string): void;
  warn(about: object, words: string): void;
}
