// SPDX-License-Identifier: Apache-2.0
// Wires to plan with: builders, and fast-check's arbitraries over small worlds, so that changes collide often.

import fc from 'fast-check';
import { canonicalPci, type DeviceRequest } from '../../../src/model/device.ts';
import type { EndName } from '../../../src/model/wire.ts';
import {
  deviceOf,
  type KernelMechanism,
  type Mechanism,
  type MemifMechanism,
  namespaceOf,
  type Wire,
} from '../../../src/wire/wire.ts';
import type { VfioMechanism } from '../../../src/wire/mechanisms/vfio.ts';
import type { VlanMechanism } from '../../../src/wire/mechanisms/vlan.ts';
import type { VxlanMechanism } from '../../../src/wire/mechanisms/vxlan.ts';
import type { WireguardMechanism } from '../../../src/wire/mechanisms/wireguard.ts';
import type { Action } from '../../../src/plan/action.ts';
import { readDocument, toDocument } from '../../../src/wire/wire-document.ts';
import { compile } from '../../../src/plan/compile.ts';
import { interfaceRoles } from '../../../src/plan/parameters.ts';
import type {
  ChosenDevices,
  InterfaceState,
  NameChoice,
  Namespace,
  Namespaces,
  WireState,
} from '../../../src/plan/state.ts';

/** As it comes out of its document: canonical. */
export function read(wire: Wire): Wire {
  const reading = readDocument(toDocument(wire));
  if (!('wire' in reading)) throw new Error(JSON.stringify(reading.problems));
  return reading.wire;
}

/** 'create vxlan' where a kind says too little. */
export function stepOf(action: Action): string {
  const { kind } = action;
  if (kind === 'createInterface') return `create ${action.interface.kind}`;
  return kind === 'removeInterface' ? `remove ${action.interface.kind}` : kind;
}

export function namespaceAt(path: string): Namespace {
  let inode = 7;
  for (let i = 0; i < path.length; i++) inode = (inode * 31 + path.charCodeAt(i)) % 1_000_000_007;
  return { path, device: 4, inode };
}

export function kernel(netns: string, name: string, more: Partial<KernelMechanism> = {}): KernelMechanism {
  return {
    type: 'kernel',
    namespace: { netns },
    interface: name,
    addresses: [],
    routes: [],
    neighbours: [],
    ...more,
  };
}

export function memif(socket: string, more: Partial<MemifMechanism> = {}): MemifMechanism {
  return {
    type: 'memif',
    socket,
    role: 'server',
    id: 0,
    rings: 1,
    ringSize: 1024,
    bufferSize: 2048,
    allowUnsealed: false,
    ...more,
  };
}

export function vxlan(remote: string, more: Partial<VxlanMechanism> = {}): VxlanMechanism {
  return { type: 'vxlan', local: '192.0.2.1', remote, port: 4789, vni: 6, ...more };
}

export function vfio(device: DeviceRequest, more: Partial<VfioMechanism> = {}): VfioMechanism {
  return { type: 'vfio', device, ...more };
}

export function vlan(device: string, id: number): VlanMechanism {
  return { type: 'vlan', device, id };
}

/** Keys of two nodes, made for the tests; `own` of the first. */
export const keys = {
  privateKey: 'AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=',
  ownPublicKey: 'B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=',
  publicKey: 'OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk=',
} as const;

export function wireguard(remote: string, more: Partial<WireguardMechanism> = {}): WireguardMechanism {
  return { type: 'wireguard', localPort: 51_820, remote, remotePort: 51_820, ...keys, ...more };
}

export function wireOf(client: Mechanism, endpoint: Mechanism, more: Partial<Wire> = {}): Wire {
  const ends = { client: { mechanism: client }, endpoint: { mechanism: endpoint } };
  return { name: 'w', labels: {}, payload: 'ethernet', ...ends, ...more };
}

export function namespacesOf(wire: Wire): Namespaces {
  const of = (end: Wire['client']) => {
    const reference = namespaceOf(end);
    return reference && 'netns' in reference && reference.netns ? namespaceAt(reference.netns) : undefined;
  };
  return { client: of(wire.client), endpoint: of(wire.endpoint) };
}

/** Of a resource, and beside another one: always the same. */
export function devicesOf({ client, endpoint }: Wire): ChosenDevices {
  const of = (end: Wire['client'], otherwise: string) => {
    const request = deviceOf(end);
    return (request && 'pci' in request && canonicalPci(request.pci)) || otherwise;
  };
  return { client: of(client, '0000:01:11.0'), endpoint: of(endpoint, '0000:01:11.2') };
}

export function compiled(wire: Wire): WireState {
  const alias = (end: EndName) => `crosswire/node/${wire.name}/${end}`;
  return compile(wire, {
    node: 'node',
    namespaces: namespacesOf(wire),
    devices: devicesOf(wire),
    engineNamespace: namespaceAt('/proc/self/fd/30'),
    alias,
  });
}

export const names: NameChoice = {
  client: { fresh: 'cw-fresh-c', retired: 'cw-old-c' },
  endpoint: { fresh: 'cw-fresh-e', retired: 'cw-old-e' },
};

