// SPDX-License-Identifier: Apache-2.0
// The Requests of a client, the first one and later ones.

import { Connection, State } from '../../nsm/generated/connection.ts';
import { withSegment } from '../../nsm/path/path-segments.ts';
import type { Token } from '../../spiffe/tokens/token.ts';

export interface Wanted {
  readonly name: string;
  readonly service: string;
  readonly mechanism: 'KERNEL' | 'MEMIF';
  readonly interfaceName: string;
  /** Token of a virtual function that becomes the interface; '' for none. */
  readonly deviceToken: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The id depends only on the name, so that a client takes over the wire of one that died. */
export function firstRequest({ name, service, mechanism, interfaceName, labels }: Wanted): Connection {
  const id = `${name}-0`;
  const metrics = { client_interface: `${mechanism}/${interfaceName}` };
  return Connection.fromPartial({
    id,
    networkService: service,
    labels,
    context: { ipContext: {} },
    path: { index: 0, pathSegments: [{ name, id, metrics }] },
  });
}

export function withOwnToken(connection: Connection, token: Token): Connection {
  return withSegment(connection, 0, token);
}

/** The same connection by another endpoint or forwarder (sdk, pkg/networkservice/common/heal). */
export function reselecting(connection: Connection): Connection {
  return {
    ...connection,
    mechanism: undefined,
    networkServiceEndpointName: '',
    state: State.RESELECT_REQUESTED,
  };
}

/** The next refresh is due after a fifth of the shortest life on the path (sdk, common/refresh). */
export function refreshDelay({ path }: Connection, now = Date.now()): number {
  const lives = (path?.pathSegments ?? []).flatMap(({ expires }) => (expires ? expires.getTime() - now : []));
  return Math.max(200, 0.2 * Math.min(...lives, 600_000));
}
