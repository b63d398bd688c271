// SPDX-License-Identifier: Apache-2.0
// The table of NSM's mechanisms, in the order in which callers read them.

import type { EndName } from '../../model/wire.ts';
import type { EndDocument } from '../../wire/wire-document.ts';
import type { Connection, Mechanism } from '../generated/connection.ts';
import { kernel } from './kernel.ts';
import type { Agreement, CallerSideParts, NsmMechanism, NsmTunnel } from './mechanism.ts';
import { memif } from './memif.ts';
import { noop } from './noop.ts';
import { vfio } from './vfio.ts';
import { vlan } from './vlan.ts';
import { vxlan } from './vxlan.ts';
import { wireguard } from './wireguard.ts';

export const tunnels: readonly NsmTunnel[] = [vxlan as NsmTunnel, wireguard as NsmTunnel];
export const nsmMechanisms: readonly NsmMechanism[] = [memif, kernel, noop, vfio, ...tunnels, vlan];

export function tunnelOf(type: string): NsmTunnel | undefined {
  return tunnels.find((one) => one.type === type);
}

/** The caller's mechanism as it is answered. */
export function completed(parts: CallerSideParts, connection: Connection, asked: Mechanism): Mechanism {
  return kindOf(asked).completed(parts, connection, asked);
}

export function endOf(agreement: Agreement, end: EndName): EndDocument {
  return kindOf(agreement[end]).endOf(agreement, end);
}

function kindOf({ type }: Mechanism): NsmMechanism {
  const kind = nsmMechanisms.find((one) => one.type === type);
  if (kind) return kind;
  throw new Error(`mechanism ${type} was agreed on without being offered`);
}
