// SPDX-License-Identifier: Apache-2.0
// Endpoints for a connection, in the order in which they are tried (networkservicemesh/sdk, pkg/networkservice/common:
// discover, roundrobin).

import type { IncomingCall } from '../../nsm/chain/call.ts';
import type { Connection } from '../../nsm/generated/connection.ts';
import { Discovery, type Found } from '../../nsm/registry/discovery.ts';
import type { Rotation } from '../../nsm/registry/rotation.ts';
import type { ServiceParts } from '../parts/parts.ts';
import { attributesOf } from './attempt.ts';

export interface Discovered {
  /** With the payload of its network service. */
  readonly connection: Connection;
  /** Each waits for what it takes to reach that endpoint. */
  readonly endpoints: readonly (() => Promise<Found>)[];
}

export async function discover(
  { manager, tracing }: Pick<ServiceParts, 'manager' | 'tracing'>,
  rotation: Rotation,
  connection: Connection,
  { signal }: IncomingCall,
): Promise<Discovered> {
  const discovery = new Discovery(await manager(signal), rotation);
  const { payload, candidates } = await tracing.step('discover', attributesOf(connection), () =>
    discovery.discover(connection, signal),
  );
  return {
    connection: { ...connection, payload: payload || connection.payload },
    endpoints: candidates.map(
      ({ endpoint }) =>
        () =>
          discovery.reach(endpoint, signal),
    ),
  };
}
