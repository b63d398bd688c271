// SPDX-License-Identifier: Apache-2.0
// The report of a connection for people, from its message.

import type { ConnectionReport } from '../../model/connection-report.ts';
import type { Connection } from '../../nsm/generated/connection.ts';
import { parameter } from '../../nsm/names.ts';

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
