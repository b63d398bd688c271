// SPDX-License-Identifier: Apache-2.0
// Translates states of the plan to requests to the data plane.

import type {
  EngineWireRequest,
  InterfaceChange,
  LinkRequest,
  PolicyEntry,
  PortRange,
  TapRequest,
  TunnelParameters,
  TunnelRequest,
  VethSide,
  VlanRequest,
} from '../../dataplane/types.ts';
import type { Policy } from '../../wire/wire.ts';
import { without } from '../../plan/parameters.ts';
import { newborn } from '../../plan/planner.ts';
import {
  type EngineEnd,
  type EngineState,
  type InterfaceState,
  isInterfaceEnd,
  type Tunnel,
} from '../../plan/state.ts';

/** Frames. A full tap drops silently, and a coalescing memif peer sends in bursts, so a tap has room for several bursts. */
const txQueueLength = 8192;

export function vethSide({ namespace, name, alias, mac, mtu }: InterfaceState): VethSide {
  return { netns: namespace.path, name, alias, mac, mtu };
}

export function tapRequest({ namespace, name, alias, kind, mac, mtu }: InterfaceState): TapRequest {
  const common = { netns: namespace.path, name, alias, mtu, txQueueLength };
  return kind === 'tun' ? { ...common, payload: 'ip' } : { ...common, payload: 'ethernet', mac };
}

export function tunnelRequest({ namespace, name, alias, mac, mtu, tunnel }: InterfaceState): TunnelRequest {
  if (!tunnel) throw new Error(`the interface ${name} has no tunnel`);
  return { netns: namespace.path, name, alias, mac, mtu, tunnel: parametersOf(tunnel, name) };
}

/** The kernel does not return private keys: a device that was found, and whose wire is unknown, cannot be made again. */
function parametersOf(tunnel: Tunnel, name: string): TunnelParameters {
  if (isComplete(tunnel)) return tunnel;
  throw new Error(`the private key of the tunnel ${name} is not known`);
}

function isComplete(tunnel: Tunnel): tunnel is Tunnel & TunnelParameters {
  return !('publicKey' in tunnel) || tunnel.privateKey !== undefined;
}

export function vlanRequest({ namespace, name, alias, mac, mtu, uplink }: InterfaceState): VlanRequest {
  if (!uplink) throw new Error(`the interface ${name} has no uplink`);
  const { device, id, name: below } = uplink;
  return { netns: namespace.path, name, alias, mac, mtu, device, id, uplink: below };
}

/** One batch; two where an interface goes down and is renamed. In a batch the rename comes first, and before Linux 6.2 it
 *  needs an interface that is down (net/core/dev.c, dev_change_name). */
export function changes(from: InterfaceState, to: InterfaceState): InterfaceChange[] {
  if (!from.up || to.up || from.name === to.name) return [difference(from, to)];
  const down: InterfaceState = { ...newborn(from), mac: from.mac, mtu: from.mtu };
  return [difference(from, down), difference(down, to)];
}

/** Adds again what the kernel removes as a side effect: a new MAC empties the neighbour table (net/core/neighbour.c,
 *  neigh_changeaddr), and the last address of a family removes its routes (net/ipv4/fib_frontend.c, fib_inetaddr_event).
 *  To add what exists is a success. */
function difference(from: InterfaceState, to: InterfaceState): InterfaceChange {
  const removed = without(from.addresses, to.addresses);
  const neighbours = from.mac === to.mac ? from.neighbours : [];
  const routes = removed.length === 0 ? from.routes : [];
  const disturbed = removed.length > 0 || from.up !== to.up;
  const isSame =
    !disturbed && without(from.policies, to.policies).length + without(to.policies, from.policies).length === 0;
  const policies = isSame || from.policies.length + to.policies.length === 0 ? undefined : to.policies.map(policyEntry);
  return {
    netns: from.namespace.path,
    name: from.name,
    alias: from.alias,
    ...(from.name === to.name ? {} : { rename: to.name }),
    ...(from.mtu === to.mtu ? {} : { mtu: to.mtu }),
    ...(from.mac === to.mac ? {} : { mac: to.mac }),
    ...(from.up === to.up ? {} : { up: to.up }),
    ...listed('addAddresses', without(to.addresses, from.addresses)),
    ...listed('removeAddresses', removed),
    ...listed('addRoutes', without(to.routes, routes)),
    ...listed('removeRoutes', without(from.routes, to.routes)),
    ...listed('addNeighbours', without(to.neighbours, neighbours)),
    ...listed('removeNeighbours', without(from.neighbours, to.neighbours)),
    ...(to.allowPing && !from.allowPing ? { allowPing: true } : {}),
    ...(policies ? { policies } : {}),
  };
}

function policyEntry({ destinationPorts, sourcePorts, ...policy }: Policy): PolicyEntry {
  return {
    ...policy,
    ...(destinationPorts ? { destinationPorts: portRange(destinationPorts) } : {}),
    ...(sourcePorts ? { sourcePorts: portRange(sourcePorts) } : {}),
  };
}

function portRange(text: string): PortRange {
  const [first = 0, last = first] = text.split('-').map(Number);
  return { first, last };
}

function listed<T>(key: string, values: readonly T[]): Record<string, readonly T[]> {
  return values.length > 0 ? { [key]: values } : {};
}

export function engineWireRequest({ name, payload, direct, client, endpoint }: EngineState): EngineWireRequest {
  return { name, payload, direct, client: linkRequest(client), endpoint: linkRequest(endpoint) };
}

export function linkRequest(end: EngineEnd): LinkRequest {
  if (end.kind === 'memif') {
    const { namespace, ...rest } = end;
    return { ...rest, netns: namespace?.path ?? '' };
  }
  if (!isInterfaceEnd(end)) return { ...end, tunnel: parametersOf(end.tunnel, end.name) };
  const { name, namespace, interface: interfaceName, payload, mtu } = end;
  const link = { name, netns: namespace.path, interface: interfaceName, mtu };
  return end.kind === 'device' ? { ...link, kind: 'device' } : { ...link, kind: 'tap', payload };
}
