// SPDX-License-Identifier: Apache-2.0
// The state of a wire: wanted and observed state have the same shape. Plain data, compared by value.

import type { DeviceSettings } from '../model/device.ts';
import { type EndName, otherEnd, type Payload } from '../model/wire.ts';
import { interfaceTraits, type Tunnel, tunnelReach } from '../wire/mechanisms/index.ts';
import type { MemifMechanism, Neighbour, Policy, Route } from '../wire/wire.ts';

export type { Tunnel };

/** A namespace is identified by device and inode; the path is only where it was found. */
export interface Namespace {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
}

/** The devices that were chosen for the ends of a wire, by PCI address. */
export type ChosenDevices = Readonly<Partial<Record<EndName, string>>>;

/** The namespaces to which the ends of a wire refer. */
export type Namespaces = Readonly<Partial<Record<EndName, Namespace>>>;

/** The kernel's name for the kind of a device, or 'vf' for a virtual function. */
export type InterfaceKind = string;

export function isTunnelKind(kind: InterfaceKind): boolean {
  return interfaceTraits(kind)?.made === 'tunnel';
}

/** Whether the interface carries IP packets without a link layer: no MAC, no neighbours. */
export function isLayerless(kind: InterfaceKind): boolean {
  return interfaceTraits(kind)?.isLayerless ?? false;
}

/** A virtual function and the settings that its physical function holds for it. */
export interface Device extends DeviceSettings {
  readonly pci: string;
  readonly mac: string;
}

/** For a VLAN device: the wire's own macvlan below it, in the forwarder's namespace. For a macvlan: the host device. */
export interface Uplink {
  readonly device: string;
  readonly id: number;
  readonly name: string; // '' if the interface is the macvlan itself
  readonly mac: string; // likewise
  /** It is as it was made; always true in a wanted state. */
  readonly sound: boolean;
}

export interface InterfaceState {
  readonly end: EndName;
  readonly kind: InterfaceKind;
  readonly namespace: Namespace;
  readonly name: string;
  /** Ownership mark. */
  readonly alias: string;
  readonly mac: string; // '' if there is no link layer
  readonly mtu: number;
  readonly up: boolean;
  readonly addresses: readonly string[];
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  readonly policies: readonly Policy[];
  /** Only ever set, never reset: it is not known whether it was set before, and for whom. */
  readonly allowPing: boolean;
  readonly tunnel?: Tunnel; // tunnel devices only
  readonly uplink?: Uplink; // kinds vlan and macvlan only
  readonly device?: Device; // kind vf only
  /** Set if the engine counts the wire's frames: which of the interface's own statistics are added. */
  readonly counted?: 'drops' | 'nothing';
}

/** A virtual function that an application drives. */
export interface BoundDevice {
  readonly end: EndName;
  /** Ownership mark. */
  readonly alias: string;
  readonly device: Device;
  readonly cgroup?: string;
}

/** An interface of the wire that the engine uses: the tap of a workload, or the port of a memif end (portEndOf), through which the
 *  engine reaches the other end. */
export interface InterfaceEnd {
  readonly kind: 'tap' | 'device';
  readonly name: string; // for people
  readonly namespace: Namespace;
  readonly interface: string;
  readonly payload: Payload;
  readonly mtu: number;
}

export interface MemifEnd extends Required<Omit<MemifMechanism, 'type' | 'netns' | 'inode' | 'mac'>> {
  readonly kind: 'memif';
  /** The namespace of an abstract socket; undefined: the forwarder's own. */
  readonly namespace: Namespace | undefined;
  readonly name: string;
  readonly payload: Payload;
  readonly mtu: number;
}

/** A tunnel whose device is the engine's own: it is made and removed with the link. */
export interface TunnelEnd {
  readonly kind: 'tunnel';
  readonly name: string;
  readonly payload: Payload;
  readonly mtu: number;
  readonly tunnel: Tunnel;
}

export type EngineEnd = InterfaceEnd | MemifEnd | TunnelEnd;

export function isInterfaceEnd(end: EngineEnd): end is InterfaceEnd {
  return end.kind === 'tap' || end.kind === 'device';
}

/** The end whose interface an engine end uses; undefined if it uses none of the wire's interfaces. */
export function interfaceEndOf({ kind }: EngineEnd, at: EndName): EndName | undefined {
  if (kind === 'tap') return at;
  return kind === 'device' ? otherEnd(at) : undefined;
}

export interface EngineState {
  readonly name: string;
  readonly payload: Payload;
  /** The two applications share memory, and frames do not pass through the engine. */
  readonly direct: boolean;
  readonly client: EngineEnd;
  readonly endpoint: EngineEnd;
}

export interface WireState {
  /** At most one for each end, except during a change. */
  readonly interfaces: readonly InterfaceState[];
  readonly devices?: readonly BoundDevice[];
  readonly engine?: EngineState;
}

export const nothing: WireState = { interfaces: [] };

/** Random names, chosen before a plan is made and recorded in the journal, so that leftovers can be found by them. */
export interface TemporaryNames {
  /** The name of a new interface until it gets its final name. */
  readonly fresh: string;
  /** The name of an old interface after it has given up its own. */
  readonly retired: string;
}

export type NameChoice = Readonly<Record<EndName, TemporaryNames>>;

export function sameNamespace(a: Namespace | undefined, b: Namespace | undefined): boolean {
  return a?.device === b?.device && a?.inode === b?.inode;
}

/** The unique kernel resource of a tunnel: a VNI with port and family, or a UDP port. */
export function tunnelKey(tunnel: Tunnel): string {
  return tunnelReach(tunnel.kind).key(tunnel);
}

export function interfaceOf(state: WireState, end: EndName): InterfaceState | undefined {
  return state.interfaces.find((candidate) => candidate.end === end);
}
