// SPDX-License-Identifier: Apache-2.0
// The words for the parts of a wire that every room shares. src/wire/wire.ts has the wire itself.

export type Payload = 'ethernet' | 'ip';
export type EndName = 'client' | 'endpoint';
export const endNames: readonly EndName[] = ['client', 'endpoint'];

export function otherEnd(end: EndName): EndName {
  return end === 'client' ? 'endpoint' : 'client';
}

/** Where a network namespace is found. */
export type NamespaceReference =
  | { readonly netns: string } // absolute path, e.g. /run/netns/web
  | { readonly pid: number }
  /** Of the namespace file, as `ls -Li /run/netns/web` prints it; `netns`: where to look first. */
  | { readonly inode: number; readonly netns?: string };

/** How frames travel: a veth pair across two namespaces, through the engine, a tunnel's device in the workload's
 *  namespace, a part of a host device there, directly between two applications, or switched by a NIC. */
export type Path = 'veth' | 'engine' | 'tunnel' | 'vlan' | 'proxy' | 'nic';
