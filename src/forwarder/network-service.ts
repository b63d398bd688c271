// SPDX-License-Identifier: Apache-2.0
// Request and Close, one at a time for each connection; the chain of NSM's forwarders in a straight line.

import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { MeshConnection } from '../metrics/mesh-connection.ts';
import { CrosswireError } from '../model/error.ts';
import { type Connection, State } from '../nsm/generated/connection.ts';
import type { NetworkServiceRequest } from '../nsm/generated/networkservice.ts';
import { clientOf, previousSegment, withId, withSegment, withSegmentsBehind } from '../nsm/path/path-segments.ts';
import { asCallerSees, locate } from '../nsm/path/update-path.ts';
import { wireOf } from '../nsm/wire/wire-name.ts';
import { admitted, mustOwn, mustOwnWire } from './admission.ts';
import { Callers } from './callers.ts';
import { closeLeftover } from './close-leftover.ts';
import { Departures } from './departures.ts';
import { Establisher, type Outcome } from './establish.ts';
import { asMeshConnection, type Established, namespacesOf } from './established.ts';
import { Expiry } from './expiry.ts';
import { leave } from './leave.ts';
import { MonitorHub, matches, type Watcher } from './monitor-hub.ts';
import { type OnwardCall, watchOnward, within } from './onward.ts';
import type { IncomingCall, ServiceParts, ServiceSettings } from './parts.ts';
import { pathMetrics } from './path-metrics.ts';
import { Standing } from './standing.ts';
import { Turns } from './turns.ts';

type By = Pick<Established, 'caller' | 'scope' | 'givePlaceBack'>;

interface Asked extends Pick<Established, 'wire' | 'scope'> {
  readonly connection: Connection;
}

/** For a Close that nobody waits for. */
const closeMilliseconds = 15_000;

export class NetworkService {
  readonly #monitor = new MonitorHub();
  readonly #settings: ServiceSettings;
  readonly #parts: ServiceParts;
  readonly #establisher: Establisher;
  readonly #turns = new Turns();
  readonly #standing = new Standing();
  readonly #callers: Callers;
  readonly #expiry = new Expiry((id) => this.#closeUnasked(id, 'the caller stopped refreshing: closing'));
  readonly #departures: Departures;

