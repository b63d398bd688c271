// SPDX-License-Identifier: Apache-2.0
// A document, however it was written → a wire with every default filled in and every address in canonical form; and back.

import { canonicalPci, type DeviceRequest } from '../model/device.ts';
import type { NamespaceReference } from '../model/wire.ts';
import type {
  End,
  KernelMechanism,
  Mechanism,
  MemifMechanism,
  Policy,
  Route,
  VxlanMechanism,
  Wire,
  WireguardMechanism,
} from './wire.ts';
import { parseAddress, parseNetwork } from './addresses.ts';
import { apiVersion, kind } from './limits.ts';
import { type Problem, problemsOf } from './problems.ts';
import { ruleProblems } from './wire-rules.ts';
import {
  type EndDocument,
  type KernelDocument,
  type MemifDocument,
  type VfioDocument,
  type VxlanDocument,
  type WireDocument,
  type WireguardDocument,
  wireSchema,
} from './wire-schema.ts';
import { publicKeyOf } from './wireguard-key.ts';

export type Reading =
  | { readonly wire: Wire; readonly problems: readonly [] }
  | { readonly problems: readonly Problem[] };

export function readDocument(document: unknown): Reading {
  const parsed = wireSchema.safeParse(document);
  const single = parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOf(issue, document));
  const problems = [...single, ...ruleProblems(document)];
  if (!parsed.success || problems.length > 0) return { problems };
  return { wire: deepFreeze(toWire(parsed.data)), problems: [] };
}

function toWire({ metadata, spec }: WireDocument): Wire {
  return tidy({
    name: metadata.name,
    labels: { ...metadata.labels },
    networkService: spec.networkService,
    payload: spec.payload,
    mtu: spec.mtu,
    direct: spec.direct || undefined,
    client: toEnd(spec.client),
    endpoint: toEnd(spec.endpoint),
  });
}

function toEnd({ pod, namespace, ...mechanism }: EndDocument): End {
  return tidy({ mechanism: toMechanism(mechanism), pod, namespace });
}

function toMechanism({ kernel, memif, vxlan, vlan, vfio, wireguard }: EndDocument): Mechanism {
  if (kernel) return toKernel(kernel);
  if (vxlan) return toVxlan(vxlan);
  if (vlan) return { type: 'vlan', ...vlan };
  if (vfio) return tidy({ type: 'vfio', ...vfio, mac: vfio.mac?.toLowerCase(), device: toDevice(vfio.device) });
  if (wireguard) return toWireguard(wireguard);
  return toMemif(memif as MemifDocument);
}

function toKernel({ netns, pid, inode, mac, addresses, neighbours, ...rest }: KernelDocument): KernelMechanism {
  return tidy({
    type: 'kernel',
    namespace: tidy({ netns, pid, inode }) as NamespaceReference,
    interface: rest.interface,
    mac: mac?.toLowerCase(),
    addresses: addresses.map(canonical),
    routes: rest.routes.map(toRoute),
    neighbours: neighbours.map((entry) => ({ address: canonical(entry.address), mac: entry.mac.toLowerCase() })),
    policies: rest.policies.length > 0 ? rest.policies.map(toPolicy) : undefined,
    allowPing: rest.allowPing || undefined,
    device: rest.device && toDevice(rest.device),
  });
}

function toDevice({ pci, resource, ...settings }: VfioDocument['device']): DeviceRequest {
  return tidy({ pci: pci && canonicalPci(pci), resource, ...settings }) as DeviceRequest;
}

type PolicyDocument = KernelDocument['policies'][number];

const toRoute = ({ to, via }: PolicyDocument['routes'][number]): Route =>
  tidy({ to: canonical(to), via: via && canonical(via) });

function toPolicy({ from, protocol, destinationPorts, sourcePorts, routes }: PolicyDocument): Policy {
  return tidy({
    from: from && canonical(from),
    protocol,
    destinationPorts: destinationPorts && canonicalPorts(destinationPorts),
    sourcePorts: sourcePorts && canonicalPorts(sourcePorts),
    routes: routes.map(toRoute),
  });
}

function canonicalPorts(text: string): string {
  const [first, last = first] = text.split('-').map(Number);
  return first === last ? `${first}` : `${first}-${last}`;
}

const toMemif = (memif: MemifDocument): MemifMechanism =>
  tidy({ type: 'memif', ...memif, mac: memif.mac?.toLowerCase() });

const toVxlan = ({ local, remote, ...rest }: VxlanDocument): VxlanMechanism => ({
  type: 'vxlan',
  local: canonical(local),
  remote: canonical(remote),
  ...rest,
});

const toWireguard = ({ remote, ...rest }: WireguardDocument): WireguardMechanism => ({
  type: 'wireguard',
  remote: canonical(remote),
  ...rest,
  ownPublicKey: publicKeyOf(rest.privateKey) as string,
});

const canonical = (text: string): string => parseNetwork(text)?.text ?? parseAddress(text)?.text ?? text;

/** The document that reads as this wire: what the command line sends to the daemon. */
export function toDocument(wire: Wire): WireDocument {
  const { name, labels, client, endpoint, direct = false, ...spec } = wire;
  return {
    apiVersion,
    kind,
    metadata: { name, labels: { ...labels } },
    spec: { ...spec, direct, client: fromEnd(client), endpoint: fromEnd(endpoint) },
  };
}

function fromEnd({ mechanism, ...rest }: End): EndDocument {
  return { ...fromMechanism(mechanism), ...rest };
}

function fromMechanism(mechanism: Mechanism): EndDocument {
  if (mechanism.type === 'memif') {
    const { type: _, ...memif } = mechanism;
    return { memif };
  }
  if (mechanism.type === 'vxlan') {
    const { type: _, ...vxlan } = mechanism;
    return { vxlan };
  }
  if (mechanism.type === 'vlan') {
    const { type: _, ...vlan } = mechanism;
    return { vlan };
  }
  if (mechanism.type === 'vfio') {
    const { type: _, ...vfio } = mechanism;
    return { vfio };
  }
  if (mechanism.type === 'wireguard') {
    const { type: _, ownPublicKey: _own, ...wireguard } = mechanism;
    return { wireguard };
  }
  const { type: _, namespace, addresses, routes, neighbours, policies = [], allowPing = false, ...rest } = mechanism;
  return {
    kernel: {
      ...namespace,
      ...rest,
      addresses: [...addresses],
      routes: [...routes],
      neighbours: [...neighbours],
      policies: policies.map((policy) => ({ ...policy, routes: [...policy.routes] })),
      allowPing,
    },
  };
}

/** Without keys that are undefined, so that wires compare and print as they are. */
function tidy<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as T;
}

function deepFreeze<T extends object>(value: T): T {
  for (const entry of Object.values(value)) if (typeof entry === 'object' && entry !== null) deepFreeze(entry);
  return Object.freeze(value);
}
