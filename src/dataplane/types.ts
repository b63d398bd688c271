// SPDX-License-Identifier: Apache-2.0
// The façade to the addon: asynchronous, with plain data in and out, so that the data plane can become a process of its
// own. Namespaces are paths; '' is the forwarder's own. A method that fails rejects with a CrosswireError and changes
// nothing, unless its comment says otherwise.

import type { Payload } from '../model/wire.ts';
import type { TunnelKind, TunnelParameters, TunnelRequest, TunnelState } from './tunnels.ts';

export type { TunnelKind, TunnelParameters, TunnelRequest, TunnelState } from './tunnels.ts';

export interface NamespaceIdentity {
  readonly device: number;
  readonly inode: number;
}
export interface NamespaceEntry extends NamespaceIdentity {
  readonly path: string;
}

export interface VethSide {
  readonly netns: string;
  readonly name: string;
  readonly alias: string; // ownership mark
  readonly mac: string;
  readonly mtu: number;
}

export interface TapRequest {
  readonly netns: string;
  readonly name: string;
  readonly alias: string;
  readonly payload: Payload; // ethernet → tap, ip → tun
  readonly mac?: string; // tap only
  readonly mtu: number;
  readonly txQueueLength: number; // frames
}

export interface RouteEntry {
  readonly to: string;
  readonly via?: string;
}
export interface NeighbourEntry {
  readonly address: string;
  readonly mac: string;
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** A routing table for the packets that match all given members, and the rules that lead to it. */
export interface PolicyEntry {
  readonly from?: string;
  readonly protocol?: number;
  readonly destinationPorts?: PortRange;
  readonly sourcePorts?: PortRange;
  readonly routes: readonly RouteEntry[];
}

/** How an interface is joined to a host device: by its own macvlan in private mode, isolated from other such interfaces. */
export interface Uplink {
  readonly device: string; // in the forwarder's namespace; '' if it is missing
  readonly id: number; // VLAN identifier; 0: the interface is the macvlan itself
  readonly name: string; // of the macvlan in the forwarder's namespace; '' for id 0
  readonly mac: string; // of that macvlan
  /** As created: private, with the device's MTU and, if there is a VLAN device above it, up. */
  readonly sound: boolean;
}

export interface VlanRequest {
  readonly netns: string;
  readonly name: string;
  readonly alias: string;
  readonly mac: string;
  readonly mtu: number;
  readonly device: string;
  readonly id: number;
  /** Name of the macvlan, '' for id 0. Its mark is the alias followed by `/uplink`. */
  readonly uplink: string;
}

/** One ordered batch on one interface. It is a success to add what exists and to remove what does not. If a step fails,
 *  the previous steps of the batch are undone. Order: removals, rename, mtu, mac, ping, addresses, up, routes, neighbours,
 *  policies. */
export interface InterfaceChange {
  readonly netns: string;
  readonly name: string;
  /** Must equal the interface's alias; otherwise INTERFACE_NOT_OURS. */
  readonly alias: string;
  readonly rename?: string;
  readonly mtu?: number;
  readonly mac?: string;
  readonly up?: boolean;
  readonly addAddresses?: readonly string[];
  readonly removeAddresses?: readonly string[];
  readonly addRoutes?: readonly RouteEntry[];
  readonly removeRoutes?: readonly RouteEntry[];
  readonly addNeighbours?: readonly NeighbourEntry[];
  readonly removeNeighbours?: readonly NeighbourEntry[];
  /** Allows everybody in the namespace to ping, and enables IPv6 on the interface. Never reset. */
  readonly allowPing?: boolean;
  /** The complete new set: our other policies are removed. */
  readonly policies?: readonly PolicyEntry[];
}

export interface InterfaceStatistics {
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly rxErrors: bigint;
  readonly txErrors: bigint;
  readonly rxDropped: bigint;
  readonly txDropped: bigint;
}

/** Row i belongs to the i-th interface of the request: found[i] is 1 or 0, and its 8 words are in the order of the members
 *  of InterfaceStatistics. */
export interface StatisticsRows {
  readonly found: Uint8Array;
  readonly words: BigUint64Array;
}

export interface InterfaceInfo {
  readonly index: number;
  readonly name: string;
  readonly alias: string;
  readonly kind: string; // the kernel's name, but 'tap' for a TUN device of type TAP; '' for hardware
  readonly mac: string; // '' where it has none
  readonly mtu: number;
  readonly up: boolean; // administratively
  readonly running: boolean; // carrier
  readonly addresses: readonly string[]; // CIDR, IPv6 link-local left out
  readonly routes: readonly RouteEntry[]; // with our routing protocol number only
  readonly neighbours: readonly NeighbourEntry[]; // permanent only
  readonly policies: readonly PolicyEntry[]; // with our routing protocol number only
  readonly allowsPing: boolean;
  readonly tunnel?: TunnelState; // of a device as createTunnel() makes it
  readonly device?: string; // address of its PCI function; unknown before Linux 5.14
  readonly uplink?: Uplink; // of a part of a host device
}

export interface InterfaceQuery {
  readonly netns: string;
  readonly aliasPrefix?: string; // those whose alias begins so …
  readonly names?: readonly string[]; // … and those with these names
  /** Addresses, routes and neighbours too (default); they cost a walk through the tables of the whole namespace. */
  readonly details?: boolean;
}

/** As the driver of the physical function knows it; what the driver does not report is absent. */
export interface VirtualFunctionInfo {
  readonly index: number; // N of virtfnN
  readonly mac?: string;
  readonly vlan?: number; // 0: none
  readonly qualityOfService?: number;
  readonly trust?: boolean;
  readonly spoofCheck?: boolean;
  readonly link?: 'automatic' | 'up' | 'down';
  readonly minRate?: number; // Mbit/s; 0: no bound
  readonly maxRate?: number;
  /** rx is what the VF received. All zeros if the driver does not count: the kernel does not tell the two apart. */
  readonly statistics?: VirtualFunctionStatistics;
}

export type VirtualFunctionStatistics = Omit<InterfaceStatistics, 'rxErrors' | 'txErrors'>;

/** One request to the driver for each attribute, in this order. The error's `operation` names the refused one; attributes
 *  set before it stay set. */
export interface VirtualFunctionChange {
  readonly netns: string; // of the physical function
  readonly pf: string; // name of its interface
  readonly index: number;
  readonly mac?: string;
  readonly vlan?: number;
  readonly qualityOfService?: number; // set together with vlan; default 0
  readonly spoofCheck?: boolean;
  readonly trust?: boolean;
  readonly maxRate?: number;
}

export interface InterfaceMark {
  readonly netns: string;
  readonly name: string;
  /** The current alias; otherwise INTERFACE_NOT_OURS. */
  readonly from: string;
  readonly alias: string; // '' removes it
}

export interface InterfaceMove {
  readonly netns: string;
  readonly name: string;
  /** An interface without an alias gets this one first; one with another is INTERFACE_NOT_OURS. */
  readonly alias: string;
  readonly to: string; // namespace
  readonly rename: string;
}

/** A character device, as mknod(2) names it. */
export interface DeviceNode {
  readonly major: number;
  readonly minor: number;
}

export interface DeviceAccess {
  readonly version: 1 | 2; // of control groups
  readonly opened: readonly DeviceNode[]; // the requested ones that the group refuses without this grant
  readonly changed: boolean; // false: the holder had them already
}

export interface TapLinkRequest {
  readonly kind: 'tap';
  readonly name: string; // for people: wire/end
  readonly netns: string;
  readonly interface: string;
  readonly payload: Payload;
  readonly mtu: number;
}

/** Any interface except a tap, by a packet socket. Payload ethernet. */
export interface DeviceLinkRequest {
  readonly kind: 'device';
  readonly name: string;
  readonly netns: string;
  readonly interface: string;
  readonly mtu: number;
}

export interface MemifLinkRequest {
  readonly kind: 'memif';
  readonly name: string;
  readonly socket: string; // path or @abstract
  readonly netns: string;
  readonly role: 'server' | 'client';
  readonly id: number;
  readonly payload: Payload;
  readonly secret: string; // '' for none
  readonly rings: number;
  readonly ringSize: number;
  readonly bufferSize: number;
  readonly allowUnsealed: boolean;
  readonly mtu: number;
}

/** The tunnel device belongs to the link alone: created when it opens, deleted when it closes. */
export interface TunnelLinkRequest {
  readonly kind: 'tunnel';
  readonly name: string;
  readonly payload: Payload; // what the tunnel carries
  readonly mtu: number;
  readonly tunnel: TunnelParameters;
}

export type LinkRequest = TapLinkRequest | DeviceLinkRequest | MemifLinkRequest | TunnelLinkRequest;

export interface EngineWireRequest {
  readonly name: string;
  readonly payload: Payload;
  /** Joins two memif applications directly: no frame passes through the engine, and none is counted. */
  readonly direct?: boolean;
  readonly client: LinkRequest;
  readonly endpoint: LinkRequest;
}

/** Never reused within a process. */
export type EngineWireId = number;

export interface LinkState {
  readonly up: boolean;
  readonly detail: string;
  readonly peer: string;
  readonly receiveRings: number;
  readonly transmitRings: number;
  readonly ringSize: number;
  readonly bufferSize: number;
  readonly sessions: number;
  readonly refused: number;
}

/** One snapshot of all engine wires. Row i of `words` belongs to ids[i]: client words, then endpoint words; each is
 *  rx_packets, rx_bytes, tx_packets, tx_bytes, then drops in the order of `dropReasons`. */
export interface EngineCounters {
  readonly ids: readonly EngineWireId[];
  readonly wordsPerEnd: number;
  readonly words: BigUint64Array;
}

export interface WorkerStatistics {
  readonly worker: number;
  readonly busyNanoseconds: bigint;
  readonly idleNanoseconds: bigint; // asleep in epoll
  readonly wakeUps: bigint;
  readonly bursts: bigint; // that yielded frames
  readonly frames: bigint;
  readonly wires: number;
  readonly hotWires: number;
  /** framesPerBurst[i]: bursts of at most 2^i frames (and more than 2^(i-1)); 9 buckets, 1 to 256. */
  readonly framesPerBurst: readonly bigint[];
}

export interface MachineProbe {
  readonly kernel: string; // release
  readonly capabilities: readonly string[]; // effective, of the ones we use
  readonly tun: boolean; // /dev/net/tun can be opened
  readonly tunVirtioHeader: boolean;
  readonly udpSegmentation: boolean; // TUN_F_USO4/6
  readonly memfd: boolean;
  readonly abstractSockets: boolean;
  /** Whether the kernel has the kind, or could load it now; absent: the kernel cannot be asked. */
  readonly tunnels: Readonly<Partial<Record<TunnelKind, boolean>>>;
}

export interface DataplaneOptions {
  readonly workers?: number; // default 1
  readonly cpus?: readonly number[]; // worker i is pinned to cpus[i]; absent or empty: no worker is pinned
  readonly busyPoll?: boolean; // workers never sleep
}

export interface Dataplane {
  readonly dropReasons: readonly string[];
  /** Starts threads. To be called once. */
  start(options?: DataplaneOptions): Promise<void>;
  /** Stops every engine wire and joins all threads; interfaces stay. Idempotent. */
  close(): Promise<void>;
  probe(): Promise<MachineProbe>;

