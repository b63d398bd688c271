// SPDX-License-Identifier: Apache-2.0
// A FAKE of the kernel: namespaces and interfaces in memory. It outlives the fake dataplanes that use it, as the
// real kernel outlives a process. It has no frames, no conflicts between addresses, no unreachable routes,
// no IPv6 link-local addresses and no delays.

import type {
  InterfaceInfo,
  InterfaceStatistics,
  PolicyEntry,
  TunnelParameters,
  TunnelRequest,
  TunnelState,
  VirtualFunctionInfo,
} from '../../src/dataplane/types.ts';
import { publicKeyOf } from '../../src/wire/mechanisms/wireguard.ts';
import { CrosswireError } from '../../src/model/error.ts';

export type FakeStatistics = { -readonly [key in keyof InterfaceStatistics]: bigint };

export interface FakeInterface extends Omit<InterfaceInfo, 'running'> {
  name: string;
  alias: string;
  mac: string;
  mtu: number;
  up: boolean;
  addresses: string[];
  routes: { to: string; via?: string }[];
  neighbours: { address: string; mac: string }[];
  policies: readonly PolicyEntry[];
  allowsPing: boolean;
  statistics: FakeStatistics;
  /** Of the interface of a physical function: its virtual functions. */
  virtualFunctions: VirtualFunctionInfo[];
  home: FakeNamespace;
  peer?: FakeInterface;
  tunnel?: TunnelState;
  /** The process that holds the tap. */
  holder?: object;
  /** The interface above this one, which is deleted with it. */
  above?: FakeInterface;
}

export interface FakeNamespace {
  readonly device: number;
  readonly inode: number;
  readonly interfaces: Map<string, FakeInterface>;
}

export class FakeKernel {
  readonly #paths = new Map<string, FakeNamespace>();
  #nextInode = 4026532000;
  #nextIndex = 2;

  addNamespace(path: string, inode = this.#nextInode++): FakeNamespace {
    const namespace = { device: 4, inode, interfaces: new Map() };
    this.#paths.set(path, namespace);
    return namespace;
  }

  /** A second path to the same namespace, like /proc/PID/ns/net. */
  linkNamespace(path: string, target: string): void {
    this.#paths.set(path, this.namespace(target));
  }

