// SPDX-License-Identifier: Apache-2.0
// The Close of an unknown connection for whose client an earlier run made a wire.

import type { OnwardCall } from '../../nsm/chain/onward.ts';
import type { Connection } from '../../nsm/generated/connection.ts';
import { clientOf } from '../../nsm/path/path-segments.ts';
import { clientOfWire, isNextOfWire } from '../../nsm/wire/wire-document.ts';
import type { WireStatus } from '../../wire/status.ts';
import type { ServiceParts } from '../parts/parts.ts';
import { closeByName } from './close-next-hop.ts';

/** As for a known connection: the endpoint gets the Close, then the wire is removed, also where the Close failed. NSM's
 *  own forwarders let the endpoint keep its half, and its addresses, until the token expires. */
export async function closeLeftover(
  parts: ServiceParts,
  dialMilliseconds: number,
  connection: Connection,
  wire: string,
  call: OnwardCall,
): Promise<void> {
  const { wires, log } = parts;
  const leftover = wires.get(wire);
  if (!leftover || clientOfWire(leftover) !== clientOf(connection)) return;
  const about = { connection: connection.id, wire };
  log.info(about, 'the client of a wire of an earlier run ended: removing it');
  await tellEndpoint(parts, dialMilliseconds, connection, leftover, call).catch((error: unknown) =>
    log.warn({ ...about, error }, 'the endpoint of a wire of an earlier run did not take the Close'),
  );
  await wires.remove([wire]);
}

/** The endpoint finds its half by the path segment behind ours, which must be the one in the journal. */
async function tellEndpoint(
  { manager, dialer }: ServiceParts,
  dialMilliseconds: number,
  connection: Connection,
  leftover: WireStatus,
  call: OnwardCall,
): Promise<void> {
  const { pod: networkServiceEndpointName } = leftover.spec.endpoint;
  if (!networkServiceEndpointName || !isNextOfWire(leftover, connection)) return;
  const onward = { ...connection, networkServiceEndpointName, mechanism: undefined };
  await closeByName({ manager, dialer, dialMilliseconds }, onward, call);
}
