// SPDX-License-Identifier: Apache-2.0
// Request and Close of the forwarder, one at a time for each connection, in the order of NSM's own chain: locate, authorize,
// serialize, establish, time out.

import { randomUUID } from 'node:crypto';
import type { MeshConnection } from '../metrics/mesh-connection.ts';
import { authorized } from '../nsm/chain/authorize.ts';
import { connectionOf, type IncomingCall } from '../nsm/chain/call.ts';
import { matches, type Watcher } from '../nsm/chain/monitor.ts';
import { type OnwardCall, within } from '../nsm/chain/onward.ts';
import type { NetworkService } from '../nsm/chain/serve.ts';
import { expiryOf } from '../nsm/chain/timeout.ts';
import { type Connection, State } from '../nsm/generated/connection.ts';
import type { NetworkServiceRequest } from '../nsm/generated/networkservice.ts';
import { withId, withSegment, withSegmentsBehind } from '../nsm/path/path-segments.ts';
import { asCallerSees, locate } from '../nsm/path/update-path.ts';
import { wireOf } from '../nsm/wire/wire-name.ts';
import { closeLeftover } from './close/close-leftover.ts';
import { Callers } from './connections/callers.ts';
import { asMeshConnection, type Established } from './connections/established.ts';
import { mustOwn, mustOwnWire } from './connections/ownership.ts';
import { pathMetrics } from './connections/path-metrics.ts';
import { Lifecycle } from './lifecycle.ts';
import type { ServiceParts, ServiceSettings } from './parts/parts.ts';
import { Establisher } from './request/establish.ts';

interface Asked extends Pick<Established, 'wire' | 'scope'> {
  readonly connection: Connection;
}

export class ForwarderService implements NetworkService {
  readonly #settings: ServiceSettings;
  readonly #parts: ServiceParts;
  readonly #establisher: Establisher;
  readonly #lifecycle: Lifecycle;
  readonly #callers: Callers;

  constructor(settings: ServiceSettings, parts: ServiceParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#establisher = new Establisher(settings, parts);
    const { dialMilliseconds } = settings;
    this.#lifecycle = new Lifecycle({ ...parts, dialMilliseconds, release: (id) => this.#establisher.release(id) });
    this.#callers = new Callers(parts.manager);
  }

  /** Begins to look for workloads that are gone. */
  start(): void {
    this.#lifecycle.start();
  }

  /** Looks for workloads that are gone, now. */
  async scan(): Promise<void> {
    await this.#lifecycle.scan();
  }

  /** For metrics. */
  connections(): MeshConnection[] {
    return this.#established.values().map(asMeshConnection);
  }

  /** Wires stay, for the next run to find; callers and endpoints are not told. */
  stop(): void {
    this.#lifecycle.stop();
  }

  async request(request: NetworkServiceRequest, call: IncomingCall): Promise<Connection> {
    const begun = Date.now();
    const { connection: located, caller } = locate(connectionOf(request), this.#settings.name);
    const scope = await this.#callers.scopeOf(call.caller, call.signal);
    const connection = await authorized(this.#parts, this.#withOwnId(located, scope), call);
    const [expires, spare] = [expiryOf(connection), call.deadline.getTime() - begun];
    const wire = wireOf(connection, scope);
    this.#concerning({ connection, wire, scope }, call);
    const answer = await this.#lifecycle.serialized(connection.id, wire, async () => {
      const concerned = this.#concerning({ connection, wire, scope }, call);
      if (concerned.length === 0) mustOwnWire(this.#parts.wires.get(wire), connection, call);
      // A restarted client asks for its wire with a new connection id.
      for (const held of concerned)
        if (held.id !== connection.id || connection.state === State.RESELECT_REQUESTED)
          await this.#lifecycle.end(held, shortened(call));
      const held = this.#established.get(connection.id);
      const freePlace = held?.freePlace ?? this.#established.takePlace(scope);
      try {
        const outcome = await this.#establisher.establish(
          { connection, wire, held, call },
          request.mechanismPreferences,
        );
        this.#lifecycle.keep(held, outcome, { caller: call.caller.spiffeId, scope, freePlace });
      } catch (error) {
        if (held) this.#lifecycle.monitor.updated({ ...connection, state: State.DOWN });
        else freePlace();
        throw error;
      }
      // Early enough for a Close with tokens that are still valid (sdk, pkg/networkservice/common/timeout).
      this.#lifecycle.expireIn(connection.id, expires.getTime() - Date.now() - spare);
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
    await this.#lifecycle.serialized(connection.id, wire, async () => {
      const held = own();
      if (held) return this.#lifecycle.end(withPathOf(held, connection), call);
      if (this.#established.values().some((one) => one.wire === wire)) return;
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
      this.#lifecycle.monitor.renewed(held.connection);
    }
    return this.#lifecycle.monitor.watch(watcher);
  }

  get #established() {
    return this.#lifecycle.established;
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
