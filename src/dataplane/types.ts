// SPDX-License-Identifier: Apache-2.0
// The façade to the addon: asynchronous, plain data in and out, so that the data plane can move into a process of its
// own. Namespaces are paths; '' is the forwarder's own. Everything rejects with a CrosswireError and changes nothing
// when it does, unless a method says otherwise.

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

/** A routing table of its own for packets to which all that is given applies, and the rules that lead there. */
export interface PolicyEntry {
  readonly from?: string;
  readonly protocol?: number;
  readonly destinationPorts?: PortRange;
  readonly sourcePorts?: PortRange;
  readonly routes: readonly RouteEntry[];
}

/** What an interface has of a host device: a macvlan of its own in private mode, which no other such interface sees. */
export interface Uplink {
  readonly device: string; // of the forwarder's namespace; '' where it is not there
  readonly id: number; // VLAN identifier; 0: the interface is the macvlan itself
  readonly name: string; // of the macvlan in the forwarder's namespace; '' for id 0
  readonly mac: string; // of that macvlan
  /** It is as it was made: private, as long as the device, up where it is another than the interface. */
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
  /** Name of the macvlan, '' for id 0. Its mark is the alias with `/uplink` behind. */
  readonly uplink: string;
}

/** One ordered batch on one interface. Adding what is there and removing what is gone are successes. If a step fails,
 *  the steps before it in this batch are undone. Order: removals, rename, mtu, mac, ping, addresses, up, routes, neighbours,
 *  policies. */
export interface InterfaceChange {
  readonly netns: string;
  readonly name: string;
  /** The interface's alias must be this; otherwise INTERFACE_NOT_OURS. */
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
  /** Lets everybody in the namespace ping, and enables IPv6 on the interface; there is no way back. */
  readonly allowPing?: boolean;
  /** All that there are to be: others of ours are removed. */
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

/** Row i is of the i-th interface asked for: found[i] is 1 or 0, and its 8 words are in the order of the members of
 *  InterfaceStatistics. */
export interface StatisticsRows {
  readonly found: Uint8Array;
  readonly words: BigUint64Array;
}

export interface InterfaceInfo {
  readonly index: number;
  readonly name: string;
  readonly alias: string;
  readonly kind: string; // as the kernel names it, but 'tap' for a TUN of that type; '' for hardware
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
  readonly uplink?: Uplink; // of a vlan or macvlan device
}

export interface InterfaceQuery {
  readonly netns: string;
  readonly aliasPrefix?: string; // those whose alias begins so …
  readonly names?: readonly string[]; // … and those with these names
  /** Addresses, routes and neighbours too (default); they cost a walk through the tables of the whole namespace. */
  readonly details?: boolean;
}

/** As the physical function's driver knows it; what the driver does not say is absent. */
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
  /** rx is what the VF received. A driver that counts nothing shows as zeros: the kernel makes no difference. */
  readonly statistics?: VirtualFunctionStatistics;
}

export type VirtualFunctionStatistics = Omit<InterfaceStatistics, 'rxErrors' | 'txErrors'>;

/** One request to the driver for each attribute, in this order. The error's `operation` names the one that was refused;
 *  those before it stay as they were set. */
export interface VirtualFunctionChange {
  readonly netns: string; // of the physical function
  readonly pf: string; // name of its interface
  readonly index: number;
  readonly mac?: string;
  readonly vlan?: number;
  readonly qualityOfService?: number; // goes with vlan; default 0
  readonly spoofCheck?: boolean;
  readonly trust?: boolean;
  readonly maxRate?: number;
}

export interface InterfaceMark {
  readonly netns: string;
  readonly name: string;
  /** The alias that it has now; otherwise INTERFACE_NOT_OURS. */
  readonly from: string;
  readonly alias: string; // '' takes it away
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
  readonly opened: readonly DeviceNode[]; // of those wanted, the ones that the group refuses without this grant
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

/** Payload ethernet: any interface but a tap, by a packet socket. */
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

/** The kernel's device for it comes and goes with the link, seen by nobody else. */
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
  /** Both links are memif, server and client: no frame goes through the engine, and none is counted. */
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
  /** The kernel has it, or could load it just now; absent: the kernel cannot be asked. */
  readonly tunnels: Readonly<Partial<Record<TunnelKind, boolean>>>;
}

