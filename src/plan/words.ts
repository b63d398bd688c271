// SPDX-License-Identifier: Apache-2.0
// Actions in words, for reports, logs and `crosswire explain`.

import type { Policy } from '../wire/wire.ts';
import type { Action } from './action.ts';
import { without } from './parameters.ts';
import {
  type BoundDevice,
  type Device,
  type EngineEnd,
  type EngineState,
  type InterfaceState,
  isInterfaceEnd,
  isTunnelEnd,
  isVxlan,
  type Tunnel,
} from './state.ts';

export function describe(action: Action): string {
  switch (action.kind) {
    case 'createVethPair':
      return `create the veth pair ${place(action.client)} and ${place(action.endpoint)}`;
    case 'removeVethPair':
      return `remove the veth pair ${place(action.client)} and ${place(action.endpoint)}`;
    case 'createTap':
      return `create the ${action.interface.kind} ${place(action.interface)}`;
    case 'removeTap':
      return `remove the ${action.interface.kind} ${place(action.interface)}`;
    case 'createTunnel':
      return `create the tunnel ${place(action.interface)} ${way(action.interface)}`;
    case 'removeTunnel':
      return `remove the tunnel ${place(action.interface)} ${way(action.interface)}`;
    case 'takeDevice':
      return `take ${device(action.interface.device)} as ${place(action.interface)}`;
    case 'returnDevice':
      return `take ${device(action.interface.device)}, which is ${place(action.interface)}, home and restore it`;
    case 'bindDevice':
      return `hand ${device(action.device.device)} to vfio-pci${opener(action.device)}`;
    case 'unbindDevice':
      return `take ${device(action.device.device)} from vfio-pci and restore it`;
    case 'createVlan':
      return `create ${place(action.interface)}, ${share(action.interface)}`;
    case 'removeVlan':
      return `remove ${place(action.interface)}, ${share(action.interface)}`;
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

/** The path of the engine's namespace means nothing to anybody else. */
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

function way({ tunnel }: InterfaceState): string {
  return tunnel ? wayOf(tunnel) : '';
}

function share({ uplink }: InterfaceState): string {
  return uplink ? `a part of ${uplink.device}${uplink.id === 0 ? '' : ` in VLAN ${uplink.id}`}` : '';
}

function wayOf(tunnel: Tunnel): string {
  if (!isVxlan(tunnel))
    return `of WireGuard from port ${tunnel.localPort} to ${tunnel.remote}, port ${tunnel.remotePort}`;
  const { local, remote, port: udp, vni } = tunnel;
  return `from ${local} to ${remote}, port ${udp}, VNI ${vni}`;
}

function sort({ direct }: EngineState): string {
  return direct ? 'proxy' : 'engine wire';
}

function port(end: EngineEnd): string {
  if (isInterfaceEnd(end))
    return end.kind === 'tap' ? `tap ${end.interface} in ${end.namespace.path}` : `port ${end.interface}`;
  if (isTunnelEnd(end)) return `tunnel ${wayOf(end)}`;
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