/** Comparable: no order, no labels of engine ends. */
export function normal({ interfaces, devices = [], engine }: WireState): unknown {
  const sorted = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).sort();
  const plain = (state: InterfaceState) =>
    JSON.stringify(
      Object.keys(interfaceRoles)
        .sort()
        .map((key) => {
          const value = state[key as keyof InterfaceState];
          return Array.isArray(value) ? sorted(value) : value;
        }),
    );
  const link = (end: object | undefined) => end && { ...end, interface: undefined };
  return {
    interfaces: interfaces.map(plain).sort(),
    devices: sorted(devices),
    engine: engine && [link(engine.client), link(engine.endpoint)],
  };
}

const netns = fc.constantFrom('/run/netns/a', '/run/netns/b', '/run/netns/c');
const address = fc.constantFrom('10.0.0.1/24', '10.0.0.2/24', 'fd00::1/64', 'FD00:0::2/64');

const kernelEnd = fc
  .record({
    netns,
    name: fc.constantFrom('nsm-1', 'nsm-2'),
    addresses: fc.array(address, { maxLength: 3 }),
    mac: fc.option(fc.constantFrom('02:00:00:00:00:01', '02:00:00:00:00:0A'), { nil: undefined }),
    routes: fc.array(
      fc.record({ to: fc.constantFrom('10.8.0.0/16', '::/0'), via: fc.constantFrom('10.0.0.2', undefined) }),
      {
        maxLength: 2,
      },
    ),
    policies: fc.uniqueArray(
      fc.record({
        from: fc.constantFrom('10.0.0.0/24', 'fd00::/64'),
        destinationPorts: fc.constantFrom('80', '80-90'),
        routes: fc.constantFrom([{ to: '0.0.0.0/0' }], [{ to: '::/0', via: 'fd00::9' }, { to: '10.8.0.0/16' }]),
      }),
      { maxLength: 2, selector: ({ from, destinationPorts }) => `${from} ${destinationPorts}` },
    ),
    allowPing: fc.boolean(),
    neighbours: fc.array(fc.constant({ address: '10.0.0.9', mac: '02:00:00:00:00:09' }), { maxLength: 1 }),
  })
  .map(({ netns: path, name, ...more }) => kernel(path, name, more));

const memifEnd = fc
  .record({
    socket: fc.constantFrom('/run/m.sock', '@m'),
    role: fc.constantFrom('server' as const, 'client' as const),
    id: fc.nat({ max: 1 }),
    rings: fc.constantFrom(1, 2),
    secret: fc.constantFrom('s', undefined),
  })
  .map(({ socket, ...more }) => memif(socket, more));

const tunnelWire: fc.Arbitrary<Wire> = fc
  .tuple(fc.oneof(kernelEnd, memifEnd), fc.constantFrom('192.0.2.2', '192.0.2.3'), fc.constantFrom(6, 8), fc.boolean())
  .map(([end, remote, vni, turned]) => {
    const tunnel = vxlan(remote, { vni });
    return turned ? wireOf(tunnel, end) : wireOf(end, tunnel);
  });

const device = fc.record({
  pci: fc.constantFrom('0000:01:10.0', '0000:01:10.2'),
  vlan: fc.constantFrom(undefined, 7),
});

/** Two functions are never the same: the other end's is beside, or of the other address. */
const deviceWire: fc.Arbitrary<Wire> = fc
  .tuple(kernelEnd, kernelEnd, device, fc.boolean(), fc.boolean())
  .map(([one, other, request, isVfio, turned]) => {
    const end = isVfio ? vfio(request) : { ...one, device: request };
    return turned ? wireOf(other, end) : wireOf(end, other);
  })
  .filter(isTwoThings);

const portWire: fc.Arbitrary<Wire> = fc
  .tuple(memifEnd, kernelEnd, device, fc.constantFrom('kernel', 'vfio', 'vlan'), fc.boolean())
  .map(([application, pod, request, opposite, turned]) => {
    const near = { ...application, mac: '02:00:00:00:00:42' };
    const others = { kernel: { ...pod, device: request }, vfio: vfio(request), vlan: vlan('eth1', request.vlan ?? 0) };
    const far = others[opposite as keyof typeof others];
    return turned ? wireOf(far, near) : wireOf(near, far);
  });

const vlanWire: fc.Arbitrary<Wire> = fc
  .tuple(kernelEnd, fc.constantFrom('eth1', 'eth2'), fc.constantFrom(0, 100, 101), fc.boolean())
  .map(([end, device, id, turned]) => (turned ? wireOf(vlan(device, id), end) : wireOf(end, vlan(device, id))));

const nodeWire: fc.Arbitrary<Wire> = fc
  .record({
    client: fc.oneof(kernelEnd, memifEnd),
    endpoint: fc.oneof(kernelEnd, memifEnd),
    payload: fc.constantFrom('ethernet' as const, 'ip' as const),
    mtu: fc.constantFrom(undefined, 1400, 9000),
  })
  .map(({ client, endpoint, ...more }) => wireOf(client, endpoint, more))
  .filter(isTwoThings);

export const anyWire: fc.Arbitrary<Wire> = fc.oneof(
  { arbitrary: nodeWire, weight: 3 },
  tunnelWire,
  vlanWire,
  deviceWire,
  portWire,
);

/** Not a wire to itself. */
function isTwoThings({ client: { mechanism: a }, endpoint: { mechanism: b } }: Wire): boolean {
  if (a.type === 'kernel' && b.type === 'kernel')
    return JSON.stringify([a.namespace, a.interface]) !== JSON.stringify([b.namespace, b.interface]);
  return a.type !== 'memif' || b.type !== 'memif' || a.socket !== b.socket || a.id !== b.id;
}
