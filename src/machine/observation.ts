// SPDX-License-Identifier: Apache-2.0
// Finds the interfaces that carry this node's mark or a given name, with the network namespace of each.

import type { Dataplane, InterfaceInfo, NamespaceEntry } from '../dataplane/types.ts';
import { CrosswireError } from '../model/error.ts';

/** Brings back devices that have no lease; implemented by sriov/lender.ts. */
export interface BringsBack {
  bringBack(pci: string): Promise<void>;
}

export interface FoundInterface {
  readonly namespace: NamespaceEntry;
  readonly info: InterfaceInfo;
}

export interface Search {
  readonly namespaces: readonly NamespaceEntry[];
  /** If absent, interfaces are found by name only. */
  readonly aliasPrefix?: string;
  readonly names: readonly string[];
  /** Whether to read addresses, routes and neighbours as well. */
  readonly details: boolean;
}

/** A namespace that disappears during the search counts as empty. */
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

/** Deletes the interfaces, each only if its namespace, name and alias still match. An interface that is already gone, for
 *  example with its veth peer, is no error. Hardware is not deleted but brought back to the forwarder's namespace. */
export async function removeFound(
  dataplane: Dataplane,
  found: readonly FoundInterface[],
  devices: BringsBack | undefined,
): Promise<unknown[]> {
  const errors: unknown[] = [];
  for (const { namespace, info } of found) {
    try {
      if (info.kind === '') await devices?.bringBack(info.device ?? '');
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
