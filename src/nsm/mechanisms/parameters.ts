// SPDX-License-Identifier: Apache-2.0
// Reads parameters and contexts of connections.

import type { EndName } from '../../model/wire.ts';
import { CrosswireError } from '../../model/error.ts';
import type { Connection, Mechanism } from '../generated/connection.ts';
import { parseInodeUrl } from '../inode-url.ts';
import { parameter, payload } from '../names.ts';
import type { Agreement, Parameters } from './mechanism.ts';

/** A parameter that may be missing. The check of the whole document then reports its key. */
export function given(parameters: Parameters, key: string): string {
  return parameters[key] as string;
}

export function macOf({ context, payload: carried }: Connection, end: EndName): { mac?: string } {
  const ethernet = context?.ethernetContext;
  const mac = end === 'client' ? ethernet?.srcMac : ethernet?.dstMac;
  return mac && carried === payload.ethernet ? { mac } : {};
}

export function namespaceOf(parameters: Parameters, pathOf: Agreement['pathOf']): { inode?: number; netns?: string } {
  const url = parameters[parameter.inodeUrl] ?? '';
  const [file, netns] = [parseInodeUrl(url), pathOf(url)];
  return { ...(file ? { inode: file.inode } : {}), ...(netns ? { netns } : {}) };
}

export function mustHaveNamespace({ type, parameters }: Mechanism): void {
  const url = parameters[parameter.inodeUrl];
  if (parseInodeUrl(url)) return;
  throw new CrosswireError({
    code: 'MECHANISM_PARAMETER',
    operation: `read the caller's mechanism ${type}`,
    subject: `${parameter.inodeUrl} '${url ?? ''}'`,
    reason: 'it does not name a network namespace as inode://device/inode',
    hint: 'the namespace must go along as a descriptor on a unix socket',
  });
}

export function isOnThisNode(nextHopUrl: string): boolean {
  return /^(unix|inode):/.test(nextHopUrl);
}
