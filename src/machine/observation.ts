// SPDX-License-Identifier: Apache-2.0
// What exists: interfaces that carry our mark or a name we chose, with the namespace each was found in.

import type { Dataplane, InterfaceInfo, NamespaceEntry } from '../dataplane/types.ts';
import { CrosswireError } from '../model/error.ts';

/** Of host/sriov. */
export interface TakesHome {
  takeHome(pci: string): Promise<void>;
}

export interface FoundInterface {
  readonly namespace: NamespaceEntry;
  readonly info: InterfaceInfo;
}

export interface Search {
  readonly namespaces: readonly NamespaceEntry[];
  /** Without it, no namespace is searched: only the names are asked for. */
  readonly aliasPrefix?: string;
  readonly names: readonly string[];
  /** Addresses, routes and neighbours too. */
  readonly details: boolean;
}

/** A namespace that goes meanwhile has nothing in it. */
export async function findInterfaces(dataplane: Dataplane, search: Search): Promise<FoundInterface[]> {
  const { namespaces, ...query } = search;
  const distinct = new Map(namespaces.map((one) => [`${one.device}:${one.inode}`, one]));
  const found = await Promise.all(
    [...distinct.values()].map(async (namespace) => {
      const infos = await ignoringMissing(dataplane.listInterfaces({ ...query, netns: namespace.path }));
      return (infos ?? []).map((info) => ({ namespace, info }));
    }),
  );
  return found.flat();
}

/** Removes what was found exactly as it was found. What went by itself, or with its other side, is gone too. Hardware
 *  is never removed, but taken home. */
export async function removeFound(
  dataplane: Dataplane,
  found: readonly FoundInterface[],
  devices: TakesHome | undefined,
): Promise<unknown[]> {
  const errors: unknown[] = [];
  for (const { namespace, info } of found) {
    try {
      if (info.kind === '') await devices?.takeHome(info.device ?? '');
      else await ignoringMissing(dataplane.deleteInterface(namespace.path, info.name, info.alias));
    } catch (error) {
      errors.push(error);
    }
  }
  return errors;
}

async function ignoringMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CrosswireError && error.code === 'NAMESPACE_MISSING') return undefined;
    throw error;
  }
}
