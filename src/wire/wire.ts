// SPDX-License-Identifier: Apache-2.0
// A wire as somebody wants it. Plain data, frozen, made by readDocument() of ./wire-document.ts.

import type { DeviceRequest } from '../model/device.ts';
import { type EndName, endNames, type NamespaceReference, otherEnd, type Payload } from '../model/wire.ts';

export interface Route {
  /** CIDR; `0.0.0.0/0` and `::/0` are default routes. */
  readonly to: string;
  readonly via?: string;
}

export interface Neighbour {
  readonly address: string;
  readonly mac: string;
}

/** Packets that go by a routing table of their own: those to which all that is given applies. */
export interface Policy {
  readonly from?: string; // CIDR
  readonly protocol?: number; // of IP
  readonly destinationPorts?: string; // `80` or `80-90`
  readonly sourcePorts?: string;
  readonly routes: readonly Route[];
}

export interface KernelMechanism {
  readonly type: 'kernel';
  readonly namespace: NamespaceReference;
  readonly interface: string;
  readonly mac?: string;
  readonly addresses: readonly string[]; // CIDR
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  readonly policies?: readonly Policy[];
  /** Whether everybody in the namespace may ping, and the interface has IPv6. */
  readonly allowPing?: boolean;
  /** The interface is this virtual function of a NIC. */
  readonly device?: DeviceRequest;
}

export interface MemifMechanism {
  readonly type: 'memif';
  /** Path, or `@name` for an abstract socket. */
  readonly socket: string;
  /** Where an abstract socket lives, by path, or by inode as in NamespaceReference; absent: the forwarder's own. */
  readonly netns?: string;
  readonly inode?: number;
  readonly role: 'server' | 'client';
  readonly id: number;
  readonly secret?: string;
  readonly rings: number;
  readonly ringSize: number; // descriptors, a power of two
  readonly bufferSize: number; // bytes
  readonly allowUnsealed: boolean;
  /** Of the application; where a NIC or a host device must know it. */
  readonly mac?: string;
}

/** An end at another node, behind a tunnel (RFC 7348). */
export interface VxlanMechanism {
  readonly type: 'vxlan';
  readonly local: string; // this node's address
  readonly remote: string;
  readonly port: number; // UDP, of both sides
  readonly vni: number; // VXLAN network identifier, 24 bits
}

/** An end in the network behind a device of this host (IEEE 802.1Q). Many wires may share it; none sees another. */
export interface VlanMechanism {
  readonly type: 'vlan';
  readonly device: string; // of the forwarder's namespace
  readonly id: number; // VLAN identifier; 0: untagged
}

/** A virtual function for an application that drives it itself (Documentation/driver-api/vfio.rst of the kernel). */
export interface VfioMechanism {
  readonly type: 'vfio';
  readonly device: DeviceRequest;
  readonly mac?: string;
  /** The directory of the control group whose processes may open its device nodes; `/*` behind it: all directly below. */
  readonly cgroup?: string;
}

/** An end at another node, behind an encrypted tunnel of IP packets. The kernel sends from the address that its route to
 *  the remote gives, and listens on all: there is no local one to choose. Keys are 32 bytes in base64. */
export interface WireguardMechanism {
  readonly type: 'wireguard';
  readonly localPort: number; // UDP
  readonly remote: string;
  readonly remotePort: number;
  readonly privateKey: string;
  /** That follows from the private key: by it a device is known again. */
  readonly ownPublicKey: string;
  /** Of the other node. */
  readonly publicKey: string;
}

export type TunnelMechanism = VxlanMechanism | WireguardMechanism;
export type Mechanism = KernelMechanism | MemifMechanism | TunnelMechanism | VlanMechanism | VfioMechanism;

export function isTunnel(mechanism: Mechanism): mechanism is TunnelMechanism {
  return mechanism.type === 'vxlan' || mechanism.type === 'wireguard';
}

export interface End {
  readonly mechanism: Mechanism;
  readonly pod?: string;
  readonly namespace?: string; // the Kubernetes namespace of the pod
}

/** The namespace that an end is in; undefined where that makes no difference, or is the forwarder's own. */
export function namespaceOf({ mechanism }: End): NamespaceReference | undefined {
  if (mechanism.type === 'kernel') return mechanism.namespace;
  if (isTunnel(mechanism) || mechanism.type === 'vlan' || mechanism.type === 'vfio') return undefined;
  const { netns, inode } = mechanism;
  if (inode !== undefined) return netns === undefined ? { inode } : { inode, netns };
  return netns === undefined ? undefined : { netns };
}

export interface Wire {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly networkService?: string;
  readonly payload: Payload;
  readonly mtu?: number; // of the IP packet, 1280 (or 68 without IPv6) to 65521
  /** Both ends are memif, and the two applications share the memory: the forwarder only introduces them. */
  readonly direct?: boolean;
  readonly client: End;
  readonly endpoint: End;
}

/** The virtual function that an end asks for. */
export function deviceOf({ mechanism }: End): DeviceRequest | undefined {
  return mechanism.type === 'kernel' || mechanism.type === 'vfio' ? mechanism.device : undefined;
}

/** Whether a NIC carries the wire, or a part of its way. */
export function hasDevice({ client, endpoint }: Wire): boolean {
  return deviceOf(client) !== undefined || deviceOf(endpoint) !== undefined;
}

/** The memif end whose frames the engine gets from a NIC or a host device, and which for that has an interface of its own: the
 *  port. */
export function portEndOf(wire: Wire): EndName | undefined {
  return endNames.find((end) => {
    const opposite = wire[otherEnd(end)];
    const reached = deviceOf(opposite) !== undefined || opposite.mechanism.type === 'vlan';
    return wire[end].mechanism.type === 'memif' && reached;
  });
}

/** The network behind a host device that the wire leads to through a part of that device; not through one of its
 *  virtual functions. */
export function sharedOf(wire: Wire): VlanMechanism | undefined {
  const { client, endpoint } = wire;
  if (hasDevice(wire)) return undefined;
  return [client.mechanism, endpoint.mechanism].find((one) => one.type === 'vlan');
}

export function hostDeviceOf(wire: Wire): string | undefined {
  return sharedOf(wire)?.device;
}
