// SPDX-License-Identifier: Apache-2.0
// Wires for the tests of metrics, control API and command line.

import type { EndCounters, WireCounters } from '../../src/model/status.ts';
import type { EndStatus, WireStatus } from '../../src/wire/status.ts';
import { isTunnel, type Mechanism, type Wire } from '../../src/wire/wire.ts';

export const kernel = (name: string, netns = '/run/netns/a'): Mechanism => ({
  type: 'kernel',
  namespace: { netns },
  interface: name,
  addresses: ['10.0.0.1/24'],
  routes: [],
  neighbours: [],
});

export const memif = (socket: string, id = 0): Mechanism => ({
  type: 'memif',
  socket,
  role: 'server',
  id,
  rings: 1,
  ringSize: 1024,
  bufferSize: 2048,
  allowUnsealed: false,
});

export function wire(name: string, more: Partial<Wire> = {}): Wire {
  return {
    name,
    labels: {},
    payload: 'ethernet',
    client: { mechanism: kernel(`c-${name}`), pod: `${name}-client`, namespace: 'shop' },
    endpoint: { mechanism: kernel(`e-${name}`, '/run/netns/b'), pod: `${name}-endpoint`, namespace: 'security' },
    ...more,
  };
}

export function status(spec: Wire, more: Partial<WireStatus> = {}): WireStatus {
  const types = [spec.client.mechanism.type, spec.endpoint.mechanism.type];
  return {
    name: spec.name,
    phase: 'up',
    owner: 'api',
    path: types.includes('memif')
      ? 'engine'
      : types.some((type) => type === 'vxlan' || type === 'wireguard')
        ? 'tunnel'
        : 'veth',
    mtu: spec.mtu ?? 1500,
    spec,
    client: endStatus(spec.client.mechanism),
    endpoint: endStatus(spec.endpoint.mechanism),
    createdAt: '2026-11-20T08:00:00.000Z',
    ...more,
  };
}

function endStatus(mechanism: Mechanism): EndStatus {
  if (isTunnel(mechanism)) return { mechanism: mechanism.type, up: true, detail: 'up', peer: mechanism.remote };
  if (mechanism.type === 'vlan') return { mechanism: 'vlan', up: true, detail: 'up' };
  if (mechanism.type === 'memif')
    return {
      mechanism: 'memif',
      up: true,
      detail: '1 ring each way',
      socket: mechanism.socket,
      peer: 'testpmd',
      rings: 1,
      ringSize: 1024,
      sessions: 1,
    };
  const device = '0000:01:10.0';
  if (mechanism.type === 'vfio') {
    const deviceNodes = { container: { major: 10, minor: 196 }, group: { major: 240, minor: 3 } };
    return { mechanism: 'vfio', up: true, detail: 'bound to vfio-pci', device, iommuGroup: 7, deviceNodes };
  }
  const netns = 'netns' in mechanism.namespace ? mechanism.namespace.netns : '';
  return {
    mechanism: 'kernel',
    up: true,
    detail: 'up',
    interface: mechanism.interface,
    netns,
    mac: '02:00:00:00:00:01',
    ...(mechanism.device ? { device } : {}),
  };
}

export const noCounters: EndCounters = {
  rxPackets: 0n,
  rxBytes: 0n,
  txPackets: 0n,
  txBytes: 0n,
  rxErrors: 0n,
  txErrors: 0n,
  drops: {},
};

export const counters = (client: Partial<EndCounters> = {}, endpoint: Partial<EndCounters> = {}): WireCounters => ({
  client: { ...noCounters, ...client },
  endpoint: { ...noCounters, ...endpoint },
});
