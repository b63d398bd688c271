// SPDX-License-Identifier: Apache-2.0
// Whose a connection or a wire is.

import { mustBelongToClient, ofAnother } from '../../nsm/chain/authorize.ts';
import type { IncomingCall } from '../../nsm/chain/call.ts';
import type { Connection } from '../../nsm/generated/connection.ts';
import { clientOf } from '../../nsm/path/path-segments.ts';
import { clientOfWire } from '../../nsm/wire/wire-document.ts';
import type { WireStatus } from '../../wire/status.ts';
import type { Established } from './established.ts';

/** Client and wire must both be the connection's own: a caller other than our manager has wires in a scope of its own. */
export function mustOwn(held: Established, connection: Connection, wire: string, call: IncomingCall): void {
  if (held.wire === wire && held.client === clientOf(connection)) return;
  throw ofAnother(connection, held.client || held.caller, call.caller);
}

/** A wire of an earlier run, which no connection has asked for yet. */
export function mustOwnWire(wire: WireStatus | undefined, connection: Connection, call: IncomingCall): void {
  const client = clientOfWire(wire);
  if (client !== undefined) mustBelongToClient(client, connection, call);
}
