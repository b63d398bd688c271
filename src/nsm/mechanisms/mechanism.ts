// SPDX-License-Identifier: Apache-2.0
// All that the forwarder asks about a mechanism of NSM. Each mechanism answers in a file of its own, and ./index.ts lists
// them. What it becomes on this node is a mechanism of a wire: src/wire/mechanisms.

import type { EndName } from '../../model/wire.ts';
import type { Mechanism as WireMechanism } from '../../wire/mechanisms/index.ts';
import type { EndDocument } from '../../wire/wire-document.ts';
import type { Connection, Mechanism } from '../generated/connection.ts';
import type { SharedDevices } from './devices.ts';
import type { GatewayNetwork } from './gateways.ts';

export type Parameters = Mechanism['parameters'];

export interface NsmMechanism {
  /** As NSM spells it. */
  readonly type: string;
  /** From which callers it is taken: all; those of a node that shares devices, or that has this tunnel; none. */
  readonly taken: 'always' | 'with devices' | 'as tunnel' | 'never';
  /** The caller's mechanism as we answer it: what it left open is filled in, what it said comes back unchanged. */
  completed(parts: CallerSideParts, connection: Connection, asked: Mechanism): Mechanism;
  /** The end of a wire that it becomes. What a parameter lacks, the check of the whole wire names. */
  endOf(agreement: Agreement, end: EndName): EndDocument;
}

/** The near end of tunnels; absent: this node has none to offer. */
export interface TunnelSettings {
  readonly address: string;
  /** UDP ports by the type of a wire's mechanism, of those that the kernel has. */
  readonly ports: Readonly<Partial<Record<WireMechanism['type'], number>>>;
  /** Of the IP packet on the underlay. */
  readonly mtu: number;
}

export interface NsmTunnel<Book extends TunnelBook = TunnelBook> extends NsmMechanism {
  /** The wire's mechanism. */
  readonly wireType: WireMechanism['type'];
  offer(tunnel: TunnelSettings, known: Known): Mechanism;
  /** Why the next hop is offered none where this node does not have it. */
  missing(carried: string): { readonly reason: string; readonly hint: string };
  createBook(ports: TunnelPorts): Book;
}

export interface TunnelPorts {
  readonly first: number;
  /** In the forwarder's namespace, for both families. */
  readonly isFree: (port: number) => Promise<boolean>;
}

/** What tunnels of one kind take from this node, by connection. */
export interface TunnelBook {
  /** The same for the same connection, as long as it stands; that of the wire of an earlier run, where one stands. */
  sideOf(connection: string, standing?: WireMechanism): Promise<TunnelSide | undefined>;
  release(connection: string): void;
}

/** Our side of a tunnel, where each has one of its own. Keys are in base64. */
export interface TunnelSide {
  readonly port: number;
  readonly privateKey: string;
  readonly publicKey: string;
}

/** What an end at this node is already. */
export interface Known {
  readonly standing?: WireMechanism | undefined;
  readonly side?: TunnelSide | undefined;
}

export interface CallerSideParts {
  readonly tunnel?: TunnelSettings | undefined;
  readonly books: TunnelBooks;
  /** Our side of the tunnel that the caller asks for. */
  readonly side?: TunnelSide | undefined;
  /** Where abstract memif sockets are named after. */
  readonly temporaryDirectory: string;
}

export interface TunnelBooks {
  of<Book extends TunnelBook>(kind: NsmTunnel<Book>): Book;
  release(connection: string): void;
}

/** A connection with what was agreed on both of its sides. */
export interface Agreement {
  /** Of the wire. */
  readonly name: string;
  /** With the context that the endpoint answered, and our own id. */
  readonly connection: Connection;
  /** Towards the client, and towards the endpoint. */
  readonly client: Mechanism;
  readonly endpoint: Mechanism;
  /** Our side of the tunnel, where one of the mechanisms is one. */
  readonly side?: TunnelSide | undefined;
  /** memif at both ends: through the engine, counted; otherwise the two applications share the memory. */
  readonly memifViaEngine: boolean;
  /** Where the namespace of an inode url can be opened now. */
  readonly pathOf: (inodeUrl: string) => string | undefined;
  readonly devices?: SharedDevices | undefined;
  /** Of the NIC behind which an endpoint with a device of its own is. */
  readonly port?: string | undefined;
  /** Of an endpoint that answered with a network behind a device of this node. */
  readonly network?: GatewayNetwork | undefined;
}
