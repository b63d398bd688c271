// SPDX-License-Identifier: Apache-2.0
// Request and Close of the forwarder, one at a time for each connection, in the order of NSM's own chain: locate, authorize,
// serialize, establish, time out.

import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { MeshConnection } from '../metrics/mesh-connection.ts';
import { authorized } from '../nsm/chain/authorize.ts';
import { connectionOf, type IncomingCall } from '../nsm/chain/call.ts';
import { Monitor, matches, type Watcher } from '../nsm/chain/monitor.ts';
import { watchOnward } from '../nsm/chain/onward-events.ts';
import { type OnwardCall, within } from '../nsm/chain/onward.ts';
import { Serializer } from '../nsm/chain/serialize.ts';
import type { NetworkService } from '../nsm/chain/serve.ts';
import { expiryOf, Timeouts } from '../nsm/chain/timeout.ts';
import { type Connection, State } from '../nsm/generated/connection.ts';
import type { NetworkServiceRequest } from '../nsm/generated/networkservice.ts';
import { clientOf, withId, withSegment, withSegmentsBehind } from '../nsm/path/path-segments.ts';
import { asCallerSees, locate } from '../nsm/path/update-path.ts';
import { wireOf } from '../nsm/wire/wire-name.ts';
import { closeLeftover } from './close/close-leftover.ts';
import { closeNextHop } from './close/close-next-hop.ts';
import { Callers } from './connections/callers.ts';
import { Departures } from './connections/departures.ts';
import { EstablishedConnections } from './connections/established-connections.ts';
import { asMeshConnection, type Established, namespacesOf } from './connections/established.ts';
import { mustOwn, mustOwnWire } from './connections/ownership.ts';
import { pathMetrics } from './connections/path-metrics.ts';
import type { ServiceParts, ServiceSettings } from './parts/parts.ts';
import { Establisher, type Outcome } from './request/establish.ts';

type By = Pick<Established, 'caller' | 'scope' | 'freePlace'>;

interface Asked extends Pick<Established, 'wire' | 'scope'> {
  readonly connection: Connection;
}

/** For a Close that no caller waits for. */
const closeMilliseconds = 15_000;

export class ForwarderService implements NetworkService {
  readonly #settings: ServiceSettings;
  readonly #parts: ServiceParts;
  readonly #establisher: Establisher;
  readonly #established = new EstablishedConnections();
  readonly #serializer = new Serializer();
  readonly #monitor = new Monitor();
  readonly #callers: Callers;
  readonly #timeouts = new Timeouts((id) => this.#closeUnasked(id, 'the caller stopped refreshing: closing'));
  readonly #departures: Departures;

