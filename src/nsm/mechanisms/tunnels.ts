// SPDX-License-Identifier: Apache-2.0
// Common to all tunnels of NSM. The caller of a Request is the source of a tunnel, its server the destination.

import type { EndName } from '../../model/wire.ts';
import { type Mechanism as WireMechanism, mechanisms } from '../../wire/mechanisms/index.ts';
import { familyOf } from '../../wire/mechanisms/tunnels.ts';
import type { Mechanism } from '../generated/connection.ts';
import { mechanismClass, parameter, payload } from '../names.ts';
import type {
  Agreement,
  NsmTunnel,
  Parameters,
  TunnelBook,
  TunnelBooks,
  TunnelPorts,
  TunnelSettings,
} from './mechanism.ts';

/** The MTU of the inner IP packet. */
export function tunnelMtu(address: string, underlay: number, type: WireMechanism['type']): number {
  const { reach } = mechanisms[type];
  return underlay - (reach.at === 'tunnel' ? reach.overhead[familyOf(address)] : 0);
}

/** Whether a tunnel carries the payload of a connection. */
export function carries({ wireType }: NsmTunnel, carried: string): boolean {
  const { reach } = mechanisms[wireType];
  return reach.at === 'tunnel' && reach.carries.payload === (carried === payload.ethernet ? 'ethernet' : 'ip');
}

export function tunnelOffer(
  { type, wireType }: Pick<NsmTunnel, 'type' | 'wireType'>,
  { address, mtu }: TunnelSettings,
  port: number | undefined,
  more: Parameters,
): Mechanism {
  return {
    cls: mechanismClass.remote,
    type,
    parameters: {
      [parameter.sourceAddress]: address,
      [parameter.sourcePort]: String(port),
      [parameter.mtu]: String(tunnelMtu(address, mtu, wireType)),
      ...more,
    },
  };
}

/** The caller's parameters, with our side and the smaller MTU. */
export function answered(
  { type, wireType }: Pick<NsmTunnel, 'type' | 'wireType'>,
  tunnel: TunnelSettings | undefined,
  asked: Parameters,
  port: number | undefined,
): Parameters {
  if (!tunnel || port === undefined) throw new Error(`${type} was accepted without a tunnel`);
  const [own, theirs] = [tunnelMtu(tunnel.address, tunnel.mtu, wireType), Number(asked[parameter.mtu] ?? 0)];
  return {
    ...asked,
    [parameter.destinationAddress]: tunnel.address,
    [parameter.destinationPort]: String(port),
    [parameter.mtu]: String(theirs > 0 && theirs < own ? theirs : own),
  };
}

/** Towards the endpoint, this node is the source. */
export function sidesOf(agreement: Agreement, end: EndName) {
  const { parameters } = agreement[end];
  const source = { address: parameters[parameter.sourceAddress], port: parameters[parameter.sourcePort] };
  const destination = {
    address: parameters[parameter.destinationAddress],
    port: parameters[parameter.destinationPort],
  };
  return end === 'endpoint' ? { own: source, other: destination } : { own: destination, other: source };
}

/** One book for each kind of tunnel. */
export class Books implements TunnelBooks {
  readonly #settings: TunnelSettings | undefined;
  readonly #isFree: TunnelPorts['isFree'];
  readonly #books = new Map<string, TunnelBook>();

  constructor(settings: TunnelSettings | undefined, isFree: TunnelPorts['isFree']) {
    this.#settings = settings;
    this.#isFree = isFree;
  }

  of<Book extends TunnelBook>(kind: NsmTunnel<Book>): Book {
    const first = this.#settings?.ports[kind.wireType] ?? 0;
    const book = (this.#books.get(kind.type) as Book | undefined) ?? kind.createBook({ first, isFree: this.#isFree });
    this.#books.set(kind.type, book);
    return book;
  }

  release(connection: string): void {
    for (const book of this.#books.values()) book.release(connection);
  }
}
