// SPDX-License-Identifier: Apache-2.0
// The Close of a connection that nobody knows, for whose client an earlier run of ours made a wire.

import type { WireStatus } from '../wire/status.ts';
import type { Connection } from '../nsm/generated/connection.ts';
import { clientOf } from '../nsm/path/path-segments.ts';
import { clientOfWire, isNextOfWire } from '../nsm/wire/wire-document.ts';
import { leaveByName } from './leave.ts';
import type { OnwardCall } from './onward.ts';
import type { ServiceParts } from './parts.ts';

/** As of a connection that is known: the endpoint hears of it, then the wire goes, also where it did not. NSM's own
 *  forwarders leave the endpoint to wait for the end of our token, and its addresses with it. */
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

/** By the segment behind ours the endpoint finds its half again: it must be the one that the journal has. */
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
  await leaveByName({ manager, dialer, dialMilliseconds }, onward, call);
}