  identifyNamespace(path: string): Promise<NamespaceIdentity>;
  /** All namespaces below /run/netns and /proc, each once. */
  listNamespaces(): Promise<NamespaceEntry[]>;

  listInterfaces(query: InterfaceQuery): Promise<InterfaceInfo[]>;
  /** Both sides appear in their namespaces at once, down, and nowhere else. */
  createVethPair(a: VethSide, b: VethSide): Promise<void>;
  /** Created down. Persistent: it outlives the process. */
  createTap(request: TapRequest): Promise<void>;
  /** The device appears in its namespace, down, and nowhere else; its outer packets belong to the forwarder's namespace. */
  createTunnel(request: TunnelRequest): Promise<void>;
  /** The interface appears in its namespace, down. A macvlan below it stays in the forwarder's namespace, up; deleting that
   *  macvlan deletes the interface. A macvlan left by an earlier attempt is deleted first. */
  createVlan(request: VlanRequest): Promise<void>;
  changeInterface(change: InterfaceChange): Promise<void>;
  /** Deletes the rules of its policies, too. false: there was no interface. Rejects with INTERFACE_NOT_OURS if the alias
   *  differs. */
  deleteInterface(netns: string, name: string, alias: string): Promise<boolean>;
  /** The addon keeps the translation of a long list for as long as the array exists. So do not change the array: pass a new
   *  one instead. */
  readStatistics(interfaces: readonly { netns: string; name: string }[]): Promise<StatisticsRows>;

