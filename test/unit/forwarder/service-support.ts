// SPDX-License-Identifier: Apache-2.0
// A service over the fake mesh of test/fakes/mesh.ts, and a caller that speaks to it as a manager does.

import {
  Connection,
  type ConnectionEvent,
  MonitorScopeSelector,
  State,
} from '../../../src/nsm/generated/connection.ts';
import { NetworkServiceRequest } from '../../../src/nsm/generated/networkservice.ts';
import type { SharedDevices } from '../../../src/nsm/mechanisms/devices.ts';
import type { Gateways } from '../../../src/nsm/mechanisms/gateways.ts';
import type { TunnelSettings } from '../../../src/nsm/mechanisms/mechanism.ts';
import { ForwarderService } from '../../../src/forwarder/service.ts';
import type { IncomingCall } from '../../../src/nsm/chain/call.ts';
import { PassOn } from '../../../src/grpc/tracing/pass-on.ts';
import { FakeEndpoint, FakeMesh, FakeWires, readWire } from '../../fakes/mesh.ts';

export interface Client {
  readonly id: string;
  readonly spiffeId: string;
  /** Inode of its namespace. */
  readonly inode: number;
}
export const alice: Client = { id: 'alice-0', spiffeId: 'spiffe://test/alice', inode: 101 };
export const mallory: Client = { id: 'mallory-0', spiffeId: 'spiffe://test/mallory', inode: 102 };

export function setting(...endpoints: FakeEndpoint[]) {
  return settingWith(undefined, ...endpoints);
}

/** The payload of the service is ETHERNET where this node shares devices. */
export function settingWith(devices: SharedDevices | undefined, ...endpoints: FakeEndpoint[]) {
  return settingOf({ devices }, ...endpoints);
}

export function settingOf(
  { devices, gateways, tunnel }: { devices?: SharedDevices | undefined; gateways?: Gateways; tunnel?: TunnelSettings },
  ...endpoints: FakeEndpoint[]
) {
  const mesh = new FakeMesh();
  if (devices || gateways || tunnel) mesh.payload = 'ETHERNET';
  mesh.add(...(endpoints.length > 0 ? endpoints : [new FakeEndpoint('fw-1', 1)]));
  const wires = new FakeWires();
  const warnings: string[] = [];
  const tracing = new PassOn();
  const namespaces: { device: number; inode: number }[] = [];
  const service = new ForwarderService(
    {
      name: 'forwarder-1',
      mechanismPriority: [],
      memifViaEngine: false,
      temporaryDirectory: '/tmp',
      dialMilliseconds: 1_000,
      ...(tunnel ? { tunnel } : {}),
    },
    {
      wires,
      readWire,
      dialer: mesh.dialer,
      manager: mesh.manager,
      issueToken: async () => ({ token: 'own', expires: new Date(Date.now() + 60_000) }),
      checkCaller: async () => {}, // tested elsewhere
      listNamespaces: async () => namespaces,
      devices,
      gateways,
      isPortFree: async () => true,
      tracing,
      log: { info: () => {}, warn: (_about, words) => warnings.push(words) },
    },
  );
  const events: ConnectionEvent[] = [];
  const watching = service.watch({
    selector: MonitorScopeSelector.fromPartial({}),
    send: (event) => events.push(event),
  });
  const endpoint = mesh.endpoints[0] as FakeEndpoint;
  return { mesh, wires, service, tracing, warnings, namespaces, events, watching, endpoint };
}

export function tokenOf(spiffeId: string): string {
  return `h.${Buffer.from(JSON.stringify({ sub: spiffeId })).toString('base64url')}.s`;
}

/** The manager's Request for a new client. */
export function firstRequest(
  client: Client,
  managersId = `m-${client.id}`,
  networkService = 'firewall',
): NetworkServiceRequest {
  const pathSegments = [
    { name: 'nsc', id: client.id, token: tokenOf(client.spiffeId), metrics: { client_interface: 'KERNEL/nsm-1' } },
    { name: 'nsmgr', id: managersId },
  ];
  return NetworkServiceRequest.fromPartial({
    connection: {
      id: managersId,
      networkService,
      labels: { podName: 'alice', nodeName: 'n1' },
      path: { index: 1, pathSegments },
    },
    mechanismPreferences: [
      { cls: 'LOCAL', type: 'KERNEL', parameters: { inodeURL: `inode://4/${client.inode}`, name: 'nsm-1' } },
    ],
  });
}

/** The Request of a refresh: the client's last answer. */
export const refresh = (answer: Connection): NetworkServiceRequest =>
  NetworkServiceRequest.fromPartial({ connection: answer });

/** nsc's Request when its pings fail. */
export const reselect = (client: Client, answer: Connection): NetworkServiceRequest =>
  NetworkServiceRequest.fromPartial({
    ...firstRequest(client),
    connection: {
      ...answer,
      mechanism: undefined,
      networkServiceEndpointName: '',
      state: State.RESELECT_REQUESTED,
    },
  });

export function callOf(
  { mesh }: { mesh: FakeMesh },
  { from = mesh.managerId, lives = 600_000, milliseconds = 2_000 } = {},
): IncomingCall {
  return {
    caller: mesh.peer(from),
    token: { token: tokenOf(from), expires: new Date(Date.now() + lives) },
    deadline: new Date(Date.now() + milliseconds),
    signal: AbortSignal.timeout(milliseconds),
  };
}
