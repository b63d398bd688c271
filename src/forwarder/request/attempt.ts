// SPDX-License-Identifier: Apache-2.0
// What the steps of a Request hand on to each other.

import type { NextHop } from '../../grpc/calls.ts';
import type { Attributes } from '../../grpc/tracing/tracing.ts';
import type { IncomingCall } from '../../nsm/chain/call.ts';
import type { HeldFiles } from '../../nsm/chain/held-files.ts';
import type { Connection, Mechanism } from '../../nsm/generated/connection.ts';
import type { TunnelSide } from '../../nsm/mechanisms/mechanism.ts';
import type { Found } from '../../nsm/registry/discovery.ts';
import type { Established } from '../connections/established.ts';

/** What the caller asks for. */
export interface Asked {
  readonly connection: Connection;
  /** Name of the wire to make. */
  readonly wire: string;
  /** The connection as it was established before this Request. */
  readonly held: Established | undefined;
  readonly files: HeldFiles;
  readonly call: IncomingCall;
}

/** The mechanisms of both sides, for one of those that the caller prefers and one endpoint. */
export interface Prepared {
  /** The caller's mechanism, completed. */
  readonly callerSide: Mechanism;
  /** To the next hop, in order of preference. */
  readonly offers: readonly Mechanism[];
  /** Our side of a tunnel, where one of the mechanisms may become one that has sides of its own. */
  readonly side: TunnelSide | undefined;
}

/** The route that one attempt takes. */
export interface Route extends Prepared {
  readonly endpoint: Found;
  readonly nextHop: NextHop;
}

export function attributesOf({ id, networkService }: Connection): Attributes {
  return { 'nsm.connection': id, 'nsm.network_service': networkService };
}
