// SPDX-License-Identifier: Apache-2.0
// From an admitted Request to a wire: find endpoints, ask the next hop, make the wire. What was done is undone when a
// later step fails.

import { CrosswireError } from '../model/error.ts';
import type { Wire } from '../wire/wire.ts';
import { type Connection, type Mechanism, State } from '../nsm/generated/connection.ts';
import { completed } from '../nsm/mechanisms/caller-side.ts';
import { endsInDevice, isCarriedByNic, resourceFor, withDevice } from '../nsm/mechanisms/devices.ts';
import { type Uplink, uplinkOf, withUplinkMtu } from '../nsm/mechanisms/gateways.ts';
import { isInodeUrl } from '../nsm/mechanisms/inode-url.ts';
import {
  acceptable,
  deviceOffersFor,
  type Known,
  offersFor,
  ownDeviceOffer,
  wireguardLeads,
} from '../nsm/mechanisms/offers.ts';
import { VniBook } from '../nsm/mechanisms/vni.ts';
import { WireguardBook, type WireguardSide } from '../nsm/mechanisms/wireguard.ts';
import { mechanismType, parameter } from '../nsm/names.ts';
import { ownSegment, withSegment } from '../nsm/path/path-segments.ts';
import { Discovery, type Found } from '../nsm/registry/discovery.ts';
import { Rotation } from '../nsm/registry/rotation.ts';
import type { Attributes } from '../grpc/tracing/tracing.ts';
import { isOpen, type NextHop } from '../grpc/calls.ts';
import { wireDocumentOf } from '../nsm/wire/wire-document.ts';
import type { Established } from './established.ts';
import { HeldFiles } from './held-files.ts';
import { leaveBefore } from './leave.ts';
import { acceptAnswer, closeOnward, requestOnward, within } from './onward.ts';
import type { IncomingCall, ServiceParts, ServiceSettings } from './parts.ts';
import { pathMetrics } from './path-metrics.ts';

/** The first forwarder on the way says it where nobody has (bytes). */
const usualMtu = 9000;

/** For a Close that another call waits for. */
const closeMilliseconds = 5_000;

/** What a Request that worked amounts to. */
export type Outcome = Omit<Established, 'caller' | 'client' | 'scope' | 'givePlaceBack' | 'stopWatching'>;

/** By which a connection is led on. */
interface Way {
  readonly wireguard: WireguardSide | undefined;
  readonly callerSide: Mechanism;
  readonly offers: readonly Mechanism[];
  readonly found: Found;
  readonly nextHop: NextHop;
}

interface Attempt {
  readonly connection: Connection;
  /** Name of what it shall become. */
  readonly wire: string;
  readonly held: Established | undefined;
  readonly files: HeldFiles;
  readonly call: IncomingCall;
  /** Closes at the endpoint of before; once, however many others are tried. */
  readonly leave: () => Promise<void>;
}

export class Establisher {
  readonly #settings: ServiceSettings;
  readonly #parts: ServiceParts;
  readonly #rotation = new Rotation();
  readonly #vnis = new VniBook();
  readonly #wireguard: WireguardBook;

  constructor(settings: ServiceSettings, parts: ServiceParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#wireguard = new WireguardBook({ first: settings.tunnel?.wireguardPort ?? 0, isFree: parts.isPortFree });
  }

  /** What the tunnel of a connection was given goes to whoever comes next. */
  release(connection: string): void {
    this.#vnis.release(connection);
    this.#wireguard.release(connection);
  }

