// SPDX-License-Identifier: Apache-2.0
// The Close at the next hop. Where the connection to it broke meanwhile, as that to a manager that was restarted did, it is
// made anew, to where the endpoint is now: NSM's own forwarders look it up and dial for every call. Otherwise the other node
// and the endpoint would keep their halves until our token expires. To another node it is always made anew: one that lost its
// power seems connected for minutes, and a client that is to be led elsewhere would wait for its answer.

import type { Connection } from '../nsm/generated/connection.ts';
import { Discovery, type Found } from '../nsm/registry/discovery.ts';
import { Rotation } from '../nsm/registry/rotation.ts';
import { isOpen, type NextHop } from '../grpc/calls.ts';
import type { Established } from './established.ts';
import { HeldFiles } from './held-files.ts';
import { closeOnward, type OnwardCall } from './onward.ts';
import type { ServiceParts } from './parts.ts';

export interface LeaveParts extends Pick<ServiceParts, 'manager' | 'dialer'> {
  /** To reach the next hop. */
  readonly dialMilliseconds: number;
}

type Left = Pick<Established, 'connection' | 'onward' | 'nextHop' | 'endpoint' | 'files'>;

/** Where it is now; where nobody knows that, where it was. */
export async function leave(parts: LeaveParts, held: Left, call: OnwardCall): Promise<void> {
  const { nextHop, endpoint, files } = held;
  const onward = onwardOf(held);
  if (await stands(nextHop)) return closeOnward(nextHop, onward, files, call);
  const found = await find(parts, onward, call).catch(() => endpoint);
  await closeAt(parts, found, onward, files, call).finally(() => {
    if (found !== endpoint) found.file?.close();
  });
}

/** Where it was, for the connection goes elsewhere: perhaps by another way to the same endpoint, which must not hear of it. */
export async function leaveBefore(parts: LeaveParts, held: Left, call: OnwardCall): Promise<void> {
  const { nextHop, endpoint, files } = held;
  if (await stands(nextHop)) return closeOnward(nextHop, onwardOf(held), files, call);
  await closeAt(parts, endpoint, onwardOf(held), files, call);
}

/** At the endpoint that the connection names. */
export async function leaveByName(parts: LeaveParts, onward: Connection, call: OnwardCall): Promise<void> {
  const found = await find(parts, onward, call);
  await closeAt(parts, found, onward, new HeldFiles(), call).finally(() => found.file?.close());
}

function onwardOf({ connection, onward: mechanism, endpoint }: Left): Connection {
  return { ...connection, mechanism, networkServiceEndpointName: endpoint.name };
}

async function stands(nextHop: NextHop): Promise<boolean> {
  return nextHop.url.startsWith('unix:') && isOpen(nextHop);
}

/** A name leads to one endpoint. */
async function find({ manager }: LeaveParts, onward: Connection, { signal }: OnwardCall): Promise<Found> {
  const discovery = new Discovery(await manager(signal), new Rotation());
  const { candidates } = await discovery.discover(onward, signal);
  return discovery.reach((candidates[0] as (typeof candidates)[0]).endpoint, signal);
}

async function closeAt(
  { dialer, dialMilliseconds }: LeaveParts,
  { url }: Found,
  onward: Connection,
  files: HeldFiles,
  call: OnwardCall,
): Promise<void> {
  const dialling = AbortSignal.any([call.signal, AbortSignal.timeout(dialMilliseconds)]);
  const nextHop = await dialer.dial(url, dialling);
  await closeOnward(nextHop, onward, files, call).finally(() => nextHop.close());
}
