// SPDX-License-Identifier: Apache-2.0
// Finds the underlay of tunnels to other nodes: the local interface, its address and its MTU.

import { readFile } from 'node:fs/promises';
import { SocketAddress } from 'node:net';
import { networkInterfaces } from 'node:os';

export interface Underlay {
  readonly interface: string;
  readonly address: string;
  /** The longest IP packet, in bytes. */
  readonly mtu: number;
}

/** The interface that has `address`, or if that is '', the interface of the default route and its first global address.
 *  Undefined if there is none, or if its MTU cannot be read: sysfs may belong to another network namespace (sysfs(5)). */
export async function findUnderlay(address: string): Promise<Underlay | undefined> {
  const interfaces = networkInterfaces();
  const name = address === '' ? await defaultRouteInterface() : ownerOf(address, interfaces);
  if (name === undefined) return undefined;
  const own = address ? canonical(address) : interfaces[name]?.find(isGlobal)?.address;
  const mtu = Number(await readFile(`/sys/class/net/${name}/mtu`, 'utf8').catch(() => ''));
  return own === undefined || !mtu ? undefined : { interface: name, address: own, mtu };
}

type Interfaces = ReturnType<typeof networkInterfaces>;

function ownerOf(address: string, interfaces: Interfaces): string | undefined {
  const wanted = canonical(address);
  return Object.keys(interfaces).find((name) => interfaces[name]?.some((one) => canonical(one.address) === wanted));
}

/** One spelling for each address: IPv6 addresses have several. */
function canonical(address: string): string {
  return new SocketAddress({ address, family: address.includes(':') ? 'ipv6' : 'ipv4' }).address;
}

function isGlobal({ internal, address }: { internal: boolean; address: string }): boolean {
  return !internal && !/^fe[89ab]/i.test(address);
}

/** Of several default routes, the one with the lowest metric, as the kernel chooses. The columns of /proc/net/route are
 *  interface, destination, gateway, flags, references, use, metric, mask (fib_route_seq_show() in net/ipv4/fib_trie.c);
 *  those of ipv6_route are destination, length, source, length, gateway, metric, references, use, flags, interface
 *  (rt6_info_route() in net/ipv6/route.c). All are hexadecimal except the metric of IPv4. Blackhole and unreachable routes
 *  have the interface * or lo. */
async function defaultRouteInterface(): Promise<string | undefined> {
  const four = (await linesOf('/proc/net/route'))
    .filter(([, to, , , , , , mask]) => isZero(to) && isZero(mask))
    .map(([name = '', , , , , , metric]): Route => ({ name, metric: Number(metric) }));
  const six = (await linesOf('/proc/net/ipv6_route'))
    .filter(([to, length]) => isZero(to) && isZero(length))
    .map((columns): Route => ({ name: columns.at(-1) ?? '', metric: Number.parseInt(columns[5] ?? '', 16) }));
  return lowest(four) ?? lowest(six);
}

interface Route {
  readonly name: string;
  readonly metric: number;
}

function lowest(routes: readonly Route[]): string | undefined {
  const usable = routes.filter(({ name }) => name !== 'lo' && name !== '*');
  return usable.toSorted((a, b) => a.metric - b.metric)[0]?.name;
}

async function linesOf(file: string): Promise<string[][]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').map((line) => line.trim().split(/\s+/));
}

function isZero(hexadecimal: string | undefined): boolean {
  return hexadecimal !== undefined && /^0+$/.test(hexadecimal);
}