  /** Tries the caller's mechanisms in its order, each with every endpoint; the first that works end to end wins. */
  async establish(
    { connection: asked, wire }: Pick<Attempt, 'connection' | 'wire'>,
    preferences: readonly Mechanism[],
    held: Established | undefined,
    call: IncomingCall,
  ): Promise<Outcome> {
    const discovery = new Discovery(await this.#parts.manager(call.signal), this.#rotation);
    const { payload, candidates } = await this.#parts.tracing.step('discover', aboutOf(asked), () =>
      discovery.discover(asked, call.signal),
    );
    const connection = { ...asked, payload: payload || asked.payload };
    const mechanisms = acceptable(this.#offering, connection.payload, asked.mechanism, preferences);
    const files = held?.files ?? new HeldFiles();
    const attempt = { connection, wire, held, files, call, leave: this.#leaving(held) };
    const failures: unknown[] = [];
    for (const mechanism of mechanisms) {
      for (const { endpoint } of candidates) {
        try {
          const found = await discovery.reach(endpoint, call.signal);
          return await this.#attempt(attempt, mechanism, found);
        } catch (error) {
          failures.push(error);
          if (call.signal.aborted) break;
        }
      }
    }
    files.keepOnly(held ? urlsOf(held.connection.mechanism, held.onward) : []);
    if (!held) this.release(connection.id);
    throw failures.length === 1 ? failures[0] : allFailed(connection, failures);
  }

  get #offering() {
    const { tunnel, mechanismPriority: priority } = this.#settings;
    return { tunnel, priority, devices: this.#parts.devices !== undefined };
  }

  /** A device of this node delivers by MAC address: of a memif application it must be known. */
  #offeringTo({ type }: Mechanism, { context }: Connection) {
    const isKnown = type === mechanismType.memif && !!context?.ethernetContext?.srcMac;
    const reached = type === mechanismType.kernel || isKnown;
    return { ...this.#offering, gateways: this.#parts.gateways !== undefined && reached };
  }

  #offers(asked: Mechanism, connection: Connection, { identity }: Found, known: Known): Mechanism[] {
    if (asked.type === mechanismType.noop) return [ownDeviceOffer(identity)];
    if (endsInDevice(asked)) return deviceOffersFor(this.#offering, identity, known.standing);
    return offersFor(this.#offeringTo(asked, connection), connection.payload, identity, known);
  }

  async #attempt(attempt: Attempt, asked: Mechanism, found: Found): Promise<Outcome> {
    const { connection, wire, held, files, call } = attempt;
    const { tunnel, temporaryDirectory } = this.#settings;
    try {
      const standing = this.#standingAt(found, wire);
      const wireguard = await this.#wireguardSide(attempt, asked, found);
      const offers = this.#offers(asked, connection, found, { standing, wireguard });
      const url = asked.parameters[parameter.inodeUrl];
      if (isInodeUrl(url) && !(await files.take(url, call.caller, call.signal))) throw notSent(asked);
      const sides = { tunnel, vnis: this.#vnis, wireguard, temporaryDirectory };
      const callerSide = completed(sides, connection, asked);
      const same = held?.endpoint.identity === found.identity && held.endpoint.name === found.name;
      if (!same) await attempt.leave();
      const nextHop = await this.#nextHop(same ? held : undefined, found, call);
      return await this.#ask(
        attempt,
        { wireguard, callerSide, offers, found, nextHop },
        same ? held.onward : undefined,
      );
    } catch (error) {
      found.file?.close();
      throw error;
    }
  }

  /** Of a wire from before a restart, or from the last Request. To rename or renumber it would stop its traffic. */
  #standingAt({ name }: Found, wire: string): Wire['endpoint']['mechanism'] | undefined {
    const endpoint = this.#parts.wires.get(wire)?.spec.endpoint;
    return endpoint?.pod === name ? endpoint.mechanism : undefined;
  }

  /** Of the one tunnel that a wire can have, on whichever side it is. */
  async #wireguardSide({ connection, wire }: Attempt, asked: Mechanism, found: Found) {
    const isAsked = asked.type === mechanismType.wireguard;
    const leads = !isCarriedByNic(asked) && wireguardLeads(this.#offering, connection.payload, found.identity);
    if (!isAsked && !leads) return undefined;
    const standing = this.#parts.wires.wanted(wire)?.[isAsked ? 'client' : 'endpoint'].mechanism;
    return this.#wireguard.sideOf(connection.id, standing);
  }

  async #ask(attempt: Attempt, way: Way, inUse: Mechanism | undefined): Promise<Outcome> {
    const { connection, held, files, call } = attempt;
    const { callerSide, offers, found, nextHop } = way;
    const onward = {
      ...connection,
      networkServiceEndpointName: found.name,
      context: withMtu(connection, callerSide),
      mechanism: inUse,
    };
    let known = onward; // with the endpoint's own segment, by which alone it finds its half again
    try {
      const answer = await this.#parts.tracing.step(
        'ask the next hop',
        { ...aboutOf(onward), 'nsm.endpoint': found.name, 'nsm.next_hop': nextHop.url },
        () => requestOnward(nextHop, onward, offers, files, call),
      );
      known = { ...answer, id: onward.id };
      await acceptAnswer(nextHop, { asked: onward, offers, answer }, files, call);
      if (!held) this.#tellNotDone(connection, found, answer);
      return await this.#makeWire(attempt, way, answer);
    } catch (error) {
      // A half-made connection is closed at the endpoint; one that stood before goes on.
      if (!held) await closeOnward(nextHop, known, files, within(closeMilliseconds)).catch(() => {});
      if (nextHop !== held?.nextHop) nextHop.close();
      throw error;
    }
  }

  /** What NSM's own forwarders do in the namespace of an endpoint that asks for it (sdk-kernel, connectioncontextkernel). */
  #tellNotDone({ id: connection }: Connection, { name: endpoint }: Found, { mechanism }: Connection): void {
    const { [parameter.iptables]: rules, [parameter.routeLocalNet]: local } = mechanism?.parameters ?? {};
    const asked = [...(rules ? [parameter.iptables] : []), ...(local === 'true' ? [parameter.routeLocalNet] : [])];
    if (asked.length === 0) return;
    this.#parts.log.warn(
      { connection, endpoint, asked },
      'the endpoint asks for what is not done here: set it up there',
    );
  }

  async #makeWire(attempt: Attempt, way: Way, answer: Connection): Promise<Outcome> {
    const { connection: asked, wire: name, held, files } = attempt;
    const { callerSide, found, nextHop } = way;
    const onward = answer.mechanism as Mechanism;
    const uplink = await uplinkOf(this.#parts.gateways, answer);
    const merged: Connection = {
      ...answer,
      ...(uplink ? { context: withUplinkMtu(answer, uplink) } : {}),
      networkService: asked.networkService,
      networkServiceEndpointName: found.name,
      payload: asked.payload,
      path: mergedPath(asked, answer),
    };
    // Both ends have devices of their own, and none of them is here: nothing is to be wired.
    if (callerSide.type !== mechanismType.noop) await this.#wire(attempt, way, merged, uplink);
    files.keepOnly(urlsOf(callerSide, onward));
    held?.endpoint.file?.close();
    if (held && held.nextHop !== nextHop) held.nextHop.close();
    const metrics = { ...ownSegment(merged)?.metrics, ...(await pathMetrics(this.#parts.wires, name)) };
    const mechanism = withDevice(callerSide, this.#parts.wires.get(name)?.client);
    const connection = withSegment({ ...merged, mechanism, state: State.UP }, 0, { metrics });
    return { id: asked.id, connection, onward, endpoint: found, nextHop, wire: name, files };
  }

  async #wire(attempt: Attempt, way: Way, merged: Connection, uplink: Uplink | undefined): Promise<void> {
    const { connection: asked, wire: name, held, files } = attempt;
    const { callerSide, wireguard } = way;
    const onward = merged.mechanism as Mechanism;
    const document = wireDocumentOf({
      name,
      connection: uplink ? { ...merged, labels: this.#labelsOf(asked, merged, name) } : merged,
      client: callerSide,
      endpoint: onward,
      wireguard,
      memifViaEngine: this.#settings.memifViaEngine,
      pathOf: (url) => files.get(url)?.path,
      devices: this.#parts.devices,
      uplink,
      port: onward.type === mechanismType.noop ? await this.#portFor(callerSide, name) : undefined,
    });
    await this.#apply(await this.#parts.readWire(document), held !== undefined);
  }

  /** Such an endpoint puts the gateway in place of all labels; who the client is, metrics are still to tell. */
  #labelsOf({ labels: asked }: Connection, { labels: answered }: Connection, wire: string): Connection['labels'] {
    const standing = this.#parts.wires.get(wire)?.spec.labels ?? {};
    return { ...standing, ...asked, ...answered };
  }

  /** Of the wire as it stands, or of a NIC that has room. */
  async #portFor(callerSide: Mechanism, wire: string): Promise<string | undefined> {
    const { devices, wires } = this.#parts;
    const standing = wires.get(wire)?.spec.endpoint.mechanism;
    if (standing?.type === 'vlan') return standing.device;
    const mode = callerSide.type === mechanismType.vfio ? 'vfio' : 'kernel';
    return devices?.portFor(resourceFor(devices, callerSide), mode);
  }

  /** A new wire that fails is taken back; the supervisor would keep trying. */
  async #apply(wire: Wire, stood: boolean): Promise<void> {
    const { wires } = this.#parts;
    const [report] = await this.#parts.tracing.step('apply the wire', { 'crosswire.wire': wire.name }, () =>
      wires.apply([wire]),
    );
    if (!report?.error) return;
    if (!stood) await wires.remove([wire.name]);
    throw new CrosswireError(report.error);
  }

  /** One connection to an endpoint serves until it breaks, or certificates are renewed. */
  async #nextHop(held: Established | undefined, found: Found, { signal }: IncomingCall): Promise<NextHop> {
    if (held && !held.nextHop.outdated && (await isOpen(held.nextHop))) return held.nextHop;
    const dialling = AbortSignal.any([signal, AbortSignal.timeout(this.#settings.dialMilliseconds)]);
    return this.#parts.dialer.dial(found.url, dialling);
  }

  #leaving(held: Established | undefined): () => Promise<void> {
    let left = held === undefined;
    return async () => {
      if (!held || left) return;
      left = true;
      const { manager, dialer, log } = this.#parts;
      const parts = { manager, dialer, dialMilliseconds: this.#settings.dialMilliseconds };
      await leaveBefore(parts, held, within(closeMilliseconds)).catch((error: unknown) =>
        log.warn(
          { connection: held.id, endpoint: held.endpoint.name, error },
          'the endpoint of before did not take the Close',
        ),
      );
    };
  }
}

function urlsOf(...mechanisms: readonly (Mechanism | undefined)[]): (string | undefined)[] {
  return mechanisms.map((mechanism) => mechanism?.parameters[parameter.inodeUrl]);
}

/** Whoever may name any inode may have any workload's namespace. */
function notSent({ type, parameters }: Mechanism): CrosswireError {
  return new CrosswireError({
    code: 'MECHANISM_PARAMETER',
    operation: `read the caller's mechanism ${type}`,
    subject: `${parameter.inodeUrl} '${parameters[parameter.inodeUrl]}'`,
    reason: 'the file cannot have come along: this is no unix socket',
    hint: 'mechanisms of this node are asked for on a unix socket; over TCP there are tunnels',
  });
}

/** A tunnel towards the caller bounds what fits; the endpoint must hear of it before it answers. */
function withMtu({ context }: Connection, mechanism: Mechanism): Connection['context'] {
  const { type, parameters } = mechanism;
  const base = context ?? {
    ipContext: undefined,
    dnsContext: undefined,
    ethernetContext: undefined,
    extraContext: {},
    MTU: 0,
  };
  if (base.MTU === 0 && isCarriedByNic(mechanism)) return base; // a NIC's own: what it can, only the NIC knows
  const wanted = base.MTU || usualMtu;
  const isTunnel = type === mechanismType.vxlan || type === mechanismType.wireguard;
  const tunnel = isTunnel ? Number(parameters[parameter.mtu]) : wanted;
  return { ...base, MTU: Math.min(wanted, tunnel) };
}

/** What lies before us on the path is the caller's word, what lies behind the next hop's. */
function mergedPath(asked: Connection, answer: Connection): Connection['path'] {
  const index = asked.path?.index ?? 0;
  const [before, behind] = [asked.path?.pathSegments ?? [], answer.path?.pathSegments ?? []];
  const own = before[index];
  const { token = '', expires } = behind[index] ?? {};
  return {
    index,
    pathSegments: [...before.slice(0, index), ...(own ? [{ ...own, token, expires }] : []), ...behind.slice(index + 1)],
  };
}

function aboutOf({ id, networkService }: Connection): Attributes {
  return { 'nsm.connection': id, 'nsm.network_service': networkService };
}

function allFailed({ id, networkService }: Connection, failures: readonly unknown[]): CrosswireError {
  return new CrosswireError({
    code: 'REQUEST_FAILED',
    operation: 'establish the connection',
    subject: `connection ${id} to ${networkService}`,
    reason: failures.map((error) => (error instanceof Error ? error.message : String(error))).join(' | ') || 'timeout',
    cause: failures[0],
  });
}
