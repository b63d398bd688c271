// SPDX-License-Identifier: Apache-2.0
// The contract of a mechanism of NSM: every question that the forwarder asks about one. Each mechanism implements it in a
// file of its own, and ./index.ts lists them. On this node it becomes a mechanism of a wire (src/wire/mechanisms).

import type { EndName } from '../../model/wire.ts';
import type { Mechanism as WireMechanism } from '../../wire/mechanisms/index.ts';
import type { EndDocument } from '../../wire/wire-document.ts';
import type { Connection, Mechanism } from '../generated/connection.ts';
import type { SharedDevices } from './devices.ts';
import type { GatewayNetwork } from './gateways.ts';

export type Parameters = Mechanism['parameters'];

export interface NsmMechanism {
  /** NSM's name of the mechanism. */
  readonly type: string;
  /** When a caller's preference for it is accepted. */
  readonly taken: 'always' | 'with devices' | 'as tunnel' | 'never';
  /** Our answer to the caller: its parameters unchanged, and those that it left open filled in. */
  completed(parts: CallerSideParts, connection: Connection, asked: Mechanism): Mechanism;
  /** The end of the wire's document. The check of the whole document reports missing parameters. */
  endOf(agreement: Agreement, end: EndName): EndDocument;
}

/** This node's side of tunnels; absent: it has none to offer. */
export interface TunnelSettings {
  readonly address: string;
  /** UDP ports by the type of the wire's mechanism; only of tunnels that the kernel has. */
  readonly ports: Readonly<Partial<Record<WireMechanism['type'], number>>>;
  /** The longest IP packet on the underlay. */
  readonly mtu: number;
}

export interface NsmTunnel<Book extends TunnelBook = TunnelBook> extends NsmMechanism {
  /** The wire's mechanism. */
  readonly wireType: WireMechanism['type'];
  offer(tunnel: TunnelSettings, known: Known): Mechanism;
  /** Why this node cannot offer it to a next hop. */
  missing(carried: string): { readonly reason: string; readonly hint: string };
  createBook(ports: TunnelPorts): Book;
}

export interface TunnelPorts {
  readonly first: number;
  /** Whether a port is free in the forwarder's namespace, for both families. */
  readonly isFree: (port: number) => Promise<boolean>;
}

/** What the tunnels of one kind use of this node, by connection. */
export interface TunnelBook {
  /** The same side for a connection as long as it lives; after a restart, the side of the wire that still exists. */
  sideOf(connection: string, standing?: WireMechanism): Promise<TunnelSide | undefined>;
  release(connection: string): void;
}

/** Our side of a tunnel whose kind has a side of its own for each connection. Keys are in base64. */
export interface TunnelSide {
  readonly port: number;
  readonly privateKey: string;
  readonly publicKey: string;
}

/** What is already known of the offered end. */
export interface Known {
  readonly standing?: WireMechanism | undefined;
  readonly side?: TunnelSide | undefined;
}

export interface CallerSideParts {
  readonly tunnel?: TunnelSettings | undefined;
  readonly books: TunnelBooks;
  /** Our side of the tunnel that the caller requests. */
  readonly side?: TunnelSide | undefined;
  /** The beginning of the names of abstract memif sockets. */
  readonly temporaryDirectory: string;
}

export interface TunnelBooks {
  of<Book extends TunnelBook>(kind: NsmTunnel<Book>): Book;
  release(connection: string): void;
}

/** A connection with the mechanisms agreed on both sides. */
export interface Agreement {
  /** The name of the wire. */
  readonly name: string;
  /** The connection, with the endpoint's context and our own id. */
  readonly connection: Connection;
  /** The mechanism towards the client; `endpoint`: towards the endpoint. */
  readonly client: Mechanism;
  readonly endpoint: Mechanism;
  /** Our side of the tunnel, if one of the mechanisms is a tunnel. */
  readonly side?: TunnelSide | undefined;
  /** With memif at both ends: true passes frames through the engine; otherwise the two applications share memory. */
  readonly memifViaEngine: boolean;
  /** The path at which the namespace of an inode URL can be opened now. */
  readonly pathOf: (inodeUrl: string) => string | undefined;
  readonly devices?: SharedDevices | undefined;
  /** The NIC behind which an endpoint with its own device is. */
  readonly port?: string | undefined;
  /** The host device and VLAN of an endpoint behind a gateway. */
  readonly network?: GatewayNetwork | undefined;
}
