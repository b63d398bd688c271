// SPDX-License-Identifier: Apache-2.0
// Compiles a wanted wire, whose namespaces have been found, to the resources that must exist.

import { CrosswireError } from '../model/error.ts';
import { type EndName, endNames, otherEnd, type Path } from '../model/wire.ts';
import { isTunnel, tunnelReach } from '../wire/mechanisms/index.ts';
import { familyOf } from '../wire/mechanisms/tunnels.ts';
import {
  deviceOf,
  hasDevice,
  isReached,
  type KernelMechanism,
  type Neighbour,
  portEndOf,
  sharedOf,
  type TunnelMechanism,
  type Wire,
} from '../wire/wire.ts';
import {
  canonicalAddress,
  canonicalNeighbour,
  canonicalPolicy,
  canonicalRoute,
  policyKey,
  routeKey,
  unique,
} from './address.ts';
import { macOf, portName, uplinkName } from './mac.ts';
import { vlanOf } from './nic-path.ts';
import { choosePath } from './path.ts';
import {
  type BoundDevice,
  type Device,
  type ChosenDevices,
  type EngineEnd,
  type InterfaceKind,
  type InterfaceState,
  isLayerless,
  isTunnelKind,
  type Namespace,
  type Namespaces,
  type Tunnel,
  type Uplink,
  type WireState,
} from './state.ts';

export const defaultMtu = 1500;

export interface CompileContext {
  readonly node: string;
  readonly namespaces: Namespaces;
  /** The engine's namespace, in which ports are. */
  readonly engineNamespace?: Namespace | undefined;
  readonly devices?: ChosenDevices | undefined;
  /** The ownership mark of an end. */
  readonly alias: (end: EndName) => string;
  /** The MTU of the host device that an end uses. */
  readonly deviceMtu?: number | undefined;
}

export function mtuOf(wire: Wire, deviceMtu = defaultMtu): number {
  if (sharedOf(wire)) return wire.mtu ?? deviceMtu;
  const tunnel = tunnelOf(wire);
  return wire.mtu ?? defaultMtu - (tunnel ? tunnelReach(tunnel.type).overhead[familyOf(tunnel.remote)] : 0);
}

export function compile(wire: Wire, context: CompileContext): WireState {
  refuseTooLong(wire, context);
  const { path } = choosePath(wire);
  const kind = kindOf(path, wire);
  const interfaces = endNames.flatMap((end) => {
    const { mechanism } = wire[end];
    if (mechanism.type === 'kernel') return [compileInterface(wire, end, mechanism, kind, context)];
    return end === portEndOf(wire) ? [compilePort(wire, end, kind, context)] : [];
  });
  const bound = endNames.flatMap((end) => compileBound(wire, end, context));
  const state: WireState = bound.length > 0 ? { interfaces, devices: bound } : { interfaces };
  if (path !== 'engine' && path !== 'proxy') return state;
  const [client, endpoint] = [compileEnd(wire, 'client', context), compileEnd(wire, 'endpoint', context)];
  const engine = { name: wire.name, payload: wire.payload, direct: path === 'proxy', client, endpoint };
  return { ...state, engine };
}

function kindOf(path: Path, wire: Wire): InterfaceKind {
  if (hasDevice(wire)) return 'vf';
  const shared = sharedOf(wire);
  if (shared) return shared.interfaceKind;
  if (path === 'engine') return wire.payload === 'ip' ? 'tun' : 'tap';
  const tunnel = path === 'tunnel' ? tunnelOf(wire) : undefined;
  return tunnel?.type ?? 'veth';
}

function tunnelOf({ client, endpoint }: Wire): TunnelMechanism | undefined {
  return [client.mechanism, endpoint.mechanism].find(isTunnel);
}

function parametersOf({ type, ...parameters }: TunnelMechanism): Tunnel {
  return { kind: type, ...parameters } as Tunnel;
}

function compileInterface(
  wire: Wire,
  end: EndName,
  mechanism: KernelMechanism,
  kind: InterfaceKind,
  context: CompileContext,
): InterfaceState {
  const neighbours = [
    ...((kind === 'veth' || kind === 'vf') && wire.payload === 'ip' ? neighboursAcross(wire, end, context.node) : []),
    ...(isLayerless(kind) ? [] : mechanism.neighbours.map(canonicalNeighbour)), // nothing to resolve without MACs
  ];
  const tunnel = isTunnelKind(kind) ? tunnelOf(wire) : undefined;
  return {
    ...compileLink(wire, end, kind, context),
    namespace: namespaceOf(wire, end, context),
    name: mechanism.interface,
    addresses: unique(mechanism.addresses.map(canonicalAddress), String),
    routes: unique(mechanism.routes.map(canonicalRoute), routeKey),
    neighbours: unique(neighbours, ({ address }) => address),
    policies: unique((mechanism.policies ?? []).map(canonicalPolicy), policyKey),
    allowPing: mechanism.allowPing ?? false,
    ...(tunnel ? { tunnel: parametersOf(tunnel) } : {}),
    ...(kind === 'vf' && portEndOf(wire) ? { counted: 'drops' } : {}),
  };
}

