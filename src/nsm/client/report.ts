// SPDX-License-Identifier: Apache-2.0
// A connection as people and programs want to know it.

import type { Connection } from '../generated/connection.ts';
import { parameter } from '../names.ts';

export interface ConnectionReport {
  readonly id: string;
  readonly networkService: string;
  readonly endpoint: string;
  readonly payload: string;
  readonly mechanism: string;
  readonly interface: string;
  /** Of a memif. */
  readonly socket?: string;
  readonly mtu: number;
  readonly clientAddresses: readonly string[];
  readonly endpointAddresses: readonly string[];
  /** Names of the programs between client and endpoint, both included. */
  readonly path: readonly string[];
}

export function reportOf(connection: Connection): ConnectionReport {
  const { mechanism, context, path } = connection;
  const socket = mechanism?.parameters[parameter.socketFile];
  return {
    id: connection.id,
    networkService: connection.networkService,
    endpoint: connection.networkServiceEndpointName,
    payload: connection.payload,
    mechanism: mechanism?.type ?? '',
    interface: mechanism?.parameters[parameter.interfaceName] ?? '',
    ...(socket ? { socket } : {}),
    mtu: context?.MTU ?? 0,
    clientAddresses: context?.ipContext?.srcIpAddrs ?? [],
    endpointAddresses: context?.ipContext?.dstIpAddrs ?? [],
    path: path?.pathSegments.map(({ name }) => name) ?? [],
  };
}
