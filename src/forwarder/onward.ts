// SPDX-License-Identifier: Apache-2.0
// Our calls to the next hop for one connection.

import { CrosswireError } from '../model/error.ts';
import {
  type Connection,
  type ConnectionEvent,
  ConnectionEventType,
  type Mechanism,
  MonitorConnectionService,
  MonitorScopeSelector,
  State,
} from '../nsm/generated/connection.ts';
import { NetworkServiceService } from '../nsm/generated/networkservice.ts';
import { isInodeUrl, parseInodeUrl } from '../nsm/mechanisms/inode-url.ts';
import { mechanismType, parameter } from '../nsm/names.ts';
import type { NextHop } from '../grpc/calls.ts';
import type { HeldFiles } from './held-files.ts';

export interface OnwardCall {
  readonly deadline: Date;
  readonly signal: AbortSignal;
}

/** A call that nobody else limits. */
export function within(milliseconds: number): OnwardCall {
  return { deadline: new Date(Date.now() + milliseconds), signal: AbortSignal.timeout(milliseconds) };
}

/** The answer as it came; the file that its mechanism names may still be on the way. */
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

/** Throws when it answers another question; waits for the file that its mechanism names. */
export async function acceptAnswer(
  { peer, url }: NextHop,
  { asked, offers, answer }: { asked: Connection; offers: readonly Mechanism[]; answer: Connection },
  files: HeldFiles,
  { signal }: OnwardCall,
): Promise<void> {
  checkAnswer(asked, answer, offers, url);
  const file = answer.mechanism?.parameters[parameter.inodeUrl];
  if (isInodeUrl(file) && !(await files.take(file, peer, signal)))
    throw wrongAnswer(asked, url, `${file} did not come along as a descriptor`);
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

/** A mechanism in use names a file that the next hop sent us; it expects it back with every call. */
async function sendFile({ peer }: NextHop, mechanism: Mechanism | undefined, files: HeldFiles): Promise<void> {
  const file = files.get(mechanism?.parameters[parameter.inodeUrl] ?? '');
  if (file) await peer.descriptors?.send(file.path);
}

/** A next hop answers what it was asked: our id, our place on the path, a mechanism that we offered. */
function checkAnswer(asked: Connection, answer: Connection, offers: readonly Mechanism[], url: string): void {
  const { path, mechanism } = answer;
  const offered = [...offers, ...(asked.mechanism ? [asked.mechanism] : [])].map(({ type }) => type);
  const reason =
    answer.id !== asked.id
      ? `it is about connection '${answer.id}'`
      : path?.index !== asked.path?.index || path?.pathSegments[path.index]?.id !== asked.id
        ? 'its path does not stand at our segment'
        : mechanism === undefined
          ? 'it names no mechanism'
          : offered.includes(mechanism.type)
            ? wrongParameters(mechanism)
            : `its mechanism ${mechanism.type} was not offered`;
  if (reason !== undefined) throw wrongAnswer(asked, url, reason);
}

/** What a local mechanism leaves out would be looked for among our own namespaces and files. */
function wrongParameters({ type, parameters }: Mechanism): string | undefined {
  if (type !== mechanismType.kernel && type !== mechanismType.memif) return undefined;
  const url = parameters[parameter.inodeUrl];
  if (!parseInodeUrl(url)) return `${parameter.inodeUrl} '${url ?? ''}' is no inode://device/inode`;
  const socket = parameters[parameter.socketFile] ?? '';
  if (type === mechanismType.memif && !socket.startsWith('@')) return `the socket '${socket}' is not abstract`;
  return undefined;
}

function wrongAnswer({ id }: Connection, url: string, reason: string): CrosswireError {
  return new CrosswireError({
    code: 'ANSWER_WRONG',
    operation: 'read the answer of the next hop',
    subject: `${url}, connection ${id}`,
    reason,
  });
}

export interface OnwardNews {
  /** The connection as the next hop sees it now; DOWN when it deleted it. */
  readonly onEvent: (connection: Connection, state: State) => void;
  readonly onEnd: () => void;
}

/** Events of the next hop about this connection. The function it returns ends it, without onEnd. */
export function watchOnward(nextHop: NextHop, { id, path }: Connection, news: OnwardNews): () => void {
  const stopping = new AbortController();
  const { signal } = stopping;
  const index = path?.index ?? 0;
  const name = path?.pathSegments[index]?.name ?? '';
  const selector = MonitorScopeSelector.fromPartial({ pathSegments: [{ name, id }] });
  const isOurs = (one: Connection) =>
    one.path?.pathSegments[index]?.id === id && (one.path.index === index || one.path.index === index + 1);
  const follow = async () => {
    const events = nextHop.stream(MonitorConnectionService.monitorConnections, selector, { signal });
    for await (const event of events)
      for (const one of connectionsOf(event))
        if (isOurs(one)) news.onEvent(one, event.type === ConnectionEventType.DELETE ? State.DOWN : one.state);
  };
  const ended = () => {
    if (!signal.aborted) news.onEnd();
  };
  follow().then(ended, ended);
  return () => stopping.abort();
}

function connectionsOf({ type, connections }: ConnectionEvent): Connection[] {
  const all = Object.values(connections);
  return type === ConnectionEventType.INITIAL_STATE_TRANSFER ? all.filter(({ state }) => state !== State.UP) : all;
}
