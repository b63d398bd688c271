// SPDX-License-Identifier: Apache-2.0
// Wire files for tests.

import { stringify } from 'yaml';
import type { Namespace } from './namespace.ts';

export type EndSpec = Record<string, unknown>;

export function kernelEnd(namespace: Namespace, name: string, more: object = {}, pod?: string): EndSpec {
  const kernel = { netns: namespace.path, interface: name, ...more };
  return pod ? { kernel, pod, namespace: 'test' } : { kernel };
}

export function memifEnd(
  socket: string,
  role: 'server' | 'client',
  id: number,
  more: object = {},
  pod?: string,
): EndSpec {
  const memif = { socket, role, id, ...more };
  return pod ? { memif, pod, namespace: 'test' } : { memif };
}

export interface TunnelSpec {
  readonly local: string;
  readonly remote: string;
  readonly vni: number;
  readonly port?: number;
}

export function vxlanEnd(vxlan: TunnelSpec): EndSpec {
  return { vxlan };
}

export function vlanEnd(device: string, id: number): EndSpec {
  return { vlan: { device, id } };
}

export interface WireguardSpec {
  readonly localPort?: number;
  readonly remote: string;
  readonly remotePort?: number;
  readonly privateKey: string;
  readonly publicKey: string;
}

export function wireguardEnd(wireguard: WireguardSpec): EndSpec {
  return { wireguard };
}

export interface WireSpec {
  readonly name: string;
  readonly client: EndSpec;
  readonly endpoint: EndSpec;
  readonly payload?: 'ethernet' | 'ip';
  readonly mtu?: number;
  readonly networkService?: string;
  readonly direct?: boolean;
}

export function wireDocument(wire: WireSpec): string {
  const { name, client, endpoint, payload = 'ethernet', mtu, networkService, direct } = wire;
  return stringify({
    apiVersion: 'crosswire.dev/v1alpha1',
    kind: 'Wire',
    metadata: { name },
    spec: {
      payload,
      ...(mtu ? { mtu } : {}),
      ...(networkService ? { networkService } : {}),
      ...(direct ? { direct } : {}),
      client,
      endpoint,
    },
  });
}

export function wireFile(...wires: readonly WireSpec[]): string {
  return wires.map(wireDocument).join('---\n');
}

/** The wire with its ends exchanged. */
export function turned(wire: WireSpec): WireSpec {
  return { ...wire, client: wire.endpoint, endpoint: wire.client };
}
