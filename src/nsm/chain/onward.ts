// SPDX-License-Identifier: Apache-2.0
// Request and Close at the next hop of one connection, with the descriptors that go along (networkservicemesh/sdk,
// pkg/networkservice/common: connect, sendfd).

import type { NextHop } from '../../grpc/calls.ts';
import type { Connection, Mechanism } from '../generated/connection.ts';
import { NetworkServiceService } from '../generated/networkservice.ts';
import { parameter } from '../names.ts';
import type { HeldFiles } from './held-files.ts';

export interface OnwardCall {
  readonly deadline: Date;
  readonly signal: AbortSignal;
}

/** For a call of our own, which no caller's deadline limits. */
export function within(milliseconds: number): OnwardCall {
  return { deadline: new Date(Date.now() + milliseconds), signal: AbortSignal.timeout(milliseconds) };
}

/** The answer as it came: acceptAnswer() checks it and waits for its file. */
export async function requestOnward(
  nextHop: NextHop,
  connection: Connection,
  offers: readonly Mechanism[],
  files: HeldFiles,
  call: OnwardCall,
): Promise<Connection> {
  await sendFile(nextHop, connection.mechanism, files);
  const request = { connection, mechanismPreferences: [...offers] };
  const { response } = await nextHop.unary(NetworkServiceService.request, request, call);
  return response;
}

export async function closeOnward(
  nextHop: NextHop,
  connection: Connection,
  files: HeldFiles,
  call: OnwardCall,
): Promise<void> {
  await sendFile(nextHop, connection.mechanism, files);
  await nextHop.unary(NetworkServiceService.close, connection, call);
}

/** The mechanism in use names a file that the next hop sent us; the next hop expects it back with every call. */
async function sendFile({ peer }: NextHop, mechanism: Mechanism | undefined, files: HeldFiles): Promise<void> {
  const file = files.get(mechanism?.parameters[parameter.inodeUrl] ?? '');
  if (file) await peer.descriptors?.send(file.path);
}
