// SPDX-License-Identifier: Apache-2.0
// Declares which parameters are the identity of a resource (another value means another resource: make it, switch to it, remove
// the old one) and which are changed in place. The planner and `explain` read it.

import { kernel } from '../wire/mechanisms/kernel.ts';
import { kindOf } from '../wire/mechanisms/index.ts';
import { memif } from '../wire/mechanisms/memif.ts';
import type { Role } from '../wire/mechanisms/mechanism.ts';
import {
  type BoundDevice,
  type EngineEnd,
  type InterfaceEnd,
  type InterfaceState,
  isInterfaceEnd,
  type MemifEnd,
  sameNamespace,
  type Tunnel,
  type TunnelEnd,
} from './state.ts';

type Roles<T> = Readonly<Record<keyof T, Role>>;

/** The identity of a kernel end: its namespace, its kind (which follows from path and payload), tunnel, device and uplink. */
export const interfaceRoles: Roles<InterfaceState> = {
  end: 'identity',
  kind: 'identity',
  namespace: kernel.parameters.namespace,
  alias: 'identity',
  tunnel: 'identity',
  device: kernel.parameters.device,
  uplink: 'identity',
  counted: 'label',
  name: kernel.parameters.interface,
  mac: kernel.parameters.mac,
  mtu: 'mutable',
  up: 'mutable',
  addresses: kernel.parameters.addresses,
  routes: kernel.parameters.routes,
  neighbours: kernel.parameters.neighbours,
  policies: kernel.parameters.policies,
  allowPing: kernel.parameters.allowPing,
};

/** An interface as the engine sees it. The engine holds the device itself, so that renaming the interface does not matter. */
export const interfaceEndRoles: Roles<InterfaceEnd> = {
  kind: 'identity',
  namespace: 'identity',
  payload: 'identity',
  mtu: 'identity', // the longest frame of a link never changes (native/core/link.hpp, LinkFacts)
  interface: 'label',
  name: 'label',
};

export const memifEndRoles: Roles<MemifEnd> = {
  ...memif.parameters,
  kind: 'identity',
  namespace: 'identity',
  payload: 'identity',
  mtu: 'identity',
  name: 'label',
};

export const tunnelEndRoles: Roles<TunnelEnd> = {
  kind: 'identity',
  tunnel: 'identity',
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
  if (a.kind === 'tunnel') return b.kind === 'tunnel' && differences(tunnelEndRoles, 'identity', a, b).length === 0;
  return b.kind === 'memif' && differences(memifEndRoles, 'identity', a, b).length === 0;
}

function differences<T extends object>(roles: Roles<T>, role: Role, a: T, b: T): (keyof T)[] {
  const keys = Object.keys(roles) as (keyof T)[];
  return keys.filter((key) => roles[key] === role && !sameValue(key, a[key], b[key]));
}

function sameValue(key: PropertyKey, a: unknown, b: unknown): boolean {
  if (key === 'namespace') return sameNamespace(a as MemifEnd['namespace'], b as MemifEnd['namespace']);
  if (Array.isArray(a) && Array.isArray(b)) return sameSet(a, b);
  if (key === 'tunnel') return sameTunnel(a as Tunnel | undefined, b as Tunnel | undefined);
  return a === b || (['device', 'uplink'].includes(String(key)) && keyOf(a) === keyOf(b));
}

/** Compares the identity parameters of the tunnel's mechanism. */
function sameTunnel(a: Tunnel | undefined, b: Tunnel | undefined): boolean {
  if (a === undefined || b === undefined || a.kind !== b.kind) return a === b;
  return differences<object>(kindOf({ type: a.kind }).parameters, 'identity', a, b).length === 0;
}

/** The order of addresses, routes and neighbours has no meaning; compile() has removed duplicates. */
function sameSet(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  const there = new Set(a.map(keyOf));
  return b.every((value) => there.has(keyOf(value)));
}

/** The values of `a` that are not in `b`. */
export function without<T>(a: readonly T[], b: readonly T[]): T[] {
  const there = new Set(b.map(keyOf));
  return a.filter((value) => !there.has(keyOf(value)));
}

function keyOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
