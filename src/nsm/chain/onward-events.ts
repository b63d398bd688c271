// SPDX-License-Identifier: Apache-2.0
// The next hop's events about one of our connections: how we hear that the path behind us broke (networkservicemesh/sdk,
// pkg/networkservice/common/heal).

import type { NextHop } from '../../grpc/calls.ts';
import {
  type Connection,
  type ConnectionEvent,
  ConnectionEventType,
  MonitorConnectionService,
  MonitorScopeSelector,
  State,
} from '../generated/connection.ts';

export interface OnwardEvents {
  /** The connection as the next hop sees it now; DOWN when it deleted it. */
  readonly onEvent: (connection: Connection, state: State) => void;
  readonly onEnd: () => void;
}

/** The returned function ends the stream without onEnd. */
export function watchOnward(nextHop: NextHop, { id, path }: Connection, listener: OnwardEvents): () => void {
  const stopping = new AbortController();
  const { signal } = stopping;
  const index = path?.index ?? 0;
  const name = path?.pathSegments[index]?.name ?? '';
  const selector = MonitorScopeSelector.fromPartial({ pathSegments: [{ name, id }] });
  const isOurs = (one: Connection) =>
    one.path?.pathSegments[index]?.id === id && (one.path.index === index || one.path.index === index + 1);
  const follow = async () => {
    const events = nextHop.stream(MonitorConnectionService.monitorConnections, selector, { signal });
    for await (const event of events)
      for (const one of connectionsOf(event))
        if (isOurs(one)) listener.onEvent(one, event.type === ConnectionEventType.DELETE ? State.DOWN : one.state);
  };
  const ended = () => {
    if (!signal.aborted) listener.onEnd();
  };
  follow().then(ended, ended);
  return () => stopping.abort();
}

function connectionsOf({ type, connections }: ConnectionEvent): Connection[] {
  const all = Object.values(connections);
  return type === ConnectionEventType.INITIAL_STATE_TRANSFER ? all.filter(({ state }) => state !== State.UP) : all;
}