export interface DataplaneOptions {
  readonly workers?: number; // default 1
  readonly cpus?: readonly number[]; // worker i is pinned to cpus[i]; absent or empty: to none
  readonly busyPoll?: boolean; // workers never sleep
}

export interface Dataplane {
  readonly dropReasons: readonly string[];
  /** Starts threads. Only once. */
  start(options?: DataplaneOptions): Promise<void>;
  /** Stops every engine wire and joins all threads; interfaces stay. Idempotent. */
  close(): Promise<void>;
  probe(): Promise<MachineProbe>;

  identifyNamespace(path: string): Promise<NamespaceIdentity>;
  /** All that can be found below /run/netns and /proc, each once. */
  listNamespaces(): Promise<NamespaceEntry[]>;

  listInterfaces(query: InterfaceQuery): Promise<InterfaceInfo[]>;
  /** Both sides appear in their namespaces at once, down, and nowhere else. */
  createVethPair(a: VethSide, b: VethSide): Promise<void>;
  /** Persistent: it outlives the process. Down when made. */
  createTap(request: TapRequest): Promise<void>;
  /** The device appears in its namespace, down, and nowhere else; it sends and receives in the forwarder's own. */
  createTunnel(request: TunnelRequest): Promise<void>;
  /** The interface appears in its namespace, down; a macvlan below it stays in the forwarder's, up, and takes the
   *  interface along when it is deleted. One left of an earlier try goes first. */
  createVlan(request: VlanRequest): Promise<void>;
  changeInterface(change: InterfaceChange): Promise<void>;
  /** With the rules of its policies. false: there was none. Rejects with INTERFACE_NOT_OURS if the alias differs. */
  deleteInterface(netns: string, name: string, alias: string): Promise<boolean>;
  /** A long list is known again when it comes again: it must not change, and is better replaced by another. */
  readStatistics(interfaces: readonly { netns: string; name: string }[]): Promise<StatisticsRows>;

  /** Of the physical function whose interface `pf` is; none for any other interface. */
  readVirtualFunctions(netns: string, pf: string): Promise<VirtualFunctionInfo[]>;
  changeVirtualFunction(change: VirtualFunctionChange): Promise<void>;
  markInterface(mark: InterfaceMark): Promise<void>;
  /** To another namespace and name in one step; it arrives down, without addresses, with its alias. */
  moveInterface(move: InterfaceMove): Promise<void>;
  /** Lets the processes of a control group, named by its directory, use device nodes. The group itself keeps the record
   *  of who holds what; a node stays usable as long as one holder has it. Repeatable. */
  grantDevices(group: string, holder: string, nodes: readonly DeviceNode[]): Promise<DeviceAccess>;
  /** false: the holder had nothing there, or the group is gone. */
  withdrawDevices(group: string, holder: string): Promise<boolean>;

  /** Of interfaces that are nobody else's: without addresses or routes, quiet, gone with the process. Found by this path from
   *  this process alone. */
  engineNamespace(): Promise<NamespaceEntry>;
  startWire(request: EngineWireRequest): Promise<EngineWireId>;
  /** Opens the new link, switches at a quiet point, closes the old one. Counters go on. */
  replaceEnd(id: EngineWireId, end: 'client' | 'endpoint', link: LinkRequest): Promise<void>;
  stopWire(id: EngineWireId): Promise<void>;
  describeWire(id: EngineWireId): { client: LinkState; endpoint: LinkState };
  /** A value for each engine wire: as long as it stays, describeWire() would tell what it told before. */
  fingerprints(): ReadonlyMap<EngineWireId, bigint>;
  /** Of all engine wires, or of one. */
  readCounters(id?: EngineWireId): EngineCounters;
  workerStatistics(): WorkerStatistics[];
}
