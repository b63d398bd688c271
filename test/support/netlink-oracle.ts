// SPDX-License-Identifier: Apache-2.0
// An independent oracle: reads a network namespace with the npm package `netlink`. The package can read only the namespace in
// which it runs, so this file is both the module that asks and the program, run by `ip netns exec`, that answers.

import { fileURLToPath } from 'node:url';
import { createRtNetlink } from 'netlink';
import { run } from './shell.ts';

export interface OracleView {
  readonly links: readonly {
    name: string;
    alias: string;
    kind: string;
    mac: string;
    mtu: number;
    up: boolean;
    txQueueLength: number;
  }[];
  readonly addresses: readonly { on: string; address: string; noDad: boolean; tentative: boolean }[];
  readonly routes: readonly { on: string; to: string; via: string; protocol: string; table: number }[];
  readonly neighbours: readonly { on: string; address: string; mac: string; permanent: boolean }[];
}

/** Reads a namespace, by default the test's own. */
export async function ask(namespace?: {
  run(program: string, ...args: string[]): Promise<string>;
}): Promise<OracleView> {
  const program = [process.execPath, fileURLToPath(import.meta.url)] as const;
  return JSON.parse(await (namespace ? namespace.run(...program) : run(...program))) as OracleView;
}

/** The part of the view about these interfaces, without link-local and multicast entries, which the kernel makes itself. */
export function only(view: OracleView, ...names: string[]): OracleView {
  const here = (item: { on: string }) => names.includes(item.on);
  return {
    links: view.links.filter(({ name }) => names.includes(name)),
    addresses: view.addresses.filter((item) => here(item) && !item.address.startsWith('fe80:')),
    routes: view.routes.filter((item) => here(item) && item.protocol !== 'KERNEL'),
    neighbours: view.neighbours.filter((item) => here(item) && item.permanent),
  };
}

/** The complement of only(): what must stay the same when those interfaces are made, changed and removed. */
export function besides(view: OracleView, ...names: string[]): OracleView {
  const elsewhere = (item: { on: string }) => !names.includes(item.on);
  return {
    links: view.links.filter(({ name }) => !names.includes(name)),
    addresses: view.addresses.filter(elsewhere),
    routes: view.routes.filter(elsewhere),
    neighbours: view.neighbours.filter((item) => elsewhere(item) && item.permanent),
  };
}

function macText(bytes: Uint8Array | undefined): string {
  return bytes?.length === 6 ? Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':') : '';
}

function addressText(bytes: Uint8Array | undefined, family: number | undefined): string {
  if (bytes === undefined) return family === 10 ? '::' : '0.0.0.0';
  if (bytes.length === 4) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16));
  return new URL(`http://[${words.join(':')}]`).hostname.slice(1, -1); // the shortest form (RFC 5952)
}

/** IFLA_LINKINFO is not decoded by the package: its first attribute is the kind. */
function kindText(info: unknown): string {
  if (!(info instanceof Uint8Array)) return '';
  const bytes = Buffer.from(info);
  return bytes.toString('latin1', 4, bytes.readUInt16LE(0) - 1);
}

async function look(): Promise<OracleView> {
  const socket = createRtNetlink();
  const links = await socket.getLinks();
  const nameOf = (index: number | undefined) => links.find(({ data }) => data.index === index)?.attrs.ifname ?? '';
  return {
    links: links.map(({ data, attrs }) => ({
      name: attrs.ifname ?? '',
      alias: String(attrs.ifalias ?? ''),
      kind: kindText(attrs.linkinfo),
      mac: macText(attrs.address),
      mtu: attrs.mtu ?? 0,
      up: data.flags?.up === true,
      txQueueLength: attrs.txqlen ?? 0,
    })),
    addresses: (await socket.getAddresses()).map(({ data, attrs }) => ({
      on: nameOf(data.index),
      address: `${addressText(attrs.local ?? attrs.address, data.family)}/${data.prefixlen}`,
      noDad: attrs.flags?.nodad === true,
      tentative: attrs.flags?.tentative === true,
    })),
    routes: (await socket.getRoutes()).map(({ data, attrs }) => ({
      on: nameOf(attrs.oif),
      to: `${addressText(attrs.dst, data.family)}/${data.dstLen}`,
      via: attrs.gateway ? addressText(attrs.gateway, data.family) : '',
      protocol: String(data.protocol),
      table: attrs.table ?? data.table ?? 0,
    })),
    neighbours: (await socket.getNeighbors()).map(({ data, attrs }) => ({
      on: nameOf(data.ifindex),
      address: addressText(attrs.dst, data.family),
      mac: macText(attrs.lladdr),
      permanent: data.state?.permanent === true,
    })),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(JSON.stringify(await look()), () => process.exit(0));
}