  constructor(settings: ServiceSettings, parts: ServiceParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#establisher = new Establisher(settings, parts);
    this.#callers = new Callers(parts.manager);
    this.#departures = new Departures({
      list: parts.listNamespaces,
      inUse: () => this.#established.values().flatMap(namespacesOf),
      onGone: (url) => this.#departed(url),
      onFailed: (error) => parts.log.warn({ error }, 'whether workloads are still there could not be found out'),
    });
  }

  /** Begins to look for workloads that are gone. */
  start(): void {
    this.#departures.start();
  }

  /** Looks for workloads that are gone, now. */
  async scan(): Promise<void> {
    await this.#departures.scan();
  }

  /** Names of the wires of all connections. */
  wires(): Set<string> {
    return new Set(this.#established.values().map(({ wire }) => wire));
  }

  /** For metrics. */
  connections(): MeshConnection[] {
    return this.#established.values().map(asMeshConnection);
  }

  async request(request: NetworkServiceRequest, call: IncomingCall): Promise<Connection> {
    const begun = Date.now();
    const { connection: located, caller } = locate(connectionOf(request), this.#settings.name);
    const scope = await this.#callers.scopeOf(call.caller, call.signal);
    const connection = await authorized(this.#parts, this.#withOwnId(located, scope), call);
    const [expires, spare] = [expiryOf(connection), call.deadline.getTime() - begun];
    const wire = wireOf(connection, scope);
    this.#concerning({ connection, wire, scope }, call);
    const answer = await this.#serialized(connection.id, wire, async () => {
      const concerned = this.#concerning({ connection, wire, scope }, call);
      if (concerned.length === 0) mustOwnWire(this.#parts.wires.get(wire), connection, call);
      // A restarted client asks for its wire with a new connection id.
      for (const held of concerned)
        if (held.id !== connection.id || connection.state === State.RESELECT_REQUESTED)
          await this.#end(held, shortened(call));
      const held = this.#established.get(connection.id);
      const freePlace = held?.freePlace ?? this.#established.takePlace(scope);
      try {
        const outcome = await this.#establisher.establish(
          { connection, wire, held, call },
          request.mechanismPreferences,
        );
        this.#keep(held, outcome, { caller: call.caller.spiffeId, scope, freePlace });
      } catch (error) {
        if (held) this.#monitor.updated({ ...connection, state: State.DOWN });
        else freePlace();
        throw error;
      }
      // Early enough for a Close with tokens that are still valid (sdk, pkg/networkservice/common/timeout).
      this.#timeouts.arm(connection.id, expires.getTime() - Date.now() - spare);
      return (this.#established.get(connection.id) as Established).connection;
    });
    return asCallerSees(answer, caller);
  }

  /** Succeeds for an unknown connection. A known connection is closed as it is known, not as the call describes it. */
  async close(asked: Connection, call: IncomingCall): Promise<void> {
    const { connection: located } = locate(asked, this.#settings.name);
    const scope = await this.#callers.scopeOf(call.caller, call.signal);
    const connection = await authorized(this.#parts, located, call);
    const wire = wireOf(connection, scope);
    const own = () => {
      const held = this.#established.get(connection.id);
      if (held) mustOwn(held, connection, wire, call);
      return held;
    };
    own();
    await this.#serialized(connection.id, wire, async () => {
      const held = own();
      if (held) return this.#end(withPathOf(held, connection), call);
      if (this.wires().has(wire)) return;
      await closeLeftover(this.#parts, this.#settings.dialMilliseconds, connection, wire, call);
    });
  }

  /** The first event has fresh counters. */
  async watch(watcher: Watcher): Promise<() => void> {
    const watched = this.#established.values().filter(({ connection }) => matches(connection, watcher.selector));
    const metrics = await Promise.all(watched.map(({ wire }) => pathMetrics(this.#parts.wires, wire)));
    for (const [at, held] of watched.entries()) {
      if (this.#established.get(held.id) !== held) continue;
      held.connection = withSegment(held.connection, 0, { metrics: metrics[at] });
      this.#monitor.renewed(held.connection);
    }
    return this.#monitor.watch(watcher);
  }

  /** Wires stay, for the next run to find; callers and endpoints are not told. */
  stop(): void {
    this.#departures.stop();
    this.#timeouts.stop();
    for (const held of this.#established.values()) {
      held.stopWatching();
      held.nextHop.close();
      held.endpoint.file?.close();
      held.files.close();
    }
    this.#established.clear();
  }

  /** Always by id before wire, so that two calls which share only one of them cannot wait for each other. */
  #serialized<T>(id: string, wire: string, work: () => Promise<T>): Promise<T> {
    return this.#serializer.run(`id ${id}`, () => this.#serializer.run(`wire ${wire}`, work));
  }

  /** A caller other than our manager cannot choose an id that another caller may come back with. */
  #withOwnId(located: Connection, scope: string): Connection {
    return scope === '' || this.#established.get(located.id) ? located : withId(located, randomUUID());
  }

  /** The connections that the Request would change. Throws unless the caller may change them all. */
  #concerning({ connection, wire, scope }: Asked, call: IncomingCall): Established[] {
    const concerned = this.#established.concerning(connection.id, wire);
    const impersonated = this.#established.impersonated(connection, scope);
    for (const held of impersonated ? [...concerned, impersonated] : concerned) mustOwn(held, connection, wire, call);
    return concerned;
  }

  #keep(before: Established | undefined, outcome: Outcome, by: By): void {
    before?.stopWatching();
    const { connection, nextHop } = outcome;
    const held: Established = {
      ...outcome,
      ...by,
      client: clientOf(connection),
      stopWatching: watchOnward(nextHop, connection, {
        onEvent: (news, state) =>
          this.#heard(held, { ...withSegmentsBehind(held.connection, news), context: news.context, state }),
        onEnd: () => this.#heard(held, { ...held.connection, state: State.DOWN }),
      }),
    };
    this.#established.set(held);
    if (!before || !isDeepStrictEqual(namespacesOf(before), namespacesOf(held))) this.#departures.arrived();
    this.#monitor.updated(connection);
  }

  #heard(held: Established, connection: Connection): void {
    if (this.#established.get(held.id) !== held) return;
    const { state, context } = held.connection;
    if (connection.state === state && isDeepStrictEqual(connection.context, context)) return;
    held.connection = connection;
    this.#monitor.updated(connection);
  }

  #departed(url: string): void {
    for (const held of this.#established.values())
      if (namespacesOf(held).includes(url))
        this.#closeUnasked(held.id, 'nobody refers to the namespace of an end any more: closing', url);
  }

  /** With a namespace: only if the connection still uses it once earlier calls are done. */
  #closeUnasked(id: string, why: string, namespace?: string): void {
    const { wire } = this.#established.get(id) ?? {};
    if (wire === undefined) return;
    this.#serialized(id, wire, async () => {
      const held = this.#established.get(id);
      if (!held || (namespace !== undefined && !namespacesOf(held).includes(namespace))) return;
      this.#parts.log.info({ connection: id, wire: held.wire, ...(namespace ? { namespace } : {}) }, why);
      await this.#end(held, within(closeMilliseconds));
    }).catch((error: unknown) =>
      this.#parts.log.warn({ connection: id, error }, 'a connection that nobody needs was not closed'),
    );
  }

  /** Everything is removed, also where the next hop does not answer. */
  async #end(held: Established, call: OnwardCall): Promise<void> {
    const { connection, nextHop, files, wire, id } = held;
    const { wires, tracing, log } = this.#parts;
    this.#established.delete(id);
    this.#timeouts.disarm(id);
    held.stopWatching();
    const parts = { ...this.#parts, dialMilliseconds: this.#settings.dialMilliseconds };
    const about = { 'nsm.connection': id, 'nsm.next_hop': nextHop.url };
    await tracing
      .step('close at the next hop', about, () => closeNextHop(parts, held, call))
      .catch((error: unknown) =>
        log.warn({ connection: id, nextHop: nextHop.url, error }, 'the next hop did not take the Close'),
      );
    const [report] = await tracing.step('remove the wire', { 'crosswire.wire': wire }, () => wires.remove([wire]));
    for (const error of report?.errors ?? [])
      log.warn({ connection: id, wire, error }, 'not removed yet; it is tried again');
    nextHop.close();
    held.endpoint.file?.close();
    files.close();
    this.#establisher.release(id);
    held.freePlace();
    this.#monitor.deleted(connection);
  }
}

/** For a Close that precedes a Request, which must have some of the time left. */
function shortened({ deadline, signal }: IncomingCall): OnwardCall {
  const milliseconds = Math.max(0, Math.min(5_000, Math.floor((deadline.getTime() - Date.now()) / 2)));
  const limit = within(milliseconds);
  return { ...limit, signal: AbortSignal.any([signal, limit.signal]) };
}

/** A Close brings fresh tokens for the path up to us; segments behind ours are the next hop's word. */
function withPathOf(held: Established, { path }: Connection): Established {
  return { ...held, connection: withSegmentsBehind({ ...held.connection, path }, held.connection) };
}