  /** Removes the path. With the last path the namespace and its interfaces end; hardware moves to the forwarder's namespace. */
  removeNamespace(path: string): void {
    const namespace = this.namespace(path);
    this.#paths.delete(path);
    if ([...this.#paths.values()].includes(namespace)) return;
    for (const one of namespace.interfaces.values()) {
      if (one.kind === '') this.move(one, '', one.name);
      else this.destroy(one);
    }
  }

  namespace(path: string): FakeNamespace {
    const found = this.#paths.get(path);
    if (found) return found;
    throw refusal('NAMESPACE_MISSING', path, 'No such file or directory', 2);
  }

  namespaces(): { path: string; device: number; inode: number }[] {
    const first = new Map<FakeNamespace, string>();
    for (const [path, namespace] of this.#paths) if (!first.has(namespace)) first.set(namespace, path);
    return [...first].map(([{ device, inode }, path]) => ({ path, device, inode }));
  }

  /** All interfaces except hardware. */
  all(): FakeInterface[] {
    return [...new Set(this.#paths.values())].flatMap(({ interfaces }) =>
      [...interfaces.values()].filter(({ kind }) => kind !== ''),
    );
  }

  interface(path: string, name: string): FakeInterface {
    const found = this.namespace(path).interfaces.get(name);
    if (found) return found;
    throw refusal('INTERFACE_MISSING', `${name} in ${path}`, 'No such device', 19);
  }

  /** `others`: the tunnels of the engine's own devices. */
  createTunnel({ netns, name, mac, mtu, tunnel }: TunnelRequest, others: readonly TunnelParameters[]): FakeInterface {
    if (tunnel.kind === 'vxlan') this.refuseTunnel(tunnel, others);
    return Object.assign(this.create(netns, name, tunnel.kind, mac, mtu), { tunnel: stateOf(tunnel) });
  }

  /** Refuses a device whose unique kernel resource is taken: for VXLAN, a VNI with its port and family, whatever the remote
   *  (vxlan_vni_in_use()); for WireGuard, the UDP port that a device binds when it goes up (wg_socket_init()). */
  refuseTunnel(tunnel: TunnelParameters | TunnelState, others: readonly TunnelParameters[]): void {
    const made = this.all().flatMap((one) =>
      one.tunnel && (one.up || one.tunnel.kind === 'vxlan') ? [one.tunnel] : [],
    );
    const key = uniqueKey(tunnel);
    if (![...made, ...others].some((one) => uniqueKey(one) === key)) return;
    if (tunnel.kind === 'vxlan') throw refusal('TUNNEL_REFUSED', key, 'File exists', 17);
    throw refusal('TUNNEL_REFUSED', key, 'Address already in use', 98);
  }

  create(path: string, name: string, kind: string, mac = '', mtu = 1500): FakeInterface {
    const home = this.namespace(path);
    if (home.interfaces.has(name)) throw refusal('INTERFACE_EXISTS', `${name} in ${path}`, 'File exists', 17);
    const index = this.#nextIndex++;
    const lists = {
      addresses: [],
      routes: [],
      neighbours: [],
      policies: [],
      allowsPing: false,
      virtualFunctions: [],
      statistics: zeroStatistics(),
    };
    const made: FakeInterface = { ...lists, index, name, alias: '', kind, mac, mtu, up: false, home };
    home.interfaces.set(name, made);
    return made;
  }

  destroy(one: FakeInterface): void {
    one.home.interfaces.delete(one.name);
    one.peer?.home.interfaces.delete(one.peer.name);
    if (one.above) this.destroy(one.above);
  }

  rename(one: FakeInterface, name: string): void {
    if (one.name === name) return;
    if (one.up) throw refusal('INTERFACE_REFUSED', one.name, 'Device or resource busy', 16); // like kernels before Linux 6.2
    if (one.home.interfaces.has(name)) throw refusal('INTERFACE_EXISTS', name, 'File exists', 17);
    one.home.interfaces.delete(one.name);
    one.name = name;
    one.home.interfaces.set(name, one);
  }

  /** The moved interface is down and has no addresses, as after the kernel's __dev_change_net_namespace(). */
  move(one: FakeInterface, path: string, name: string): void {
    const target = this.namespace(path);
    if (target.interfaces.has(name)) throw refusal('INTERFACE_EXISTS', `${name} in ${path}`, 'File exists', 17);
    this.setUp(one, false);
    one.home.interfaces.delete(one.name);
    Object.assign(one, { name, home: target, addresses: [] });
    target.interfaces.set(name, one);
  }

  /** Returns a function that restores the present state of the interface. */
  remember(one: FakeInterface): () => void {
    const { name, mtu, mac, up, policies, allowsPing } = one;
    const lists = { addresses: [...one.addresses], routes: [...one.routes], neighbours: [...one.neighbours] };
    return () => {
      one.up = false;
      this.rename(one, name);
      Object.assign(one, { mtu, mac, up, policies, allowsPing, ...lists });
    };
  }

  setUp(one: FakeInterface, up: boolean): void {
    if (up && !one.up && one.tunnel?.kind === 'wireguard') this.refuseTunnel(one.tunnel, []);
    one.up = up;
    if (up) return;
    one.routes = [];
    one.neighbours = [];
    one.policies = one.policies.map((policy) => ({ ...policy, routes: [] }));
    one.addresses = one.addresses.filter((address) => !address.includes(':'));
  }
}

function stateOf(tunnel: TunnelParameters): TunnelState {
  if (tunnel.kind === 'vxlan') return tunnel;
  const { privateKey, ...seen } = tunnel;
  return { ...seen, ownPublicKey: publicKeyOf(privateKey) ?? '', handshake: 0 };
}

function uniqueKey(tunnel: TunnelParameters | TunnelState): string {
  if (tunnel.kind === 'wireguard') return `UDP port ${tunnel.localPort}`;
  return `VNI ${tunnel.vni} at port ${tunnel.port} of IPv${tunnel.local.includes(':') ? 6 : 4}`;
}

export function isRunning(one: FakeInterface): boolean {
  return (
    one.up &&
    (one.tunnel !== undefined || one.uplink !== undefined || (one.peer ? one.peer.up : one.holder !== undefined))
  );
}

export function zeroStatistics(): FakeStatistics {
  const none = { rxPackets: 0n, txPackets: 0n, rxBytes: 0n, txBytes: 0n };
  return { ...none, rxErrors: 0n, txErrors: 0n, rxDropped: 0n, txDropped: 0n };
}

export function refusal(code: string, subject: string, reason: string, errno = 0): CrosswireError {
  return new CrosswireError({ code, operation: 'ask the fake kernel', subject, reason, errno });
}
