// SPDX-License-Identifier: Apache-2.0
// The next hop is dialled and asked (networkservicemesh/sdk, pkg/networkservice/common: dial, connect).

import { isOpen, type NextHop } from '../../grpc/calls.ts';
import { acceptAnswer } from '../../nsm/chain/accept-answer.ts';
import { closeOnward, requestOnward, within } from '../../nsm/chain/onward.ts';
import type { Connection } from '../../nsm/generated/connection.ts';
import type { Found } from '../../nsm/registry/discovery.ts';
import type { Established } from '../connections/established.ts';
import type { ServiceParts } from '../parts/parts.ts';
import { type Asked, attributesOf, type Route } from './attempt.ts';
import type { Undo } from './undo.ts';

/** For the Close of a connection that was only half made. */
const closeMilliseconds = 5_000;

/** One connection to an endpoint serves until it breaks, or until certificates are renewed. */
export async function dial(
  { dialer, dialMilliseconds }: Pick<ServiceParts, 'dialer'> & { readonly dialMilliseconds: number },
  sameEndpoint: Established | undefined,
  { url }: Found,
  signal: AbortSignal,
): Promise<NextHop> {
  const known = sameEndpoint?.nextHop;
  if (known && !known.outdated && (await isOpen(known))) return known;
  return dialer.dial(url, AbortSignal.any([signal, AbortSignal.timeout(dialMilliseconds)]));
}

/** The answer, checked. A half-made connection is closed again at the endpoint; an established one goes on. */
export async function connect(
  { tracing }: Pick<ServiceParts, 'tracing'>,
  { held, files, call }: Asked,
  { endpoint, nextHop, offers }: Pick<Route, 'endpoint' | 'nextHop' | 'offers'>,
  onward: Connection,
  undo: Undo,
): Promise<Connection> {
  let known = onward;
  if (!held) undo.push(() => closeOnward(nextHop, known, files, within(closeMilliseconds)));
  const answer = await tracing.step(
    'ask the next hop',
    { ...attributesOf(onward), 'nsm.endpoint': endpoint.name, 'nsm.next_hop': nextHop.url },
    () => requestOnward(nextHop, onward, offers, files, call),
  );
  known = { ...answer, id: onward.id }; // the endpoint finds its half only by its own segment
  await acceptAnswer(nextHop, { asked: onward, offers, answer }, files, call);
  return answer;
}
