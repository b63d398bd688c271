// SPDX-License-Identifier: Apache-2.0
// The words for the parts of a wire that every room shares. src/wire/wire.ts has the wire itself.

export type Payload = 'ethernet' | 'ip';
export type EndName = 'client' | 'endpoint';
export const endNames: readonly EndName[] = ['client', 'endpoint'];

export function otherEnd(end: EndName): EndName {
  return end === 'client' ? 'endpoint' : 'client';
}

/** A reference to a network namespace. */
export type NamespaceReference =
  | { readonly netns: string } // absolute path, e.g. /run/netns/web
  | { readonly pid: number }
  /** The inode of the namespace file, as `ls -Li /run/netns/web` prints it; `netns`: where to look first. */
  | { readonly inode: number; readonly netns?: string };

/** How frames travel: through a veth pair across two namespaces; through the engine; through a tunnel device in the workload's
 *  namespace; through a VLAN device or macvlan there; directly between two applications; or switched by a NIC. */
export type Path = 'veth' | 'engine' | 'tunnel' | 'vlan' | 'proxy' | 'nic';
