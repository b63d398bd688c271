// SPDX-License-Identifier: Apache-2.0
// Established connections between their Requests: events of the next hop, the expiry of the caller's token, workloads that are
// gone, and the end of a connection. Everything about one connection is serialized here.

import { isDeepStrictEqual } from 'node:util';
import { Monitor } from '../nsm/chain/monitor.ts';
import { type OnwardCall, within } from '../nsm/chain/onward.ts';
import { watchOnward } from '../nsm/chain/onward-events.ts';
import { Serializer } from '../nsm/chain/serialize.ts';
import { Timeouts } from '../nsm/chain/timeout.ts';
import { type Connection, State } from '../nsm/generated/connection.ts';
import { clientOf, withSegmentsBehind } from '../nsm/path/path-segments.ts';
import { closeNextHop } from './close/close-next-hop.ts';
import { Departures } from './connections/departures.ts';
import { type Established, namespacesOf } from './connections/established.ts';
import { EstablishedConnections } from './connections/established-connections.ts';
import type { ServiceParts } from './parts/parts.ts';
import type { Outcome } from './request/establish.ts';

export interface LifecycleParts extends Omit<ServiceParts, 'issueToken' | 'checkCaller'> {
  readonly dialMilliseconds: number;
  /** Makes what a connection used available to others. */
  readonly release: (connection: string) => void;
}

/** For a Close that no caller waits for. */
const closeMilliseconds = 15_000;

export class Lifecycle {
  readonly established = new EstablishedConnections();
  readonly monitor = new Monitor();
  readonly #parts: LifecycleParts;
  readonly #serializer = new Serializer();
  readonly #timeouts = new Timeouts((id) => this.#closeUnasked(id, 'the caller stopped refreshing: closing'));
  readonly #departures: Departures;

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
    this.#departures = new Departures({
      list: parts.listNamespaces,
      inUse: () => this.established.values().flatMap(namespacesOf),
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

  /** Wires stay, for the next run to find; callers and endpoints are not told. */
  stop(): void {
    this.#departures.stop();
    this.#timeouts.stop();
    for (const held of this.established.values()) {
      held.stopWatching();
      held.nextHop.close();
      held.endpoint.file?.close();
      held.files.close();
    }
    this.established.clear();
  }

  /** Always by id before wire, so that two calls which share only one of them cannot wait for each other. */
  serialized<T>(id: string, wire: string, work: () => Promise<T>): Promise<T> {
    return this.#serializer.run(`id ${id}`, () => this.#serializer.run(`wire ${wire}`, work));
  }

  /** After a Request that succeeded. */
  keep(
    before: Established | undefined,
    outcome: Outcome,
    by: Pick<Established, 'caller' | 'scope' | 'freePlace'>,
  ): void {
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
    this.established.set(held);
    if (!before || !isDeepStrictEqual(namespacesOf(before), namespacesOf(held))) this.#departures.arrived();
    this.monitor.updated(connection);
  }

  /** The connection is closed then, unless it is refreshed. */
  expireIn(id: string, milliseconds: number): void {
    this.#timeouts.arm(id, milliseconds);
  }

  /** Everything is removed, also where the next hop does not answer. */
  async end(held: Established, call: OnwardCall): Promise<void> {
    const { connection, nextHop, files, wire, id } = held;
    const { wires, tracing, log } = this.#parts;
    this.established.delete(id);
    this.#timeouts.disarm(id);
    held.stopWatching();
    const about = { 'nsm.connection': id, 'nsm.next_hop': nextHop.url };
    await tracing
      .step('close at the next hop', about, () => closeNextHop(this.#parts, held, call))
      .catch((error: unknown) =>
        log.warn({ connection: id, nextHop: nextHop.url, error }, 'the next hop did not take the Close'),
      );
    const [report] = await tracing.step('remove the wire', { 'crosswire.wire': wire }, () => wires.remove([wire]));
    for (const error of report?.errors ?? [])
      log.warn({ connection: id, wire, error }, 'not removed yet; it is tried again');
    nextHop.close();
    held.endpoint.file?.close();
    files.close();
    this.#parts.release(id);
    held.freePlace();
    this.monitor.deleted(connection);
  }

  #heard(held: Established, connection: Connection): void {
    if (this.established.get(held.id) !== held) return;
    const { state, context } = held.connection;
    if (connection.state === state && isDeepStrictEqual(connection.context, context)) return;
    held.connection = connection;
    this.monitor.updated(connection);
  }

  #departed(url: string): void {
    for (const held of this.established.values())
      if (namespacesOf(held).includes(url))
        this.#closeUnasked(held.id, 'nobody refers to the namespace of an end any more: closing', url);
  }

  /** With a namespace: only if the connection still uses it once earlier calls are done. */
  #closeUnasked(id: string, why: string, namespace?: string): void {
    const { wire } = this.established.get(id) ?? {};
    if (wire === undefined) return;
    this.serialized(id, wire, async () => {
      const held = this.established.get(id);
      if (!held || (namespace !== undefined && !namespacesOf(held).includes(namespace))) return;
      this.#parts.log.info({ connection: id, wire: held.wire, ...(namespace ? { namespace } : {}) }, why);
      await this.end(held, within(closeMilliseconds));
    }).catch((error: unknown) =>
      this.#parts.log.warn({ connection: id, error }, 'a connection that nobody needs was not closed'),
    );
  }
}
