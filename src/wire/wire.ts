// SPDX-License-Identifier: Apache-2.0
// A wire: the normalised, frozen form of a document, made by readDocument() of ./wire-document.ts. The journal and the
// control API's answers hold it.

import type { DeviceRequest } from '../model/device.ts';
import { type EndName, endNames, type NamespaceReference, otherEnd, type Payload } from '../model/wire.ts';
import { kindOf, type Mechanism, type TunnelMechanism, isTunnel } from './mechanisms/index.ts';
import type { NetworkReach } from './mechanisms/mechanism.ts';

export { isTunnel, type Mechanism, type TunnelMechanism };
export type { KernelMechanism, Neighbour, Policy, Route } from './mechanisms/kernel.ts';
export type { MemifMechanism } from './mechanisms/memif.ts';

export interface End {
  readonly mechanism: Mechanism;
  readonly pod?: string;
  readonly namespace?: string; // the Kubernetes namespace of the pod
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

/** The namespace that an end is in; undefined where that makes no difference, or is the forwarder's own. */
export function namespaceOf({ mechanism }: End): NamespaceReference | undefined {
  return kindOf(mechanism).namespace(mechanism);
}

/** The virtual function that an end asks for. */
export function deviceOf({ mechanism }: End): DeviceRequest | undefined {
  return kindOf(mechanism).device(mechanism);
}

/** Whether a NIC carries the wire, or a part of its way. */
export function hasDevice({ client, endpoint }: Wire): boolean {
  return deviceOf(client) !== undefined || deviceOf(endpoint) !== undefined;
}

/** How frames get to an end. */
export function reachOf({ mechanism }: End): ReturnType<typeof kindOf>['reach'] {
  return kindOf(mechanism).reach;
}

export function isReached(end: End, at: ReturnType<typeof reachOf>['at']): boolean {
  return reachOf(end).at === at;
}

/** The memif end that the engine joins to a NIC or a host device by an interface of its own, the port. */
export function portEndOf(wire: Wire): EndName | undefined {
  return endNames.find((end) => {
    const opposite = wire[otherEnd(end)];
    return isReached(wire[end], 'memory') && (deviceOf(opposite) !== undefined || isReached(opposite, 'network'));
  });
}

/** An end in the network behind a host device, with its mechanism's answers. */
export interface NetworkEnd {
  readonly end: EndName;
  readonly device: string;
  /** Its VLAN; 0: none. */
  readonly segment: number;
  readonly interfaceKind: string;
  readonly why: readonly string[];
  readonly whyPort: readonly string[];
}

export function networkEndOf(wire: Wire): NetworkEnd | undefined {
  for (const end of endNames) {
    const { mechanism } = wire[end];
    const reach = reachOf(wire[end]);
    if (reach.at === 'network') return networkEnd(end, mechanism, reach as NetworkReach<unknown>);
  }
  return undefined;
}

function networkEnd(end: EndName, mechanism: Mechanism, reach: NetworkReach<unknown>): NetworkEnd {
  return {
    end,
    device: reach.hostDevice(mechanism),
    segment: reach.segment(mechanism),
    interfaceKind: reach.interfaceKind(mechanism),
    why: reach.why(mechanism, end),
    whyPort: reach.whyPort(mechanism),
  };
}

/** The host device of which the wire uses a part; undefined where it uses a virtual function of it. */
export function hostDeviceOf(wire: Wire): string | undefined {
  return sharedOf(wire)?.device;
}

export function sharedOf(wire: Wire): NetworkEnd | undefined {
  return hasDevice(wire) ? undefined : networkEndOf(wire);
}