  constructor(settings: ServiceSettings, parts: ServiceParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#establisher = new Establisher(settings, parts);
    this.#callers = new Callers(parts.manager);
    this.#departures = new Departures({
      list: parts.listNamespaces,
      inUse: () => this.#standing.values().flatMap(namespacesOf),
      onGone: (url) => this.#departed(url),
      onFailed: (error) => parts.log.warn({ error }, 'whether workloads are still there could not be found out'),
    });
  }

  /** Watches whether the workloads of connections are still there. */
  start(): void {
    this.#departures.start();
  }

  /** One look at that now. */
  async scan(): Promise<void> {
    await this.#departures.scan();
  }

  /** Names of the wires that connections have now. */
  wires(): Set<string> {
    return new Set(this.#standing.values().map(({ wire }) => wire));
  }

  /** Those that stand now, for whoever counts them. */
  connections(): MeshConnection[] {
    return this.#standing.values().map(asMeshConnection);
  }

  /** The answer is as the caller sees the connection. */
  async request({ connection: asked, mechanismPreferences }: NetworkServiceRequest, call: IncomingCall) {
    if (!asked) throw noConnection();
    const begun = Date.now();
    const { connection: located, caller } = locate(asked, this.#settings.name);
    const scope = await this.#callers.scopeOf(call.caller, call.signal);
    const connection = await admitted(this.#parts, this.#withOwnId(located, scope), call);
    const lease = leaseOf(connection, call.deadline.getTime() - begun);
    const wire = wireOf(connection, scope);
    this.#concerning({ connection, wire, scope }, call);
    const answer = await this.#inTurn(connection.id, wire, async () => {
      const concerned = this.#concerning({ connection, wire, scope }, call);
      if (concerned.length === 0) mustOwnWire(this.#parts.wires.get(wire), connection);
      // A client that was started anew asks for its wire under an id that is new, too.
      for (const before of concerned)
        if (before.id !== connection.id || connection.state === State.RESELECT_REQUESTED)
          await this.#end(before, shortened(call));
      const held = this.#standing.get(connection.id);
      const givePlaceBack = held?.givePlaceBack ?? this.#standing.takePlace(scope);
      try {
        const outcome = await this.#establisher.establish({ connection, wire }, mechanismPreferences, held, call);
        this.#stands(held, outcome, { caller: call.caller.spiffeId, scope, givePlaceBack });
      } catch (error) {
        if (held) this.#monitor.updated({ ...connection, state: State.DOWN });
        else givePlaceBack();
        throw error;
      }
      this.#expiry.arm(connection.id, lease());
      return (this.#standing.get(connection.id) as Established).connection;
    });
    return asCallerSees(answer, caller);
  }

  /** Of a connection that is not known: a success. The one that is known is closed, not the one that is given. */
  async close(asked: Connection, call: IncomingCall): Promise<void> {
    const { connection: located } = locate(asked, this.#settings.name);
    const scope = await this.#callers.scopeOf(call.caller, call.signal);
    const connection = await admitted(this.#parts, located, call);
    const wire = wireOf(connection, scope);
    const own = () => {
      const held = this.#standing.get(connection.id);
      if (held) mustOwn(held, connection, wire, call);
      return held;
    };
    own();
    await this.#inTurn(connection.id, wire, async () => {
      const held = own();
      if (held) return this.#end(withPathOf(held, connection), call);
      if (this.wires().has(wire)) return;
      await closeLeftover(this.#parts, this.#settings.dialMilliseconds, connection, wire, call);
    });
  }

  /** Streams events until the function it returns is called; the first one has counters of now. */
  async watch(watcher: Watcher): Promise<() => void> {
    const standing = this.#standing.values().filter(({ connection }) => matches(connection, watcher.selector));
    const metrics = await Promise.all(standing.map(({ wire }) => pathMetrics(this.#parts.wires, wire)));
    for (const [at, held] of standing.entries()) {
      if (this.#standing.get(held.id) !== held) continue;
      held.connection = withSegment(held.connection, 0, { metrics: metrics[at] });
      this.#monitor.renewed(held.connection);
    }
    return this.#monitor.watch(watcher);
  }

  /** Wires stay, for the next run to find; callers and endpoints are not told. */
  stop(): void {
    this.#departures.stop();
    this.#expiry.stop();
    for (const held of this.#standing.values()) {
      held.stopWatching();
      held.nextHop.close();
      held.endpoint.file?.close();
      held.files.close();
    }
    this.#standing.clear();
  }

  /** By id before wire, always: two calls that share one of them only cannot wait for each other. */
  #inTurn<T>(id: string, wire: string, work: () => Promise<T>): Promise<T> {
    return this.#turns.take(`id ${id}`, () => this.#turns.take(`wire ${wire}`, work));
  }

  /** Whoever speaks for itself alone cannot choose an id that another may come back with. */
  #withOwnId(located: Connection, scope: string): Connection {
    return scope === '' || this.#standing.get(located.id) ? located : withId(located, randomUUID());
  }

  /** Those that the Request would change, once it is seen that the caller may. */
  #concerning({ connection, wire, scope }: Asked, call: IncomingCall): Established[] {
    const concerned = this.#standing.concerning(connection.id, wire);
    const impersonated = this.#standing.impersonated(connection, scope);
    for (const held of impersonated ? [...concerned, impersonated] : concerned) mustOwn(held, connection, wire, call);
    return concerned;
  }

  #stands(before: Established | undefined, outcome: Outcome, by: By): void {
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
    this.#standing.set(held);
    if (!before || !isDeepStrictEqual(namespacesOf(before), namespacesOf(held))) this.#departures.arrived();
    this.#monitor.updated(connection);
  }

  #heard(held: Established, connection: Connection): void {
    if (this.#standing.get(held.id) !== held) return;
    const { state, context } = held.connection;
    if (connection.state === state && isDeepStrictEqual(connection.context, context)) return;
    held.connection = connection;
    this.#monitor.updated(connection);
  }

  #departed(url: string): void {
    for (const held of this.#standing.values())
      if (namespacesOf(held).includes(url))
        this.#closeUnasked(held.id, 'nobody refers to the namespace of an end any more: closing', url);
  }

  /** With a namespace, only where that is still in use when it is the turn of the connection. */
  #closeUnasked(id: string, why: string, namespace?: string): void {
    const { wire } = this.#standing.get(id) ?? {};
    if (wire === undefined) return;
    this.#inTurn(id, wire, async () => {
      const held = this.#standing.get(id);
      if (!held || (namespace !== undefined && !namespacesOf(held).includes(namespace))) return;
      this.#parts.log.info({ connection: id, wire: held.wire, ...(namespace ? { namespace } : {}) }, why);
      await this.#end(held, undefined);
    }).catch((error: unknown) =>
      this.#parts.log.warn({ connection: id, error }, 'a connection that nobody needs was not closed'),
    );
  }

  /** Everything goes even where the next hop does not answer any more. */
  async #end(held: Established, call: OnwardCall | undefined): Promise<void> {
    this.#standing.delete(held.id);
    this.#expiry.disarm(held.id);
    held.stopWatching();
    const { wires, manager, dialer } = this.#parts;
    const { connection, nextHop, files, wire, id } = held;
    const { deadline, signal } = call ?? within(closeMilliseconds);
    try {
      await this.#parts.tracing.step(
        'close at the next hop',
        { 'nsm.connection': id, 'nsm.next_hop': nextHop.url },
        () => leave({ manager, dialer, dialMilliseconds: this.#settings.dialMilliseconds }, held, { deadline, signal }),
      );
    } catch (error) {
      this.#parts.log.warn({ connection: id, nextHop: nextHop.url, error }, 'the next hop did not take the Close');
    }
    const [report] = await this.#parts.tracing.step('remove the wire', { 'crosswire.wire': wire }, () =>
      wires.remove([wire]),
    );
    for (const error of report?.errors ?? [])
      this.#parts.log.warn({ connection: id, wire, error }, 'not removed yet; it is tried again');
    nextHop.close();
    held.endpoint.file?.close();
    files.close();
    this.#establisher.release(id);
    held.givePlaceBack();
    this.#monitor.deleted(connection);
  }
}

