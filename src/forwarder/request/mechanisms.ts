// SPDX-License-Identifier: Apache-2.0
// The step that knows mechanisms: which of the caller's are taken, what the next hop is offered, and what the two agreed
// mechanisms become as the ends of a wire (networkservicemesh/sdk, pkg/networkservice/common/mechanisms).

import type { Connection, Mechanism } from '../../nsm/generated/connection.ts';
import { endsInDevice, isCarriedByNic, modeOf, resourceFor, withDevice } from '../../nsm/mechanisms/devices.ts';
import { type GatewayNetwork, gatewayNetworkOf, withNetworkMtu } from '../../nsm/mechanisms/gateways.ts';
import { completed, tunnelOf } from '../../nsm/mechanisms/index.ts';
import type { Known } from '../../nsm/mechanisms/mechanism.ts';
import { noopOffer } from '../../nsm/mechanisms/noop.ts';
import { acceptable, deviceOffersFor, leadingTunnel, offersFor } from '../../nsm/mechanisms/offers.ts';
import { Books } from '../../nsm/mechanisms/tunnels.ts';
import { mechanismType, parameter } from '../../nsm/names.ts';
import type { Found } from '../../nsm/registry/discovery.ts';
import { wireDocumentOf } from '../../nsm/wire/wire-document.ts';
import type { EndStatus } from '../../wire/status.ts';
import type { WireDocument } from '../../wire/wire-document.ts';
import { networkEndOf, type Wire } from '../../wire/wire.ts';
import type { ServiceParts, ServiceSettings } from '../parts/parts.ts';
import type { Asked, Prepared } from './attempt.ts';

/** Bytes. The first forwarder of the path sets it where neither client nor endpoint asks for an MTU. */
const usualMtu = 9000;

/** An answer of the next hop with what its mechanism implies. */
export interface Translated {
  readonly connection: Connection;
  readonly network: GatewayNetwork | undefined;
}

export class Mechanisms {
  readonly #settings: ServiceSettings;
  readonly #parts: Pick<ServiceParts, 'wires' | 'devices' | 'gateways'>;
  readonly #books: Books;

  constructor(settings: ServiceSettings, parts: Pick<ServiceParts, 'wires' | 'devices' | 'gateways' | 'isPortFree'>) {
    this.#settings = settings;
    this.#parts = parts;
    this.#books = new Books(settings.tunnel, parts.isPortFree);
  }

