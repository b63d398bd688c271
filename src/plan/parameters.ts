// SPDX-License-Identifier: Apache-2.0
// Which parameters are a thing's identity (another value is another thing: build it, switch, remove the old) and which
// are changed in place. The one place where this is declared; the planner and `explain` read it.

import {
  type BoundDevice,
  type EngineEnd,
  type InterfaceEnd,
  type InterfaceState,
  isInterfaceEnd,
  type MemifEnd,
  sameNamespace,
  type TunnelEnd,
  type WireguardEnd,
} from './state.ts';

/** `label`: for people or for finding it, no difference to the thing itself. */
export type Role = 'identity' | 'mutable' | 'label';
type Roles<T> = Readonly<Record<keyof T, Role>>;

/** A kernel end: identity = the namespace; path and payload, which together decide the kind of interface; the tunnel;
 *  the device; the uplink. */
export const interfaceRoles: Roles<InterfaceState> = {
  end: 'identity',
  kind: 'identity',
  namespace: 'identity',
  alias: 'identity',
  tunnel: 'identity',
  device: 'identity', // its MAC too: the physical function sets it before a driver sees the device
  uplink: 'identity',
  counted: 'label',
  name: 'mutable',
  mac: 'mutable',
  mtu: 'mutable',
  up: 'mutable',
  addresses: 'mutable',
  routes: 'mutable',
  neighbours: 'mutable',
  policies: 'mutable',
  allowPing: 'mutable',
};

/** Seen from the engine. It holds the device itself, so a new name of the interface does not concern it. */
export const interfaceEndRoles: Roles<InterfaceEnd> = {
  kind: 'identity',
  namespace: 'identity',
  payload: 'identity',
  mtu: 'identity', // the longest frame of a link never changes (native/core/link.hpp, LinkFacts)
  interface: 'label',
  name: 'label',
};

export const memifEndRoles: Roles<MemifEnd> = {
  kind: 'identity',
  socket: 'identity',
  namespace: 'identity',
  role: 'identity',
  id: 'identity',
  secret: 'identity',
  rings: 'identity',
  ringSize: 'identity',
  bufferSize: 'identity',
  allowUnsealed: 'identity',
  payload: 'identity',
  mtu: 'identity',
  name: 'label',
};

export const tunnelEndRoles: Roles<TunnelEnd> = {
  kind: 'identity',
  local: 'identity',
  remote: 'identity',
  port: 'identity',
  vni: 'identity',
  payload: 'identity',
  mtu: 'identity',
  name: 'label',
};

export const wireguardEndRoles: Roles<WireguardEnd> = {
  kind: 'identity',
  localPort: 'identity',
  remote: 'identity',
  remotePort: 'identity',
  privateKey: 'identity',
  ownPublicKey: 'identity',
  publicKey: 'identity',
  payload: 'identity',
  mtu: 'identity',
  name: 'label',
};

export function sameInterface(a: InterfaceState, b: InterfaceState): boolean {
  return differences(interfaceRoles, 'identity', a, b).length === 0;
}

export function mutableDifferences(a: InterfaceState, b: InterfaceState): (keyof InterfaceState)[] {
  return differences(interfaceRoles, 'mutable', a, b);
}

export const boundDeviceRoles: Roles<BoundDevice> = {
  end: 'identity',
  alias: 'identity',
  device: 'identity',
  cgroup: 'identity',
};

export function sameBoundDevice(a: BoundDevice, b: BoundDevice): boolean {
  return differences(boundDeviceRoles, 'identity', a, b).length === 0;
}

export function sameEngineEnd(a: EngineEnd, b: EngineEnd): boolean {
  if (isInterfaceEnd(a)) return isInterfaceEnd(b) && differences(interfaceEndRoles, 'identity', a, b).length === 0;
  if (a.kind === 'vxlan') return b.kind === 'vxlan' && differences(tunnelEndRoles, 'identity', a, b).length === 0;
  if (a.kind === 'wireguard')
    return b.kind === 'wireguard' && differences(wireguardEndRoles, 'identity', a, b).length === 0;
  return b.kind === 'memif' && differences(memifEndRoles, 'identity', a, b).length === 0;
}

function differences<T extends object>(roles: Roles<T>, role: Role, a: T, b: T): (keyof T)[] {
  const keys = Object.keys(roles) as (keyof T)[];
  return keys.filter((key) => roles[key] === role && !sameValue(key, a[key], b[key]));
}

function sameValue(key: PropertyKey, a: unknown, b: unknown): boolean {
  if (key === 'namespace') return sameNamespace(a as MemifEnd['namespace'], b as MemifEnd['namespace']);
  if (Array.isArray(a) && Array.isArray(b)) return sameSet(a, b);
  return a === b || (['tunnel', 'device', 'uplink'].includes(String(key)) && keyOf(openPart(a)) === keyOf(openPart(b)));
}

/** A private key is known by its public one; of what was found it need not be known at all. */
function openPart(value: unknown): unknown {
  return typeof value === 'object' ? { ...value, privateKey: undefined } : value;
}

/** Order means nothing in addresses, routes and neighbours; compile() leaves no value in twice. */
function sameSet(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  const there = new Set(a.map(keyOf));
  return b.every((value) => there.has(keyOf(value)));
}

/** What is in `a` and not in `b`. */
export function without<T>(a: readonly T[], b: readonly T[]): T[] {
  const there = new Set(b.map(keyOf));
  return a.filter((value) => !there.has(keyOf(value)));
}

function keyOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
