// SPDX-License-Identifier: Apache-2.0
// NOOP: the other side has its own device, and a NIC carries the frames (sdk-sriov, pkg/networkservice).

import type { Mechanism } from '../generated/connection.ts';
import { mechanismClass, mechanismType } from '../names.ts';
import type { NsmMechanism } from './mechanism.ts';
import { isOnThisNode } from './parameters.ts';

export const noop: NsmMechanism = {
  type: mechanismType.noop,
  taken: 'always',
  completed: (_, _connection, asked) => asked,
  endOf: ({ connection, port }) => ({
    vlan: { device: port as string, id: connection.context?.ethernetContext?.vlanTag ?? 0 },
  }),
};

export function noopOffer(nextHopUrl: string): Mechanism {
  const cls = isOnThisNode(nextHopUrl) ? mechanismClass.local : mechanismClass.remote;
  return { cls, type: mechanismType.noop, parameters: {} };
}