/** For a Close that goes before a Request: some of the time must be left to that. */
function shortened({ deadline, signal }: IncomingCall): OnwardCall {
  const milliseconds = Math.max(0, Math.min(5_000, Math.floor((deadline.getTime() - Date.now()) / 2)));
  const limit = within(milliseconds);
  return { ...limit, signal: AbortSignal.any([signal, limit.signal]) };
}

/** How long the connection may stand from the end of the Request on, in milliseconds. */
function leaseOf(connection: Connection, timeLeft: number): () => number {
  const expires = previousSegment(connection)?.expires;
  if (expires) return () => expires.getTime() - Date.now() - timeLeft;
  throw new CrosswireError({
    code: 'CONNECTION_PATH',
    operation: 'find out how long the connection may stand',
    subject: `connection ${connection.id}`,
    reason: "the caller's path segment does not say when it expires",
    hint: 'callers send nsm-client-token-expires with every call',
  });
}

/** A Close brings fresh tokens for the way to us; what lies behind is the next hop's word. */
function withPathOf(held: Established, { path }: Connection): Established {
  return { ...held, connection: withSegmentsBehind({ ...held.connection, path }, held.connection) };
}

function noConnection(): CrosswireError {
  return new CrosswireError({
    code: 'CONNECTION_PATH',
    operation: 'read the Request',
    subject: '',
    reason: 'it has no connection',
  });
}
