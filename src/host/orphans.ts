// SPDX-License-Identifier: Apache-2.0
// Interfaces of ours that no wire claims, anywhere on this machine. Needs nothing else built: a node name is enough.

import type { Dataplane, NamespaceEntry } from '../dataplane/types.ts';
import { type Mark, markPrefix, parseMark } from './marks.ts';
import { type FoundInterface, findInterfaces, removeFound } from './observation.ts';

export interface OrphanSearch {
  readonly node: string;
  /** Names chosen for interfaces that may not have got their mark. */
  readonly temporaryNames: readonly string[];
  readonly isClaimed: (mark: Mark, namespace: NamespaceEntry) => boolean;
}

export interface OrphanSweep {
  readonly removed: readonly FoundInterface[];
  readonly errors: readonly unknown[];
}

export async function sweepOrphans(dataplane: Dataplane, search: OrphanSearch): Promise<OrphanSweep> {
  const { node, temporaryNames: names, isClaimed } = search;
  const namespaces = await dataplane.listNamespaces();
  const found = await findInterfaces(dataplane, { namespaces, aliasPrefix: markPrefix(node), names, details: false });
  const orphans = found.filter(({ namespace, info }) => {
    const mark = parseMark(node, info.alias);
    if (mark) return !isClaimed(mark, namespace);
    return info.alias.startsWith(markPrefix(node)) || (info.alias === '' && names.includes(info.name));
  });
  return { removed: orphans, errors: await removeFound(dataplane, orphans) };
}
