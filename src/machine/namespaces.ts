// SPDX-License-Identifier: Apache-2.0
// Finds network namespaces by path, pid or inode, and finds a known namespace again by device and inode.

import type { Dataplane, NamespaceEntry, NamespaceIdentity } from '../dataplane/types.ts';
import { CrosswireError } from '../model/error.ts';
import type { NamespaceReference } from '../model/wire.ts';

type Namespaces = Pick<Dataplane, 'identifyNamespace' | 'listNamespaces'>;

export class NamespaceFinder {
  readonly #dataplane: Namespaces;

  constructor(dataplane: Namespaces) {
    this.#dataplane = dataplane;
  }

  /** `known`: the result of the previous call, which may save a search. */
  async resolve(reference: NamespaceReference, known?: NamespaceEntry): Promise<NamespaceEntry> {
    if ('inode' in reference) {
      const again = known?.inode === reference.inode ? await this.findAgain(known) : undefined;
      return again ?? (await this.#where(reference)) ?? this.#byInode(reference.inode);
    }
    const path = 'netns' in reference ? reference.netns : `/proc/${reference.pid}/ns/net`;
    try {
      return { path, ...(await this.#dataplane.identifyNamespace(path)) };
    } catch (error) {
      throw explained(error, reference);
    }
  }

  /** The current path of a known namespace: the old path or another one. Undefined if nothing refers to the namespace. */
  async findAgain(known: NamespaceEntry): Promise<NamespaceEntry | undefined> {
    if (await this.isStillAt(known)) return known;
    return (await this.#dataplane.listNamespaces()).find((entry) => isSame(entry, known));
  }

  async isStillAt(known: NamespaceEntry): Promise<boolean> {
    try {
      return isSame(await this.#dataplane.identifyNamespace(known.path), known);
    } catch (error) {
      if (error instanceof CrosswireError) return false;
      throw error;
    }
  }

  /** Tries the path that the reference gives. Undefined if the namespace is not there, and a search is needed. */
  async #where({ inode, netns: path }: { inode: number; netns?: string }): Promise<NamespaceEntry | undefined> {
    if (path === undefined) return undefined;
    try {
      const entry = { path, ...(await this.#dataplane.identifyNamespace(path)) };
      return entry.inode === inode ? entry : undefined;
    } catch (error) {
      if (error instanceof CrosswireError) return undefined;
      throw error;
    }
  }

  async #byInode(inode: number): Promise<NamespaceEntry> {
    const found = (await this.#dataplane.listNamespaces()).find((entry) => entry.inode === inode);
    if (found) return found;
    throw missing(`inode ${inode}`, 'no process and no file below /run/netns refers to it');
  }
}

export function isSame(a: NamespaceIdentity, b: NamespaceIdentity): boolean {
  return a.device === b.device && a.inode === b.inode;
}

export function nameOf(reference: NamespaceReference): string {
  if ('inode' in reference) return `inode ${reference.inode}`;
  return 'pid' in reference ? `pid ${reference.pid}` : reference.netns;
}

function explained(error: unknown, reference: NamespaceReference): unknown {
  if (!(error instanceof CrosswireError) || error.code !== 'NAMESPACE_MISSING') return error;
  return missing(nameOf(reference), error.reason, hintFor(reference), error);
}

function hintFor(reference: NamespaceReference): string {
  if ('pid' in reference) return 'the process must be running, in the PID namespace of the daemon';
  const path = ('netns' in reference && reference.netns) || '';
  const name = /^(?:\/var)?\/run\/netns\/([^/]+)$/.exec(path)?.[1];
  return name ? `\`ip netns add ${name}\` makes it` : 'the file must be a network namespace, as /run/netns/NAME is';
}

function missing(subject: string, reason: string, hint?: string, cause?: CrosswireError): CrosswireError {
  const errno = cause?.errno ?? 0;
  return new CrosswireError({
    code: 'NAMESPACE_MISSING',
    operation: 'find the network namespace',
    subject,
    reason,
    hint,
    errno,
    cause,
  });
}
