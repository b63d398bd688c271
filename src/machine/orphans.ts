// SPDX-License-Identifier: Apache-2.0
// Finds and removes orphans: interfaces with this node's mark that no wire claims, in any network namespace of this
// machine. Needs only the node name.

import type { Dataplane, NamespaceEntry } from '../dataplane/types.ts';
import { type Mark, markPrefix, parseMark, parseUplinkMark } from './marks.ts';
import { type BringsBack, type FoundInterface, findInterfaces, removeFound } from './observation.ts';

export interface OrphanSearch {
  readonly node: string;
  /** Temporary names of interfaces that may not have been marked yet. */
  readonly temporaryNames: readonly string[];
  readonly devices?: BringsBack | undefined;
  readonly isClaimed: (mark: Mark, namespace: NamespaceEntry) => boolean;
  /** The mark is that of the interface above the uplink. */
  readonly isUplinkClaimed: (mark: Mark, name: string) => boolean;
}

export interface OrphanSweep {
  readonly removed: readonly FoundInterface[];
  readonly errors: readonly unknown[];
}

/** A namespace that cannot be read is reported among the errors, and the others are swept, so that the daemon can start. */
export async function sweepOrphans(dataplane: Dataplane, search: OrphanSearch): Promise<OrphanSweep> {
  const { found, errors } = await findOrphans(dataplane, search);
  return { removed: found, errors: [...errors, ...(await removeFound(dataplane, found, search.devices))] };
}

export async function findOrphans(
  dataplane: Dataplane,
  search: OrphanSearch,
): Promise<{ found: FoundInterface[]; errors: unknown[] }> {
  const { node, temporaryNames: names, isClaimed, isUplinkClaimed } = search;
  const query = { aliasPrefix: markPrefix(node), names, details: false };
  const orphansIn = async (one: NamespaceEntry) =>
    (await findInterfaces(dataplane, { namespaces: [one], ...query })).filter(isOrphan);
  const searches = await Promise.allSettled((await dataplane.listNamespaces()).map(orphansIn));
  return {
    found: searches.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])),
    errors: searches.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : [])),
  };

  function isOrphan({ namespace, info }: FoundInterface): boolean {
    const mark = parseMark(node, info.alias);
    if (mark) return !isClaimed(mark, namespace);
    const uplink = parseUplinkMark(node, info.alias);
    if (uplink) return !isUplinkClaimed(uplink, info.name);
    return (
      info.alias.startsWith(markPrefix(node)) || (info.alias === '' && info.kind !== '' && names.includes(info.name))
    );
  }
}
