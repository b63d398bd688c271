// SPDX-License-Identifier: Apache-2.0
// The resources of this machine that one wire can take from another: what two wires cannot have at the same time.

import { deviceKey } from '../wire/claims.ts';
import {
  type EngineEnd,
  type EngineState,
  type InterfaceState,
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

/** What goes only with the interface itself. A MAC address: a NIC, and the host device of a VLAN, have each only once. */
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

/** Of memif an id at a socket, for the server and for the client. */
export function heldByEngine(engine: EngineState): string[] {
  return [engine.client, engine.endpoint].flatMap((end: EngineEnd) => {
    if (end.kind === 'tunnel') return [tunnelKey(end.tunnel)];
    if (end.kind !== 'memif') return [];
    const { namespace, socket, id, role } = end;
    return [`memif ${JSON.stringify([namespace?.device, namespace?.inode, socket, id, role])}`];
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
