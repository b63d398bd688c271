// SPDX-License-Identifier: Apache-2.0
// All that the rest of the house asks about a mechanism. Each mechanism answers in a file of its own, and ./index.ts
// lists them; nobody else knows one by its name. Docs: docs/decisions/021-mechanisms.md.

import type { z } from 'zod';
import type { DeviceRequest } from '../../model/device.ts';
import type { DropReason } from '../../model/drop-reason.ts';
import type { EndName, NamespaceReference, Payload } from '../../model/wire.ts';
import type { Family } from '../values/addresses.ts';
import type { Frozen } from '../values/frozen.ts';
import type { KeyPath, Problem } from '../values/problems.ts';

type Shape = z.ZodObject;

/** `Document`: what people write below the key of the mechanism. `Wired`: what a wire, its journal and the control API's
 *  answers hold. Both are read by their schemas, and typed by them alone. */
export interface MechanismKind<
  Document extends Shape = Shape,
  Wired extends Shape = Shape,
  Mechanism = Frozen<z.output<Wired>>,
> {
  readonly type: string;
  readonly document: Document;
  readonly wired: Wired;
  /** From a document that was read: defaults are filled in, addresses canonical. */
  toWired(document: z.output<Document>): z.output<Wired>;
  /** The document that reads as this mechanism. */
  toDocument(mechanism: Mechanism): Frozen<z.input<Document>>;
  /** The rules between keys, its own and those of the rest of the wire, over what was written, right or wrong: one run of
   *  `apply` shows every mistake of a file. */
  problems(own: WrittenEnd, wire: WrittenWire): Problem[];
  readonly reach: Reach<Mechanism>;
  /** Where the end is; undefined: that makes no difference, or it is the forwarder's own. */
  namespace(mechanism: Mechanism): NamespaceReference | undefined;
  /** The virtual function that the end asks for. */
  device(mechanism: Mechanism): DeviceRequest | undefined;
  /** Unique kernel resources. A virtual function is claimed by src/wire/claims.ts, once it is chosen. */
  claims(mechanism: Mechanism, place: Place): Claimed[];
  readonly parameters: Roles<Mechanism>;
  /** Never shown: '(set)' in answers. */
  readonly secrets: readonly (keyof Mechanism & SecretKey)[];
  /** Interfaces of a wire's own that the mechanism brings about, by the kernel's name for their kind. */
  readonly interfaces: Readonly<Record<string, InterfaceTraits>>;
  readonly drops: Drops;
  /** The rows of `crosswire describe wire` that only this mechanism has, by where they go. */
  describe(mechanism: Mechanism): Partial<Record<'addresses' | 'role' | 'beyond', readonly Row[]>>;
}

/** How frames get to the end, which decides the path of its wire. */
export type Reach<Mechanism> =
  /** An interface in the workload's namespace. */
  | { readonly at: 'interface' }
  /** Memory that the engine shares with the application. */
  | { readonly at: 'memory' }
  /** A device that the application drives itself. */
  | { readonly at: 'device'; detail(group: number | undefined): string }
  | NetworkReach<Mechanism>
  | TunnelReach<Mechanism>;

/** What is beyond this node carries one payload. */
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
  /** The kernel's kind of the part. */
  interfaceKind(mechanism: Mechanism): string;
  /** Why the wire goes this way: one sentence a line. */
  why(mechanism: Mechanism, end: EndName): string[];
  whyPort(mechanism: Mechanism): string[];
  /** 'eth0, VLAN 7' */
  detail(mechanism: Mechanism): string;
}

/** Another node. The device of the tunnel is an interface of the workload's, or the engine's. */
export interface TunnelReach<Mechanism> {
  readonly at: 'tunnel';
  readonly carries: Carries;
  /** As people spell it. */
  readonly name: string;
  /** Around an inner packet of the default MTU, by the family of the outer one. */
  readonly overhead: Readonly<Record<Family, number>>;
  /** The longest inner packet that an outer one holds. */
  readonly longest: Readonly<Record<Family, number>>;
  /** How the port that the daemon uses in a mesh is set. */
  readonly portOption: PortOption;
  /** The kernel tells when the other side was heard last: so long after a handshake the end is down. Undefined: it tells
   *  nothing. */
  readonly sessionSeconds: number | undefined;
  /** Unique in the kernel, whatever the addresses. */
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
  /** 0 stands for the default, too. */
  readonly zeroIsDefault: boolean;
  readonly meaning: string;
}

export type SecretKey = 'secret' | 'privateKey';

/** The parameters of a tunnel's device. Nobody reads a secret back from the kernel: what was found has one only where its
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

/** Another value of an `identity` is another thing: build it, switch, remove the old. `label`: no difference to the thing
 *  itself. */
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
  /** Of the mechanism's mapping. */
  readonly path: KeyPath;
  readonly value: Readonly<Record<string, unknown>>;
}

export interface WrittenWire {
  readonly payload: Payload;
  readonly mtu: number | undefined;
  readonly direct: boolean;
  /** Of the other side of an end, if it has one that can be told. */
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
