// SPDX-License-Identifier: Apache-2.0
// The status of a wire. Interfaces are as last observed, links of the engine as they are now.

import type { Dataplane, LinkState } from '../../dataplane/types.ts';
import { CrosswireError } from '../../model/error.ts';
import type { EndStatus, WireStatus } from '../../wire/status.ts';
import type { EndName } from '../../model/wire.ts';
import { kindOf, type Mechanism } from '../../wire/mechanisms/index.ts';
import type { TunnelReach } from '../../wire/mechanisms/mechanism.ts';
import type { End, KernelMechanism, MemifMechanism, TunnelMechanism, Wire } from '../../wire/wire.ts';
import { mtuOf } from '../../plan/compile.ts';
import { choosePath } from '../../plan/path.ts';
import type { WireEntry } from '../wanted/entry.ts';

/** The last status of each wire, with the values it was made from, which are replaced and never changed. A scrape asks for
 *  every wire. */
const told = new WeakMap<WireEntry, { readonly from: readonly unknown[]; readonly status: WireStatus }>();

/** `fingerprint` is that of the engine wire; without it, its links are read. */
export function statusOf(entry: WireEntry, dataplane: Dataplane, fingerprint?: bigint): WireStatus {
  if (entry.engine && fingerprint === undefined) return makeStatus(entry, dataplane);
  const before = told.get(entry);
  const { wire, owner, phase, error, record, interfaces, devices, leases, running, heard, engine } = entry;
  const from = [
    wire,
    owner,
    phase,
    error,
    record,
    interfaces,
    devices,
    leases,
    running,
    heard,
    engine?.id,
    fingerprint,
  ];
  if (before && from.every((part, at) => part === before.from[at])) return before.status;
  const status = makeStatus(entry, dataplane);
  told.set(entry, { from, status });
  return status;
}

function makeStatus(entry: WireEntry, dataplane: Dataplane): WireStatus {
  const { name, wire, owner, phase, createdAt, error } = entry;
  const links = linksOf(entry, dataplane);
  const end = (which: EndName): EndStatus => {
    const { mechanism } = wire[which];
    const { reach } = kindOf(mechanism);
    switch (reach.at) {
      case 'interface':
        return interfaceStatus(entry, which);
      case 'memory':
        return memoryStatus(entry, which, links?.[which]);
      case 'device':
        return deviceStatus(entry, which, (group) => reach.detail(group));
      case 'tunnel':
        return tunnelStatus(entry, which, links?.[which], reach);
      case 'network':
        return networkStatus(entry, which, reach.detail(mechanism));
    }
  };
  return {
    name,
    phase,
    owner,
    path: choosePath(wire).path,
    mtu: mtuOf(wire, entry.record?.deviceMtu),
    spec: withoutSecrets(wire),
    client: end('client'),
    endpoint: end('endpoint'),
    createdAt,
    ...(error ? { error: error.toJSON() } : {}),
  };
}

/** Also undefined while the engine wire is being stopped. */
function linksOf({ engine }: WireEntry, dataplane: Dataplane): Record<EndName, LinkState> | undefined {
  try {
    return engine && dataplane.describeWire(engine.id);
  } catch (error) {
    if (error instanceof CrosswireError && error.code === 'WIRE_MISSING') return undefined;
    throw error;
  }
}

function interfaceStatus(entry: WireEntry, end: EndName): EndStatus {
  const mechanism = entry.wire[end].mechanism as KernelMechanism;
  const state = entry.interfaces.find((one) => one.end === end);
  const device = entry.record?.devices?.[end];
  const name = { mechanism: mechanism.type, interface: mechanism.interface, ...(device ? { device } : {}) };
  const netns = state?.namespace.path ?? entry.record?.namespaces[end]?.path;
  if (!state) return { ...name, netns, up: false, detail: entry.error?.reason ?? 'the interface does not exist' };
  const up = state.up && entry.running[end] !== false;
  const detail = !state.up ? `${state.kind}, set down` : up ? `${state.kind}, up` : `${state.kind}, no carrier`;
  return { ...name, netns, up, detail, ...(state.mac ? { mac: state.mac } : {}) };
}

