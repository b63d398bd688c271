// SPDX-License-Identifier: Apache-2.0
// The answer of the next hop is its word: it is checked before anything follows from it.

import type { NextHop } from '../../grpc/calls.ts';
import { CrosswireError } from '../../model/error.ts';
import type { Connection, Mechanism } from '../generated/connection.ts';
import { isInodeUrl, parseInodeUrl } from '../inode-url.ts';
import { mechanismType, parameter } from '../names.ts';
import type { HeldFiles } from './held-files.ts';
import type { OnwardCall } from './onward.ts';

/** Throws ANSWER_WRONG where it does not fit what was asked; waits for the file that its mechanism names. */
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

/** It must carry our id, stand at our segment of the path, and name a mechanism that we offered. */
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

/** A file or socket that a local mechanism left out would be looked for in our own namespace. */
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
