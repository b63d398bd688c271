// SPDX-License-Identifier: Apache-2.0
// The events of connections for whoever watches them (networkservicemesh/sdk, pkg/networkservice/common/monitor). Every
// stream begins with one event of all matching connections, even of none: callers wait for exactly that event.

import {
  type Connection,
  ConnectionEvent,
  ConnectionEventType,
  type MonitorScopeSelector,
} from '../generated/connection.ts';

export interface Watcher {
  readonly selector: MonitorScopeSelector;
  send(event: ConnectionEvent): void;
}

export class Monitor {
  readonly #connections = new Map<string, Connection>();
  readonly #watchers = new Set<Watcher>();

  /** The returned function ends it. */
  watch(watcher: Watcher): () => void {
    const matching = [...this.#connections.values()].filter((one) => matches(one, watcher.selector));
    watcher.send(eventOf(ConnectionEventType.INITIAL_STATE_TRANSFER, matching));
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Only counters changed, which are no event. */
  renewed(connection: Connection): void {
    this.#connections.set(connection.id, connection);
  }

  updated(connection: Connection): void {
    this.#connections.set(connection.id, connection);
    this.#tell(ConnectionEventType.UPDATE, connection);
  }

  deleted(connection: Connection): void {
    this.#connections.delete(connection.id);
    this.#tell(ConnectionEventType.DELETE, connection);
  }

  #tell(type: ConnectionEventType, connection: Connection): void {
    const event = eventOf(type, [connection]);
    for (const watcher of this.#watchers) if (matches(connection, watcher.selector)) watcher.send(event);
  }
}

function eventOf(type: ConnectionEventType, connections: readonly Connection[]): ConnectionEvent {
  return { type, connections: Object.fromEntries(connections.map((one) => [one.id, one])) };
}

/** An empty condition matches everything; conditions that are given must all hold. */
export function matches({ path, networkService }: Connection, selector: MonitorScopeSelector): boolean {
  const { pathSegments: wanted, networkServices } = selector;
  if (networkServices.length > 0 && !networkServices.includes(networkService)) return false;
  if (wanted.length === 0) return true;
  const segments = path?.pathSegments ?? [];
  const fits = (one: string, asked: string) => asked === '' || one === asked;
  return segments.some((_, start) =>
    wanted.every(({ name, id, token }, offset) => {
      const segment = segments[start + offset];
      return segment !== undefined && fits(segment.name, name) && fits(segment.id, id) && fits(segment.token, token);
    }),
  );
}