/** Up means bound: what the application does with the device is invisible. */
function deviceStatus(
  { wire, error, record, devices, leases }: WireEntry,
  end: EndName,
  inWords: (group: number | undefined) => string,
): EndStatus {
  const bound = devices.find((one) => one.end === end);
  const device = record?.devices?.[end];
  const known = { mechanism: wire[end].mechanism.type, ...(device ? { device } : {}) };
  if (!bound) return { ...known, up: false, detail: error?.reason ?? 'the device is not bound' };
  const { pci, mac } = bound.device;
  const vfio = leases.find((one) => one.pci === pci)?.vfio;
  const detail = inWords(vfio?.group);
  return { ...known, up: true, detail, mac, ...(vfio ? { iommuGroup: vfio.group, deviceNodes: vfio.nodes } : {}) };
}

function tunnelStatus(
  entry: WireEntry,
  end: EndName,
  link: LinkState | undefined,
  reach: TunnelReach<Mechanism>,
): EndStatus {
  const { mechanism } = entry.wire[end];
  const known = { mechanism: mechanism.type, peer: (mechanism as TunnelMechanism).remote };
  if (link) return { ...known, up: link.up, detail: link.detail };
  const device = entry.interfaces.find(({ tunnel }) => tunnel);
  if (!device) return { ...known, up: false, detail: entry.error?.reason ?? 'the tunnel does not exist' };
  const way = reach.detail(mechanism);
  if (!device.up) return { ...known, up: false, detail: `${way}, set down` };
  if (reach.sessionSeconds === undefined) return { ...known, up: true, detail: way };
  const { up, words } = sessionOf(entry, device.end, reach.sessionSeconds);
  return { ...known, up, detail: `${way}, ${words}` };
}

function sessionOf({ heard }: WireEntry, end: EndName, seconds: number): { up: boolean; words: string } {
  const [at = 0, now = 0] = [heard[end], heard.lookedAt];
  if (at === 0) return { up: false, words: 'no handshake with the other side yet' };
  const age = Math.max(0, now - at);
  return { up: age <= seconds, words: `last handshake ${age} s before the last look` };
}

/** The state of the wire's part of the host device. */
function networkStatus({ wire, interfaces, running, error }: WireEntry, end: EndName, place: string): EndStatus {
  const mechanism = wire[end].mechanism.type;
  const [part] = interfaces;
  if (!part) return { mechanism, up: false, detail: error?.reason ?? `nothing of ${place}` };
  const up = part.up && running[part.end] !== false;
  return { mechanism, up, detail: up ? place : `${place}, ${part.up ? 'no carrier' : 'set down'}` };
}

function memoryStatus({ wire, error, record }: WireEntry, end: EndName, link: LinkState | undefined): EndStatus {
  const { type, socket } = wire[end].mechanism as MemifMechanism;
  const netns = record?.namespaces[end]?.path;
  const known = { mechanism: type, socket, ...(netns === undefined ? {} : { netns }) };
  if (!link) return { ...known, up: false, detail: error?.reason ?? 'the engine wire is not running' };
  const { up, detail, peer, receiveRings, transmitRings, ringSize, sessions } = link;
  return { ...known, up, detail, peer, rings: Math.max(receiveRings, transmitRings), ringSize, sessions };
}

function withoutSecrets(wire: Wire): Wire {
  const [client, endpoint] = [withoutSecret(wire.client), withoutSecret(wire.endpoint)];
  return client === wire.client && endpoint === wire.endpoint ? wire : { ...wire, client, endpoint };
}

function withoutSecret(end: End): End {
  const { mechanism } = end;
  const secrets = kindOf(mechanism).secrets.filter(
    (key) => key in mechanism && mechanism[key as keyof typeof mechanism] !== undefined,
  );
  if (secrets.length === 0) return end;
  return { ...end, mechanism: { ...mechanism, ...Object.fromEntries(secrets.map((key) => [key, '(set)'])) } };
}
