// SPDX-License-Identifier: Apache-2.0
// The contract of a mechanism: every question that other code asks about one. Each mechanism implements it in a file of its
// own, and ./index.ts lists them. Other code does not know mechanisms by name (docs/decisions/021-mechanisms.md).

import type { z } from 'zod';
import type { DeviceRequest } from '../../model/device.ts';
import type { DropReason } from '../../model/drop-reason.ts';
import type { EndName, NamespaceReference, Payload } from '../../model/wire.ts';
import type { Family } from '../values/addresses.ts';
import type { Frozen } from '../values/frozen.ts';
import type { KeyPath, Problem } from '../values/problems.ts';

type Shape = z.ZodObject;

/** `Document` is what people write below the key of the mechanism; `Wired` is what a wire, its journal and the control API's
 *  answers hold. Their types are inferred from the two schemas. */
export interface MechanismKind<
  Document extends Shape = Shape,
  Wired extends Shape = Shape,
  Mechanism = Frozen<z.output<Wired>>,
> {
  readonly type: string;
  readonly document: Document;
  readonly wired: Wired;
  /** `document` has its defaults, and canonical addresses. */
  toWired(document: z.output<Document>): z.output<Wired>;
  /** The document that reads as this mechanism. */
  toDocument(mechanism: Mechanism): Frozen<z.input<Document>>;
  /** The rules between its keys, and with keys of the rest of the wire. They read raw values, which may be wrong. */
  problems(own: WrittenEnd, wire: WrittenWire): Problem[];
  readonly reach: Reach<Mechanism>;
  /** The namespace of the end; undefined: the forwarder's own, or the end has none. */
  namespace(mechanism: Mechanism): NamespaceReference | undefined;
  /** The virtual function that the end asks for. */
  device(mechanism: Mechanism): DeviceRequest | undefined;
  /** Unique kernel resources. src/wire/claims.ts claims virtual functions. */
  claims(mechanism: Mechanism, place: Place): Claimed[];
  readonly parameters: Roles<Mechanism>;
  /** Parameters that answers replace by '(set)'. */
  readonly secrets: readonly (keyof Mechanism & SecretKey)[];
  /** The interfaces that a wire of this mechanism may have, by the kernel's name for their kind. */
  readonly interfaces: Readonly<Record<string, InterfaceTraits>>;
  readonly drops: Drops;
  /** The rows of `crosswire describe wire` that only this mechanism has, by their place. */
  describe(mechanism: Mechanism): Partial<Record<'addresses' | 'role' | 'beyond', readonly Row[]>>;
}

/** How frames reach the end. It decides the path of the wire. */
export type Reach<Mechanism> =
  /** An interface in the workload's namespace. */
  | { readonly at: 'interface' }
  /** Memory that the engine shares with the application. */
  | { readonly at: 'memory' }
  /** A device that the application drives itself. */
  | { readonly at: 'device'; detail(group: number | undefined): string }
  | NetworkReach<Mechanism>
  | TunnelReach<Mechanism>;

/** The one payload that an end beyond this node carries. */
interface Carries {
  readonly payload: Payload;
  readonly words: string; // 'NAME carries Ethernet frames'
}

/** The network behind a host device, through a part of that device. */
export interface NetworkReach<Mechanism> {
  readonly at: 'network';
  readonly carries: Carries;
  hostDevice(mechanism: Mechanism): string;
  /** Its VLAN; 0: none. */
  segment(mechanism: Mechanism): number;
  /** The kernel's name for the kind of the part. */
  interfaceKind(mechanism: Mechanism): string;
  /** Why the wire goes this way: one sentence a line. */
  why(mechanism: Mechanism, end: EndName): string[];
  whyPort(mechanism: Mechanism): string[];
  /** 'eth0, VLAN 7' */
  detail(mechanism: Mechanism): string;
}

