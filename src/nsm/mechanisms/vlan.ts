// SPDX-License-Identifier: Apache-2.0
// VLAN: the endpoint is behind a gateway, which a host device of this node leads to. The endpoint names the VLAN (./gateways.ts).

import type { Mechanism } from '../generated/connection.ts';
import { mechanismClass, mechanismType } from '../names.ts';
import type { NsmMechanism } from './mechanism.ts';

export const vlan: NsmMechanism = {
  type: mechanismType.vlan,
  taken: 'never',
  completed: () => {
    throw new Error('no caller is taken with a network of ours');
  },
  endOf: ({ network }) => ({ vlan: { device: network?.device as string, id: network?.id as number } }),
};

export function vlanOffer(): Mechanism {
  return { cls: mechanismClass.remote, type: mechanismType.vlan, parameters: {} };
}