  /** Those of the physical function with the interface `pf`; none for any other interface. */
  readVirtualFunctions(netns: string, pf: string): Promise<VirtualFunctionInfo[]>;
  changeVirtualFunction(change: VirtualFunctionChange): Promise<void>;
  markInterface(mark: InterfaceMark): Promise<void>;
  /** Moves to another namespace and name atomically; the interface arrives down, without addresses, with its alias. */
  moveInterface(move: InterfaceMove): Promise<void>;
  /** Allows the processes of a control group, named by its directory, to use device nodes. The record of each holder is kept
   *  on the group itself; a node stays usable as long as one holder has it. Idempotent. */
  grantDevices(group: string, holder: string, nodes: readonly DeviceNode[]): Promise<DeviceAccess>;
  /** false: the holder had nothing there, or the group is gone. */
  withdrawDevices(group: string, holder: string): Promise<boolean>;

  /** The namespace for the engine's own interfaces: without addresses and routes, silent, gone with the process. Its path is
   *  valid only in this process. */
  engineNamespace(): Promise<NamespaceEntry>;
  startWire(request: EngineWireRequest): Promise<EngineWireId>;
  /** Opens the new link, switches at a quiet point, closes the old link. The counters continue. */
  replaceEnd(id: EngineWireId, end: 'client' | 'endpoint', link: LinkRequest): Promise<void>;
  stopWire(id: EngineWireId): Promise<void>;
  describeWire(id: EngineWireId): { client: LinkState; endpoint: LinkState };
  /** A hash for each engine wire: while it stays the same, so does the result of describeWire(). */
  fingerprints(): ReadonlyMap<EngineWireId, bigint>;
  /** The counters of all engine wires, or of one. */
  readCounters(id?: EngineWireId): EngineCounters;
  workerStatistics(): WorkerStatistics[];
}