  /** Those of the caller's mechanisms that this node has, in the caller's order. */
  acceptable({ payload, mechanism }: Connection, preferences: readonly Mechanism[]): Mechanism[] {
    return acceptable(this.#offering, payload, mechanism, preferences);
  }

  /** Both sides, for one of the caller's mechanisms and one endpoint. */
  async prepare({ connection, wire }: Asked, mechanism: Mechanism, endpoint: Found): Promise<Prepared> {
    const { tunnel, temporaryDirectory } = this.#settings;
    const standing = this.#endpointEndOf(wire, endpoint);
    const side = await this.#tunnelSide(connection, wire, mechanism, endpoint);
    const offers = this.#offers(mechanism, connection, endpoint, { standing, side });
    const parts = { tunnel, books: this.#books, side, temporaryDirectory };
    return { callerSide: completed(parts, connection, mechanism), offers, side };
  }

  /** A tunnel towards the caller limits the MTU; the endpoint must be told before it answers. */
  contextFor({ context }: Connection, callerSide: Mechanism): Connection['context'] {
    const { type, parameters } = callerSide;
    const base = context ?? emptyContext;
    if (base.MTU === 0 && isCarriedByNic(callerSide)) return base; // only the NIC knows its MTU
    const wanted = base.MTU || usualMtu;
    return { ...base, MTU: tunnelOf(type) ? Math.min(wanted, Number(parameters[parameter.mtu])) : wanted };
  }

  /** What the endpoint asks of its forwarder and is not done here; NSM's own forwarders set it up in the endpoint's namespace
   *  (sdk-kernel, connectioncontextkernel). */
  unsupportedIn({ mechanism }: Connection): string[] {
    const { [parameter.iptables]: rules, [parameter.routeLocalNet]: local } = mechanism?.parameters ?? {};
    return [...(rules ? [parameter.iptables] : []), ...(local === 'true' ? [parameter.routeLocalNet] : [])];
  }

  async translate(answer: Connection): Promise<Translated> {
    const network = await gatewayNetworkOf(this.#parts.gateways, answer);
    return { connection: network ? { ...answer, context: withNetworkMtu(answer, network) } : answer, network };
  }

  /** Undefined: both ends have devices of their own elsewhere, and there is nothing to wire here. */
  async documentOf(
    { connection: asked, wire: name, files }: Asked,
    { callerSide, side }: Prepared,
    { connection, network }: Translated,
  ): Promise<WireDocument | undefined> {
    if (callerSide.type === mechanismType.noop) return undefined;
    const endpoint = connection.mechanism as Mechanism;
    return wireDocumentOf({
      name,
      connection: network ? { ...connection, labels: this.#labelsOf(asked, connection, name) } : connection,
      client: callerSide,
      endpoint,
      side,
      memifViaEngine: this.#settings.memifViaEngine,
      pathOf: (url) => files.get(url)?.path,
      devices: this.#parts.devices,
      network,
      port: endpoint.type === mechanismType.noop ? await this.#portFor(callerSide, name) : undefined,
    });
  }

  /** The caller's mechanism as it is answered, once the wire exists. */
  answered(callerSide: Mechanism, client: EndStatus | undefined): Mechanism {
    return withDevice(callerSide, client);
  }

  /** Makes what the tunnel of a connection used available to others. */
  release(connection: string): void {
    this.#books.release(connection);
  }

  get #offering() {
    const { tunnel, mechanismPriority: priority } = this.#settings;
    return { tunnel, priority, devices: this.#parts.devices !== undefined };
  }

  #offers(asked: Mechanism, connection: Connection, { identity }: Found, known: Known): Mechanism[] {
    if (asked.type === mechanismType.noop) return [noopOffer(identity)];
    if (endsInDevice(asked)) return deviceOffersFor(this.#offering, identity, known);
    return offersFor(this.#offeringTo(asked, connection), connection.payload, identity, known);
  }

  /** A device of this node delivers by MAC address: that of a memif application must be known. */
  #offeringTo({ type }: Mechanism, { context }: Connection) {
    const isKnown = type === mechanismType.memif && !!context?.ethernetContext?.srcMac;
    const reached = type === mechanismType.kernel || isKnown;
    return { ...this.#offering, gateways: this.#parts.gateways !== undefined && reached };
  }

  /** The endpoint's end of the wire as an earlier run or Request made it: a new name or number would stop its traffic. */
  #endpointEndOf(wire: string, { name }: Found): Wire['endpoint']['mechanism'] | undefined {
    const endpoint = this.#parts.wires.get(wire)?.spec.endpoint;
    return endpoint?.pod === name ? endpoint.mechanism : undefined;
  }

  /** Our side of the one tunnel that a wire can have, whichever end it is. */
  async #tunnelSide({ id, payload }: Connection, wire: string, asked: Mechanism, { identity }: Found) {
    const ofCaller = tunnelOf(asked.type);
    const ofNextHop = isCarriedByNic(asked) ? undefined : leadingTunnel(this.#offering, payload, identity);
    const kind = ofCaller ?? ofNextHop;
    const standing = this.#parts.wires.wanted(wire)?.[ofCaller ? 'client' : 'endpoint'].mechanism;
    return kind && this.#books.of(kind).sideOf(id, standing);
  }

  /** An endpoint behind a gateway answers with the gateway in place of all labels; metrics still need the client's. */
  #labelsOf({ labels: asked }: Connection, { labels: answered }: Connection, wire: string): Connection['labels'] {
    const standing = this.#parts.wires.get(wire)?.spec.labels ?? {};
    return { ...standing, ...asked, ...answered };
  }

  /** The NIC of the wire as it is, or one with a free function. */
  async #portFor(callerSide: Mechanism, wire: string): Promise<string | undefined> {
    const { devices, wires } = this.#parts;
    const spec = wires.get(wire)?.spec;
    const network = spec && networkEndOf(spec);
    if (network?.end === 'endpoint') return network.device;
    return devices?.portFor(resourceFor(devices, callerSide), modeOf(callerSide));
  }
}

const emptyContext: NonNullable<Connection['context']> = {
  ipContext: undefined,
  dnsContext: undefined,
  ethernetContext: undefined,
  extraContext: {},
  MTU: 0,
};