/** The port, the engine's own interface towards a device. It carries frames only and has no addresses. */
function compilePort(wire: Wire, end: EndName, kind: InterfaceKind, context: CompileContext): InterfaceState {
  return {
    ...compileLink(wire, end, kind, context),
    namespace: engineNamespaceOf(wire, end, context),
    name: portName(context.alias(end)),
    addresses: [],
    routes: [],
    neighbours: [],
    policies: [],
    allowPing: false,
    counted: 'nothing',
  };
}

function compileLink(wire: Wire, end: EndName, kind: InterfaceKind, context: CompileContext) {
  const uplink = uplinkOf(wire, end, context);
  return {
    end,
    kind,
    alias: context.alias(end),
    mac: isLayerless(kind) ? '' : macAt(wire, end, context.node),
    mtu: mtuOf(wire, context.deviceMtu),
    up: true,
    ...(kind === 'vf' ? { device: compileDevice(wire, end, context) } : {}),
    ...(uplink ? { uplink } : {}),
  };
}

/** Permanent neighbours for payload ip between two kernel ends: all addresses of the other side are known. */
function neighboursAcross(wire: Wire, end: EndName, node: string): Neighbour[] {
  const other = otherEnd(end);
  const { mechanism } = wire[other];
  if (mechanism.type !== 'kernel') return [];
  const mac = macAt(wire, other, node);
  return mechanism.addresses.map((address) => ({ address: canonicalAddress(address.split('/')[0] ?? ''), mac }));
}

function macAt(wire: Wire, end: EndName, node: string): string {
  const { mechanism } = wire[end];
  const own = 'mac' in mechanism ? mechanism.mac : undefined;
  return own?.toLowerCase() || macOf(node, wire.name, end);
}

/** Both functions of a wire are in the VLAN that one of its ends names. Only VLANs keep wires apart on a NIC. */
function compileDevice(wire: Wire, end: EndName, { devices, node }: CompileContext): Device {
  const pci = devices?.[end];
  if (pci === undefined) throw unresolved('DEVICE_MISSING', wire, end, 'its device was not chosen');
  const { pci: _pci, resource: _resource, ...own } = { pci, resource: '', ...deviceOf(wire[end]) };
  const vlan = vlanOf(wire);
  return { pci, mac: macAt(wire, end, node), ...own, ...(vlan === undefined ? {} : { vlan }) };
}

function compileBound(wire: Wire, end: EndName, context: CompileContext): BoundDevice[] {
  const { mechanism } = wire[end];
  if (!isReached(wire[end], 'device')) return [];
  const { cgroup } = mechanism as { readonly cgroup?: string };
  const bound = { end, alias: context.alias(end), device: compileDevice(wire, end, context) };
  return [cgroup === undefined ? bound : { ...bound, cgroup }];
}

function compileEnd(wire: Wire, end: EndName, context: CompileContext): EngineEnd {
  const { mechanism } = wire[end];
  const common = { name: `${wire.name}/${end}`, payload: wire.payload, mtu: mtuOf(wire, context.deviceMtu) };
  const portEnd = portEndOf(wire);
  if (portEnd && portEnd !== end) {
    const namespace = engineNamespaceOf(wire, portEnd, context);
    return { ...common, kind: 'device', namespace, interface: portName(context.alias(portEnd)) };
  }
  if (mechanism.type === 'kernel')
    return { ...common, kind: 'tap', namespace: namespaceOf(wire, end, context), interface: mechanism.interface };
  if (isTunnel(mechanism)) return { ...common, kind: 'tunnel', tunnel: parametersOf(mechanism) };
  if (mechanism.type !== 'memif') throw new Error('the engine reaches it by a port');
  const { type: _, netns: _path, inode: _inode, mac: _mac, secret = '', ...rest } = mechanism;
  return { ...rest, ...common, kind: 'memif', namespace: context.namespaces[end], secret };
}

/** The wanted uplink is always sound: as it is made. */
function uplinkOf(wire: Wire, end: EndName, context: CompileContext): Uplink | undefined {
  const network = sharedOf(wire);
  if (!network) return undefined;
  const { device, segment: id } = network;
  if (id === 0) return { device, id, name: '', mac: '', sound: true };
  const name = uplinkName(context.alias(end), device);
  return { device, id, name, mac: macAt(wire, end, context.node), sound: true };
}

function refuseTooLong(wire: Wire, { deviceMtu }: CompileContext): void {
  const network = sharedOf(wire);
  if (!network || deviceMtu === undefined || wire.mtu === undefined || wire.mtu <= deviceMtu) return;
  throw new CrosswireError({
    code: 'HOST_DEVICE_REFUSED',
    operation: 'plan the wire',
    subject: wire.name,
    reason: `its mtu ${wire.mtu} is more than the ${deviceMtu} of ${network.device}`,
    hint: 'leave mtu out, and it is that of the device',
  });
}

function engineNamespaceOf(wire: Wire, end: EndName, { engineNamespace }: CompileContext) {
  if (engineNamespace) return engineNamespace;
  throw unresolved('NAMESPACE_MISSING', wire, end, "the engine's namespace was not made");
}

function namespaceOf(wire: Wire, end: EndName, { namespaces }: CompileContext) {
  const namespace = namespaces[end];
  if (namespace) return namespace;
  throw unresolved('NAMESPACE_MISSING', wire, end, 'its namespace was not resolved');
}

function unresolved(code: string, wire: Wire, end: EndName, reason: string): CrosswireError {
  return new CrosswireError({ code, operation: 'plan the wire', subject: `${wire.name}/${end}`, reason });
}
