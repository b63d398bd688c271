// SPDX-License-Identifier: Apache-2.0
// Reads interfaces with iproute2, in this namespace or another, and checks whether one reaches another.

import type { Namespace } from '../../support/namespace.ts';
import { eventually, run } from '../../support/shell.ts';

/** A virtual function in the output of `ip -j -d -s link show` for its physical function. */
export interface VfAttributes {
  readonly vf: number;
  readonly address: string;
  readonly vlan_list?: readonly { readonly vlan?: number }[];
  readonly spoofchk?: boolean;
  readonly trust?: boolean;
  readonly rate?: { readonly max_tx: number; readonly min_tx: number };
}

export interface Link {
  readonly ifindex: number;
  readonly ifname: string;
  readonly address: string;
  readonly mtu: number;
  readonly operstate: string;
  readonly flags: readonly string[];
  readonly linkinfo?: { readonly info_kind?: string };
  readonly vfinfo_list?: readonly VfAttributes[];
  readonly stats64: Readonly<Record<'rx' | 'tx', { readonly packets: number; readonly bytes: number }>>;
}

/** The output of `ip -j`, in the given namespace or in this one. */
export async function ip<T>(where: Namespace | undefined, ...args: string[]): Promise<T> {
  const inside = where ? ['-n', where.name] : [];
  const text = await run('ip', ...inside, '-j', ...args);
  return JSON.parse(text === '' ? '[]' : text) as T;
}

export async function links(where?: Namespace): Promise<Link[]> {
  return ip<Link[]>(where, '-d', '-s', 'link', 'show');
}

/** The interface of that name; undefined if there is none. */
export async function findLink(name: string, where?: Namespace): Promise<Link | undefined> {
  return (await links(where)).find(({ ifname }) => ifname === name);
}

export async function link(name: string, where?: Namespace): Promise<Link> {
  const found = await findLink(name, where);
  if (!found) throw new Error(`no interface ${name} in ${where?.name ?? 'this namespace'}`);
  return found;
}

/** Sets the interface up and waits for its carrier: an emulated NIC needs time to negotiate. */
export async function bringUp(name: string, where?: Namespace): Promise<void> {
  await ip(where, 'link', 'set', 'dev', name, 'up');
  await eventually(`${name} has a carrier`, async () => (await link(name, where)).flags.includes('LOWER_UP'), 60_000);
}

/** Waits for an answer; a NIC whose link has just come up may lose the first frames. */
export async function reaches(from: Namespace, address: string): Promise<void> {
  await eventually(`${address} answers`, async () => from.run('ping', '-q', '-c', '1', '-W', '2', address));
}
