// SPDX-License-Identifier: Apache-2.0
// What can exist of one wire: wanted and observed state have the same shape. Plain data, compared by value.

import type { DeviceSettings } from '../model/device.ts';
import { type EndName, otherEnd, type Payload } from '../model/wire.ts';
import { interfaceTraits, type Tunnel, tunnelReach } from '../wire/mechanisms/index.ts';
import type { MemifMechanism, Neighbour, Policy, Route } from '../wire/wire.ts';

export type { Tunnel };

/** A namespace is its device and inode; the path is only where it was found this time. */
export interface Namespace {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
}

/** The devices that the requests of a wire's ends mean, by PCI address. */
export type ChosenDevices = Readonly<Partial<Record<EndName, string>>>;

/** The namespaces a wire's ends refer to. */
export type Namespaces = Readonly<Partial<Record<EndName, Namespace>>>;

/** As the kernel names the kind of a device, but 'vf' for a virtual function. */
export type InterfaceKind = string;

export function isTunnelKind(kind: InterfaceKind): boolean {
  return interfaceTraits(kind)?.made === 'tunnel';
}

/** IP packets alone: no MAC, no neighbours. */
export function isLayerless(kind: InterfaceKind): boolean {
  return interfaceTraits(kind)?.isLayerless ?? false;
}

/** A virtual function, and what its physical function has been told of it. */
export interface Device extends DeviceSettings {
  readonly pci: string;
  readonly mac: string;
}

/** Of a vlan device: the macvlan of its own that it is above, in the forwarder's namespace. Of a macvlan: the device. */
export interface Uplink {
  readonly device: string;
  readonly id: number;
  readonly name: string; // '' of a macvlan, which is it itself
  readonly mac: string; // likewise
  /** Nobody changed it; wanted so. */
  readonly sound: boolean;
}

export interface InterfaceState {
  readonly end: EndName;
  readonly kind: InterfaceKind;
  readonly namespace: Namespace;
  readonly name: string;
  /** Ownership mark. */
  readonly alias: string;
  readonly mac: string; // '' where frames have no link layer
  readonly mtu: number;
  readonly up: boolean;
  readonly addresses: readonly string[];
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  readonly policies: readonly Policy[];
  /** Only ever made so: whether it was so before, and for whom, nobody can tell. */
  readonly allowPing: boolean;
  readonly tunnel?: Tunnel; // of a tunnel's device
  readonly uplink?: Uplink; // of a part of a host device
  readonly device?: Device; // of kind vf
  /** Where the engine counts the wire's frames: what of the interface's own statistics adds to that. */
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

/** An interface of the wire's own that the engine uses: a tap of a workload's, or the port of a memif end (portEndOf), by which
 *  it reaches the other end. */
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
  /** Where an abstract socket lives; undefined: where the forwarder runs. */
  readonly namespace: Namespace | undefined;
  readonly name: string;
  readonly payload: Payload;
  readonly mtu: number;
}

/** The device is the engine's own: it comes and goes with the link. */
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

/** The end of the interface that an engine end uses; undefined: it uses none of the wire's. */
export function interfaceEndOf({ kind }: EngineEnd, at: EndName): EndName | undefined {
  if (kind === 'tap') return at;
  return kind === 'device' ? otherEnd(at) : undefined;
}

export interface EngineState {
  readonly name: string;
  readonly payload: Payload;
  /** Not through the engine: two applications share the memory. */
  readonly direct: boolean;
  readonly client: EngineEnd;
  readonly endpoint: EngineEnd;
}

export interface WireState {
  /** At most one of each end, but while a change is under way. */
  readonly interfaces: readonly InterfaceState[];
  readonly devices?: readonly BoundDevice[];
  readonly engine?: EngineState;
}

export const nothing: WireState = { interfaces: [] };

/** Names chosen at random before a plan is made and journaled, so that whoever cleans up knows them. */
export interface TemporaryNames {
  /** What a new interface is called until it may have its name. */
  readonly fresh: string;
  /** What an old one is called from when it gives its name away. */
  readonly retired: string;
}

export type NameChoice = Readonly<Record<EndName, TemporaryNames>>;

export function sameNamespace(a: Namespace | undefined, b: Namespace | undefined): boolean {
  return a?.device === b?.device && a?.inode === b?.inode;
}

/** Unique in the kernel. */
export function tunnelKey(tunnel: Tunnel): string {
  return tunnelReach(tunnel.kind).key(tunnel);
}

export function interfaceOf(state: WireState, end: EndName): InterfaceState | undefined {
  return state.interfaces.find((candidate) => candidate.end === end);
}
