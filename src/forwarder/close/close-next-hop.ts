// SPDX-License-Identifier: Apache-2.0
// The Close at the next hop of a connection. A broken connection to it, as to a manager that was restarted, is dialled
// again, to where the endpoint is now: NSM's own forwarders look it up and dial for every call. Otherwise the other node and
// the endpoint would keep their halves until our token expires. A connection to another node is always dialled again: a node
// that lost power seems connected for minutes, and a client that is to be moved elsewhere would wait for its answer.

import { isOpen, type NextHop } from '../../grpc/calls.ts';
import { HeldFiles } from '../../nsm/chain/held-files.ts';
import { closeOnward, type OnwardCall } from '../../nsm/chain/onward.ts';
import type { Connection } from '../../nsm/generated/connection.ts';
import { Discovery, type Found } from '../../nsm/registry/discovery.ts';
import { Rotation } from '../../nsm/registry/rotation.ts';
import type { Established } from '../connections/established.ts';
import type { ServiceParts } from '../parts/parts.ts';

export interface CloseParts extends Pick<ServiceParts, 'manager' | 'dialer'> {
  /** To reach the next hop. */
  readonly dialMilliseconds: number;
}

type Closing = Pick<Established, 'connection' | 'onward' | 'nextHop' | 'endpoint' | 'files'>;

/** Where the endpoint is now; where its registration is gone, at its last address. */
export async function closeNextHop(parts: CloseParts, held: Closing, call: OnwardCall): Promise<void> {
  const { nextHop, endpoint, files } = held;
  const onward = onwardOf(held);
  if (await isUsable(nextHop)) return closeOnward(nextHop, onward, files, call);
  const found = await find(parts, onward, call).catch(() => endpoint);
  await closeAt(parts, found, onward, files, call).finally(() => {
    if (found !== endpoint) found.file?.close();
  });
}

/** At its last address, for the connection moves elsewhere: perhaps to the same endpoint by another next hop, which must
 *  not get this Close. */
export async function closePreviousNextHop(parts: CloseParts, held: Closing, call: OnwardCall): Promise<void> {
  const { nextHop, endpoint, files } = held;
  if (await isUsable(nextHop)) return closeOnward(nextHop, onwardOf(held), files, call);
  await closeAt(parts, endpoint, onwardOf(held), files, call);
}

/** At the endpoint that the connection names. */
export async function closeByName(parts: CloseParts, onward: Connection, call: OnwardCall): Promise<void> {
  const found = await find(parts, onward, call);
  await closeAt(parts, found, onward, new HeldFiles(), call).finally(() => found.file?.close());
}

function onwardOf({ connection, onward: mechanism, endpoint }: Closing): Connection {
  return { ...connection, mechanism, networkServiceEndpointName: endpoint.name };
}

async function isUsable(nextHop: NextHop): Promise<boolean> {
  return nextHop.url.startsWith('unix:') && isOpen(nextHop);
}

/** A name leads to one endpoint. */
async function find({ manager }: CloseParts, onward: Connection, { signal }: OnwardCall): Promise<Found> {
  const discovery = new Discovery(await manager(signal), new Rotation());
  const { candidates } = await discovery.discover(onward, signal);
  return discovery.reach((candidates[0] as (typeof candidates)[0]).endpoint, signal);
}

async function closeAt(
  { dialer, dialMilliseconds }: CloseParts,
  { url }: Found,
  onward: Connection,
  files: HeldFiles,
  call: OnwardCall,
): Promise<void> {
  const dialling = AbortSignal.any([call.signal, AbortSignal.timeout(dialMilliseconds)]);
  const nextHop = await dialer.dial(url, dialling);
  await closeOnward(nextHop, onward, files, call).finally(() => nextHop.close());
}
