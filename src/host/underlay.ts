// SPDX-License-Identifier: Apache-2.0
// Where tunnels begin on this node: an address, and how long a packet from there may be.

import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';

export interface Underlay {
  readonly interface: string;
  readonly address: string;
  /** Of the IP packet, in bytes. */
  readonly mtu: number;
}

/** The interface that has `address`; without one, the first address of the interface of the default route. Undefined:
 *  there is none. */
export async function findUnderlay(address: string): Promise<Underlay | undefined> {
  const interfaces = networkInterfaces();
  const name = address === '' ? await defaultRouteInterface() : ownerOf(address, interfaces);
  if (name === undefined) return undefined;
  const own = address || interfaces[name]?.find(isGlobal)?.address;
  const mtu = Number(await readFile(`/sys/class/net/${name}/mtu`, 'utf8'));
  return own === undefined ? undefined : { interface: name, address: own, mtu };
}

type Interfaces = ReturnType<typeof networkInterfaces>;

function ownerOf(address: string, interfaces: Interfaces): string | undefined {
  return Object.keys(interfaces).find((name) => interfaces[name]?.some((one) => one.address === address));
}

function isGlobal({ internal, address }: { internal: boolean; address: string }): boolean {
  return !internal && !/^fe[89ab]/i.test(address);
}

/** proc_pid_net(5): columns name, destination, …, mask as eighth, in hexadecimal; IPv6 has the prefix length second. */
async function defaultRouteInterface(): Promise<string | undefined> {
  const four = (await linesOf('/proc/net/route')).find(([, to, , , , , , mask]) => isZero(to) && isZero(mask));
  if (four) return four[0];
  const six = (await linesOf('/proc/net/ipv6_route')).find(([to, prefix]) => isZero(to) && isZero(prefix));
  return six?.at(-1) === 'lo' ? undefined : six?.at(-1);
}

async function linesOf(file: string): Promise<string[][]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').map((line) => line.trim().split(/\s+/));
}

function isZero(hexadecimal: string | undefined): boolean {
  return hexadecimal !== undefined && /^0+$/.test(hexadecimal);
}
