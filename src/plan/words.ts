// SPDX-License-Identifier: Apache-2.0
// Describes actions in words, for reports, logs and `crosswire explain`.

import type { Policy } from '../wire/wire.ts';
import { tunnelReach } from '../wire/mechanisms/index.ts';
import type { Action } from './action.ts';
import { without } from './parameters.ts';
import {
  type BoundDevice,
  type Device,
  type EngineEnd,
  type EngineState,
  type InterfaceState,
  isInterfaceEnd,
  type Tunnel,
} from './state.ts';

export function describe(action: Action): string {
  switch (action.kind) {
    case 'createVethPair':
      return `create the veth pair ${place(action.client)} and ${place(action.endpoint)}`;
    case 'removeVethPair':
      return `remove the veth pair ${place(action.client)} and ${place(action.endpoint)}`;
    case 'createInterface':
      return `create ${made(action.interface)}`;
    case 'removeInterface':
      return `remove ${made(action.interface)}`;
    case 'takeDevice':
      return `take ${device(action.interface.device)} as ${place(action.interface)}`;
    case 'returnDevice':
      return `take ${device(action.interface.device)}, which is ${place(action.interface)}, home and restore it`;
    case 'bindDevice':
      return `hand ${device(action.device.device)} to vfio-pci${opener(action.device)}`;
    case 'unbindDevice':
      return `take ${device(action.device.device)} from vfio-pci and restore it`;
    case 'changeInterface':
      return `change ${place(action.from)}: ${changes(action.from, action.to).join(', ')}`;
    case 'startEngineWire':
      return `start the ${sort(action.engine)} between ${port(action.engine.client)} and ${port(action.engine.endpoint)}`;
    case 'stopEngineWire':
      return `stop the ${sort(action.engine)} between ${port(action.engine.client)} and ${port(action.engine.endpoint)}`;
    case 'replaceEngineEnd':
      return `replace the ${action.end} end of the engine wire, ${port(action.from)}, by ${port(action.to)}`;
  }
}

/** The path of the engine's namespace is meaningful only within the process, so it is described instead. */
function place({ name, namespace, counted }: InterfaceState): string {
  return `${name} in ${counted === 'nothing' ? "the engine's namespace" : namespace.path}`;
}

function device(one: Device | undefined): string {
  if (!one) return 'a device';
  const { pci, mac, vlan, trust, spoofCheck, maxRate } = one;
  const settings = [
    `mac ${mac}`,
    ...(vlan === undefined ? [] : [`vlan ${vlan}`]),
    ...(trust === undefined ? [] : [`trust ${onOff(trust)}`]),
    ...(spoofCheck === undefined ? [] : [`spoof check ${onOff(spoofCheck)}`]),
    ...(maxRate === undefined ? [] : [`at most ${maxRate} Mbit/s`]),
  ];
  return `the virtual function ${pci} (${settings.join(', ')})`;
}

const onOff = (value: boolean) => (value ? 'on' : 'off');

function opener({ cgroup }: BoundDevice): string {
  return cgroup === undefined ? '' : `, for the control group ${cgroup}`;
}

function made(one: InterfaceState): string {
  if (one.tunnel) return `the tunnel ${place(one)} ${wayOf(one.tunnel)}`;
  return one.uplink ? `${place(one)}, ${share(one)}` : `the ${one.kind} ${place(one)}`;
}

function share({ uplink }: InterfaceState): string {
  return uplink ? `a part of ${uplink.device}${uplink.id === 0 ? '' : ` in VLAN ${uplink.id}`}` : '';
}

function wayOf(tunnel: Tunnel): string {
  return tunnelReach(tunnel.kind).way(tunnel);
}

function sort({ direct }: EngineState): string {
  return direct ? 'proxy' : 'engine wire';
}

function port(end: EngineEnd): string {
  if (isInterfaceEnd(end))
    return end.kind === 'tap' ? `tap ${end.interface} in ${end.namespace.path}` : `port ${end.interface}`;
  if (end.kind === 'tunnel') return `tunnel ${wayOf(end.tunnel)}`;
  return `memif ${end.role} ${end.socket} id ${end.id}${end.namespace ? ` in ${end.namespace.path}` : ''}`;
}

function changes(from: InterfaceState, to: InterfaceState): string[] {
  const list = (verb: string, noun: string, values: readonly string[]) =>
    values.length > 0 ? [`${verb} ${noun} ${values.join(' ')}`] : [];
  const routes = (state: InterfaceState) =>
    state.routes.map(({ to: target, via }) => target + (via ? ` via ${via}` : ''));
  const neighbours = (state: InterfaceState) => state.neighbours.map(({ address, mac }) => `${address} at ${mac}`);
  const policies = (state: InterfaceState) => state.policies.map(policyInWords);
  return [
    ...list('remove', 'policy', without(policies(from), policies(to))),
    ...list('remove', 'neighbour', without(neighbours(from), neighbours(to))),
    ...list('remove', 'route', without(routes(from), routes(to))),
    ...list('remove', 'address', without(from.addresses, to.addresses)),
    ...(from.name === to.name ? [] : [`rename to ${to.name}`]),
    ...(from.mtu === to.mtu ? [] : [`mtu ${to.mtu}`]),
    ...(from.mac === to.mac ? [] : [`mac ${to.mac}`]),
    ...(to.allowPing && !from.allowPing ? ['allow ping and IPv6'] : []),
    ...list('add', 'address', without(to.addresses, from.addresses)),
    ...(from.up === to.up ? [] : [to.up ? 'up' : 'down']),
    ...list('add', 'route', without(routes(to), routes(from))),
    ...list('add', 'neighbour', without(neighbours(to), neighbours(from))),
    ...list('add', 'policy', without(policies(to), policies(from))),
  ];
}

function policyInWords({ from, protocol, destinationPorts, sourcePorts, routes }: Policy): string {
  const match = [
    ...(from ? [`from ${from}`] : []),
    ...(protocol ? [`protocol ${protocol}`] : []),
    ...(destinationPorts ? [`to port ${destinationPorts}`] : []),
    ...(sourcePorts ? [`from port ${sourcePorts}`] : []),
  ];
  const ways = routes.map(({ to, via }) => to + (via ? ` via ${via}` : ''));
  return `(${match.join(' ') || 'all'}: ${ways.join(' ')})`;
}
