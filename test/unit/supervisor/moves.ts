// SPDX-License-Identifier: Apache-2.0
// Sets of wires whose changes take resources from each other.

import type { Mechanism, Wire } from '../../../src/wire/wire.ts';
import { kernel, memif, vfio, vlan, vxlan, wireguard, wireOf } from '../plan/plan-support.ts';

const [a, b, c] = ['/run/netns/a', '/run/netns/b', '/run/netns/c'];

const named = (name: string, client: Mechanism, endpoint: Mechanism, more: Partial<Wire> = {}): Wire => ({
  ...wireOf(client, endpoint, more),
  name,
});
export const pair = (name: string, first: string, second = first) => named(name, kernel(a, first), kernel(b, second));
const ip = { payload: 'ip' } as const;

/** From what each set of wires is changed to what, in one apply. */
export const moves: Record<string, readonly [from: readonly Wire[], to: readonly Wire[]]> = {
  'two names swap': [
    [pair('x', 'one'), pair('y', 'two')],
    [pair('x', 'two'), pair('y', 'one')],
  ],
  'three names turn': [
    [pair('x', 'one'), pair('y', 'two'), pair('z', 'three')],
    [pair('x', 'two'), pair('y', 'three'), pair('z', 'one')],
  ],
  'a name moves along a chain, the taker first': [
    [pair('x', 'one'), pair('y', 'two')],
    [pair('x', 'two'), pair('y', 'three')],
  ],
  'a name moves along a chain, the giver first': [
    [pair('x', 'two'), pair('y', 'one')],
    [pair('x', 'three'), pair('y', 'two')],
  ],
  'a new wire gets the name of one that gets another': [[pair('x', 'one')], [pair('x', 'two'), pair('y', 'one')]],
  'namespaces swap': [
    [named('x', kernel(a, 'one'), kernel(c, 'x')), named('y', kernel(b, 'one'), kernel(c, 'y'))],
    [named('x', kernel(b, 'one'), kernel(c, 'x')), named('y', kernel(a, 'one'), kernel(c, 'y'))],
  ],
  'addresses and a default route swap': [
    [
      named(
        'x',
        kernel(a, 'x', { addresses: ['10.0.0.1/24'], routes: [{ to: '0.0.0.0/0', via: '10.0.0.2' }] }),
        kernel(b, 'x'),
      ),
      named('y', kernel(a, 'y', { addresses: ['10.0.0.3/24'] }), kernel(b, 'y')),
    ],
    [
      named('x', kernel(a, 'x', { addresses: ['10.0.0.3/24'] }), kernel(b, 'x')),
      named(
        'y',
        kernel(a, 'y', { addresses: ['10.0.0.1/24'], routes: [{ to: '0.0.0.0/0', via: '10.0.0.2' }] }),
        kernel(b, 'y'),
      ),
    ],
  ],
  'VNIs swap': [
    [
      named('x', kernel(a, 'x'), vxlan('192.0.2.2', { vni: 6 })),
      named('y', kernel(a, 'y'), vxlan('192.0.2.2', { vni: 7 })),
    ],
    [
      named('x', kernel(a, 'x'), vxlan('192.0.2.2', { vni: 7 })),
      named('y', kernel(a, 'y'), vxlan('192.0.2.2', { vni: 6 })),
    ],
  ],
  'ports of WireGuard swap': [
    [
      named('x', kernel(a, 'x'), wireguard('192.0.2.2', { localPort: 51_820 }), ip),
      named('y', memif('@y'), wireguard('192.0.2.2', { localPort: 51_821 }), ip),
    ],
    [
      named('x', kernel(a, 'x'), wireguard('192.0.2.2', { localPort: 51_821 }), ip),
      named('y', memif('@y'), wireguard('192.0.2.2', { localPort: 51_820 }), ip),
    ],
  ],
  'memif ids swap': [
    [named('x', kernel(a, 'x'), memif('@m', { id: 0 })), named('y', kernel(a, 'y'), memif('@m', { id: 1 }))],
    [named('x', kernel(a, 'x'), memif('@m', { id: 1 })), named('y', kernel(a, 'y'), memif('@m', { id: 0 }))],
  ],
  'a memif id and the name of a tap move against each other': [
    [named('x', kernel(a, 'one'), memif('@m', { id: 0 })), named('y', kernel(a, 'two'), memif('@m', { id: 1 }))],
    [named('x', kernel(a, 'two'), memif('@m', { id: 0 })), named('y', kernel(a, 'one'), memif('@n', { id: 1 }))],
  ],
  'devices swap': [
    [
      named(
        'x',
        kernel(a, 'x', { device: { pci: '0000:01:10.0', vlan: 7 } }),
        kernel(b, 'x', { device: { pci: '0000:01:10.2' } }),
      ),
      named(
        'y',
        kernel(a, 'y', { device: { pci: '0000:01:10.4', vlan: 8 } }),
        kernel(b, 'y', { device: { pci: '0000:01:10.6' } }),
      ),
    ],
    [
      named(
        'x',
        kernel(a, 'x', { device: { pci: '0000:01:10.4', vlan: 7 } }),
        kernel(b, 'x', { device: { pci: '0000:01:10.2' } }),
      ),
      named(
        'y',
        kernel(a, 'y', { device: { pci: '0000:01:10.0', vlan: 8 } }),
        kernel(b, 'y', { device: { pci: '0000:01:10.6' } }),
      ),
    ],
  ],
  'a device goes from a workload to an application of another wire': [
    [
      named(
        'x',
        kernel(a, 'x', { device: { pci: '0000:01:10.0', vlan: 7 } }),
        kernel(b, 'x', { device: { pci: '0000:01:10.2' } }),
      ),
    ],
    [
      pair('x', 'x'),
      named('y', vfio({ pci: '0000:01:10.0', vlan: 7 }), kernel(b, 'y', { device: { pci: '0000:01:10.2' } })),
    ],
  ],
  'MAC addresses at a host device swap': [
    [
      named('x', kernel(a, 'x', { mac: '02:00:00:00:00:01' }), vlan('eth1', 100)),
      named('y', kernel(a, 'y', { mac: '02:00:00:00:00:02' }), vlan('eth1', 100)),
    ],
    [
      named('x', kernel(a, 'x', { mac: '02:00:00:00:00:02' }), vlan('eth1', 100)),
      named('y', kernel(a, 'y', { mac: '02:00:00:00:00:01' }), vlan('eth1', 100)),
    ],
  ],
};
