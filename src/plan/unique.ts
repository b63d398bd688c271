// SPDX-License-Identifier: Apache-2.0
// The unique resources of this machine: two wires cannot have the same one at the same time.

import { deviceKey } from '../wire/claims.ts';
import { listenerKey } from '../wire/mechanisms/memif.ts';
import {
  type EngineEnd,
  type EngineState,
  type InterfaceState,
  type MemifEnd,
  type Namespace,
  tunnelKey,
  type WireState,
} from './state.ts';

export function resourcesOf({ interfaces, devices = [], engine }: WireState): string[] {
  return [
    ...interfaces.flatMap((one) => [nameOf(one), ...partsOf(one), ...configurationOf(one)]),
    ...devices.map(({ device }) => deviceKey(device.pci)),
    ...(engine ? heldByEngine(engine) : []),
  ];
}

export function nameOf({ namespace, name }: InterfaceState): string {
  return inNamespace('name', namespace, name);
}

/** The resources that are released only with the interface itself. A NIC, and a host device, allow each MAC address only once. */
export function partsOf({ tunnel, device, uplink, mac }: InterfaceState): string[] {
  return [
    ...(tunnel ? [tunnelKey(tunnel)] : []),
    ...(device ? [deviceKey(device.pci), `mac of a virtual function ${mac}`] : []),
    ...(uplink ? [`mac at ${uplink.device} ${mac}`] : []),
  ];
}

export const addressOf = (namespace: Namespace, address: string): string =>
  inNamespace('address', namespace, address.split('/')[0] ?? '');
/** A routing table has one route to a destination (net/ipv4/fib_trie.c, fib_table_insert). */
export const routeOf = (namespace: Namespace, to: string): string => inNamespace('route', namespace, to);

/** An id on a memif socket. One wire may be its server and another its client. */
export function listenerOf({ namespace, socket, id }: MemifEnd): string {
  return listenerKey({ key: namespace ? [namespace.device, namespace.inode] : [] }, socket, id);
}

/** The resources of engine links: tunnels, and for memif an id on a socket, as server or as client. */
export function heldByEngine(engine: EngineState): string[] {
  return [engine.client, engine.endpoint].flatMap((end: EngineEnd) => {
    if (end.kind === 'tunnel') return [tunnelKey(end.tunnel)];
    if (end.kind !== 'memif') return [];
    return [`${listenerOf(end)} ${end.role}`];
  });
}

function configurationOf({ namespace, addresses, routes }: InterfaceState): string[] {
  return [
    ...addresses.map((address) => addressOf(namespace, address)),
    ...routes.map(({ to }) => routeOf(namespace, to)),
  ];
}

function inNamespace(what: string, { device, inode }: Namespace, name: string): string {
  return `${what} ${device}:${inode} ${name}`;
}
