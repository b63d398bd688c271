// SPDX-License-Identifier: Apache-2.0
// The Close at the next hop. Where the connection to it broke meanwhile, as that to a manager that was restarted did, it is
// made anew, to where the endpoint is now: NSM's own forwarders look it up and dial for every call. Otherwise the other node
// and the endpoint would keep their halves until our token expires. To another node it is always made anew: one that lost its
// power seems connected for minutes, and a client that is to be led elsewhere would wait for its answer.

import type { Connection } from '../generated/connection.ts';
import { Discovery, type Found } from '../registry/discovery.ts';
import { Rotation } from '../registry/rotation.ts';
import { isOpen, type NextHop } from '../transport/calls.ts';
import type { Established } from './established.ts';
import type { HeldFiles } from './held-files.ts';
import { closeOnward, type OnwardCall } from './onward.ts';
import type { ServiceParts } from './parts.ts';

export interface LeaveParts extends Pick<ServiceParts, 'manager' | 'dialer'> {
  /** To reach the next hop. */
  readonly dialMilliseconds: number;
}

type Left = Pick<Established, 'connection' | 'onward' | 'nextHop' | 'endpoint' | 'files'>;

export async function leave(parts: LeaveParts, held: Left, call: OnwardCall): Promise<void> {
  const { connection, onward: mechanism, nextHop, endpoint, files } = held;
  const onward = { ...connection, mechanism, networkServiceEndpointName: endpoint.name };
  const isLocal = nextHop.url.startsWith('unix:');
  if (isLocal && (await isOpen(nextHop))) return closeOnward(nextHop, onward, files, call);
  await leaveByName(parts, onward, files, call, endpoint);
}

/** `last`: where it was, in case that nobody knows it any more. That file is the caller's. */
export async function leaveByName(
  parts: LeaveParts,
  onward: Connection,
  files: HeldFiles,
  call: OnwardCall,
  last?: Found,
): Promise<void> {
  const found = await find(parts, onward, call).catch((error: unknown) => {
    if (last) return last;
    throw error;
  });
  try {
    const nextHop = await dial(parts, found, call);
    await closeOnward(nextHop, onward, files, call).finally(() => nextHop.close());
  } finally {
    if (found !== last) found.file?.close();
  }
}

/** A name leads to one endpoint. */
async function find({ manager }: LeaveParts, onward: Connection, { signal }: OnwardCall): Promise<Found> {
  const discovery = new Discovery(await manager(signal), new Rotation());
  const { candidates } = await discovery.discover(onward, signal);
  return discovery.reach((candidates[0] as (typeof candidates)[0]).endpoint, signal);
}

async function dial(
  { dialer, dialMilliseconds }: LeaveParts,
  { url }: Found,
  { signal }: OnwardCall,
): Promise<NextHop> {
  return dialer.dial(url, AbortSignal.any([signal, AbortSignal.timeout(dialMilliseconds)]));
}