/** Another node, through a tunnel. Its device is the workload's interface, or a link of the engine. */
export interface TunnelReach<Mechanism> {
  readonly at: 'tunnel';
  readonly carries: Carries;
  /** The name as people write it. */
  readonly name: string;
  /** Bytes around an inner packet, by the family of the outer addresses. */
  readonly overhead: Readonly<Record<Family, number>>;
  /** The longest inner packet that fits into an outer one. */
  readonly longest: Readonly<Record<Family, number>>;
  /** The daemon's option for the UDP port in a mesh. */
  readonly portOption: PortOption;
  /** Seconds after the last handshake until the end is down; undefined: the kernel knows of no handshakes. */
  readonly sessionSeconds: number | undefined;
  /** The place of the tunnel in the kernel, which no other tunnel can have. */
  key(tunnel: TunnelOf<Mechanism>): string;
  /** Whether a device that was found is this tunnel. */
  isFound(found: TunnelOf<Mechanism>, known: TunnelOf<Mechanism>): boolean;
  why(mechanism: Mechanism): string;
  /** In an action: 'from 192.0.2.1 to 192.0.2.2, port 4789'. */
  way(tunnel: TunnelOf<Mechanism>): string;
  detail(mechanism: Mechanism): string;
}

export interface PortOption {
  readonly environment: string;
  readonly default: number;
  /** Whether 0 also means the default. */
  readonly zeroIsDefault: boolean;
  readonly meaning: string;
}

export type SecretKey = 'secret' | 'privateKey';

/** The parameters of a tunnel's device. The kernel does not return secrets: a device that was found has them only if its
 *  wire is known. */
export type TunnelOf<Mechanism> = Mechanism extends { readonly type: infer Kind }
  ? { readonly kind: Kind; readonly remote: string } & Omit<Mechanism, 'type' | SecretKey> &
      Partial<Pick<Mechanism, Extract<keyof Mechanism, SecretKey>>>
  : never;

/** How an interface is made, counted and taken away. */
export interface InterfaceTraits {
  readonly made: 'pair' | 'tap' | 'tunnel' | 'part' | 'lent';
  /** IP packets alone: no MAC, no neighbours. */
  readonly isLayerless: boolean;
}

/** A new value of an `identity` parameter means a new object: build it, switch, remove the old one. A `mutable` parameter
 *  changes in place. A `label` changes nothing in the kernel. */
export type Role = 'identity' | 'mutable' | 'label';
export type Roles<T> = Readonly<Record<Exclude<keyof T, 'type'>, Role>>;

export interface Drops {
  /** Through the engine: of frames that enter here. */
  readonly ingress: readonly DropReason[];
  /** Through the engine: of frames that leave here. */
  readonly egress: readonly DropReason[];
  /** Where the kernel or a NIC moves the frames: of those that enter here. */
  readonly kernel: readonly DropReason[];
}

/** Where a claim is: a reference to a namespace before it is resolved, the namespace itself afterwards. */
export interface Place {
  readonly key: readonly (string | number)[];
  readonly words: string;
}

export type ClaimCode = 'INTERFACE_CLAIMED' | 'MEMIF_CLAIMED' | 'TUNNEL_CLAIMED' | 'DEVICE_CLAIMED';

export interface Claimed {
  /** Two wires with the same one contradict each other. */
  readonly key: string;
  /** Two ends of one wire with the same one lead to each other. */
  readonly identity: string;
  readonly code: ClaimCode;
  readonly noun: string;
  readonly what: string;
}

export type Row = readonly [label: string, value: string | number | undefined];

/** An end as it was written. */
export interface WrittenEnd {
  readonly name: EndName;
  readonly kind: MechanismKind;
  /** The path of the mechanism's keys in the document. */
  readonly path: KeyPath;
  readonly value: Readonly<Record<string, unknown>>;
}

export interface WrittenWire {
  readonly payload: Payload;
  readonly mtu: number | undefined;
  readonly direct: boolean;
  /** The opposite end; undefined if its mechanism is unknown. */
  readonly opposite: (end: EndName) => WrittenEnd | undefined;
}

/** Holds a kind to its contract, so that a missing property does not compile. */
export function mechanism<Document extends Shape, Wired extends Shape>(
  kind: MechanismKind<Document, Wired>,
): MechanismKind<Document, Wired> {
  return kind;
}

export interface TunnelKind<Document extends Shape = Shape, Wired extends Shape = Shape>
  extends MechanismKind<Document, Wired> {
  readonly reach: TunnelReach<Frozen<z.output<Wired>>>;
}

export function tunnel<Document extends Shape, Wired extends Shape>(
  kind: TunnelKind<Document, Wired>,
): TunnelKind<Document, Wired> {
  return kind;
}
