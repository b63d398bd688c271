// SPDX-License-Identifier: Apache-2.0
// Observes the state of a wire. Interfaces that do not fit into one whole state, like halves of an interrupted change, are
// strays: they are removed, not adopted.

import type { Dataplane, InterfaceInfo, PolicyEntry, PortRange } from '../../dataplane/types.ts';
import { markPrefix, parseMark } from '../../machine/marks.ts';
import { isSame, type NamespaceFinder } from '../../machine/namespaces.ts';
import { type FoundInterface, findInterfaces } from '../../machine/observation.ts';
import type { Devices, LeaseView } from '../../machine/sriov/devices.ts';
import { type EndName, endNames } from '../../model/wire.ts';
import type { Policy } from '../../wire/wire.ts';
import { canonicalAddress, canonicalNeighbour, canonicalPolicy, canonicalRoute } from '../../plan/address.ts';
import { interfaceTraits, tunnelReach } from '../../wire/mechanisms/index.ts';
import {
  type BoundDevice,
  type InterfaceKind,
  type InterfaceState,
  isLayerless,
  type NameChoice,
  type Namespace,
  type Tunnel,
  type WireState,
} from '../../plan/state.ts';
import { interfacePlaces, type JournalRecord, type ResolvedWire } from '../store/record.ts';

export interface Observer {
  readonly dataplane: Dataplane;
  readonly finder: NamespaceFinder;
  readonly node: string;
  readonly devices: Devices | undefined;
  readonly compile: (resolved: ResolvedWire) => WireState;
}

export interface Observation {
  readonly interfaces: readonly InterfaceState[];
  readonly running: Readonly<Partial<Record<EndName, boolean>>>;
  readonly bound: readonly BoundDevice[];
  readonly leases: readonly LeaseView[];
  /** The last handshake of a tunnel with sessions, in seconds since 1970. */
  readonly handshakes: Readonly<Partial<Record<EndName, number>>>;
  readonly strays: readonly FoundInterface[];
  /** Leases of devices that are not in their place. */
  readonly astray: readonly LeaseView[];
  /** Interfaces of others, with names that the wire wants. */
  readonly taken: readonly FoundInterface[];
}

export async function observe(
  observer: Observer,
  name: string,
  record: JournalRecord | undefined,
  target: ResolvedWire | undefined,
): Promise<Observation> {
  const { dataplane, devices, node } = observer;
  const before = record ? [record, ...(record.previous ?? [])] : [];
  const wanted = target ? observer.compile(target).interfaces : [];
  const known = [...wanted, ...before.flatMap((resolved) => observer.compile(resolved).interfaces)];
  const temporary = endNames.flatMap((end) => (record?.names ? Object.values(record.names[end]) : []));
  const names = [...new Set([...temporary, ...known.map((one) => one.name)])];
  const details = target !== undefined; // whatever else an interface has goes with it
  const search = { namespaces: await placesOf(observer.finder, target, before), names, details };

  const leases = (await devices?.listLeases(markPrefix(node, name))) ?? [];
  const subject = { node, name, wanted, known, temporary, names: record?.names, leases };
  let found = await findInterfaces(dataplane, search);
  if (record && !isWhole(record, found.filter(isMarkedFor(subject))))
    found = await findInterfaces(dataplane, { ...search, aliasPrefix: markPrefix(node, name) });
  return assess(found, subject);
}

/** The wire to which found interfaces are compared. */
interface Subject {
  readonly node: string;
  readonly name: string;
  readonly wanted: readonly InterfaceState[];
  /** Interfaces that are or were wanted, if there are more. */
  readonly known?: readonly InterfaceState[];
  readonly names?: NameChoice | undefined;
  readonly temporary?: readonly string[];
  readonly leases: readonly LeaseView[];
}

export function assess(found: readonly FoundInterface[], subject: Subject): Observation {
  const { node, wanted, known = wanted, names, temporary = [], leases } = subject;
  const marked = found.filter(isMarkedFor(subject)).map((one) => ({ ...one, lease: leaseOf(one, leases) }));
  const unmarked = found.filter((one) => !isMarkedFor(subject)(one));
  const chosen = choose(marked, node, wanted, names);
  const unborn = unmarked.filter(({ info }) => info.alias === '' && info.kind !== '' && temporary.includes(info.name));
  return {
    interfaces: [...chosen].map(([end, one]) => stateOf(end, one, known, wanted)),
    bound: boundOf(node, leases),
    leases,
    astray: leases.filter((one) => !isInPlace(one, [...chosen.values()])),
    running: Object.fromEntries([...chosen].map(([end, { info }]) => [end, info.running])),
    handshakes: Object.fromEntries([...chosen].map(([end, { info }]) => [end, info.tunnel?.handshake])),
    strays: [...marked.filter((one) => ![...chosen.values()].includes(one)), ...unborn],
    taken: unmarked.filter(
      (one) =>
        !unborn.includes(one) &&
        wanted.some(({ name: want, namespace }) => want === one.info.name && isSame(namespace, one.namespace)),
    ),
  };
}

/** An interface with our mark; hardware with its lease. */
interface Marked extends FoundInterface {
  readonly lease?: LeaseView | undefined;
}

function leaseOf({ info }: FoundInterface, leases: readonly LeaseView[]): LeaseView | undefined {
  if (info.kind !== '') return undefined;
  return leases.find(
    ({ isHeld, mode, mark, pci }) => isHeld && mode === 'kernel' && mark === info.alias && pci === info.device,
  );
}

function isInPlace(lease: LeaseView, chosen: readonly Marked[]): boolean {
  return lease.mode === 'vfio' ? lease.isHeld : chosen.some((one) => one.lease === lease);
}

function boundOf(node: string, leases: readonly LeaseView[]): BoundDevice[] {
  return leases.flatMap(({ mode, isHeld, mark, pci, settings, cgroup }) => {
    const end = parseMark(node, mark)?.end;
    if (mode !== 'vfio' || !isHeld || !end) return [];
    return [{ end, alias: mark, device: { pci, ...settings }, ...(cgroup === undefined ? {} : { cgroup }) }];
  });
}

function kindOf({ info, lease }: Marked): InterfaceKind | undefined {
  return lease ? 'vf' : interfaceTraits(info.kind) ? info.kind : undefined;
}

function isMarkedFor({ node, name }: Subject): (found: FoundInterface) => boolean {
  return ({ info }) => parseMark(node, info.alias)?.wire === name;
}

/** Whether every interface exists under its own name. If not, whole namespaces are searched. */
function isWhole(
  { phase, wire, namespaces, engineNamespace }: JournalRecord,
  marked: readonly FoundInterface[],
): boolean {
  if (phase !== 'applied') return false;
  if (engineNamespace && !marked.some(({ namespace }) => isSame(namespace, engineNamespace))) return false;
  return endNames.every((end) => {
    const { mechanism } = wire[end];
    const home = namespaces[end];
    if (mechanism.type !== 'kernel' || !home) return true;
    return marked.some(({ namespace, info }) => info.name === mechanism.interface && isSame(namespace, home));
  });
}

async function placesOf(finder: NamespaceFinder, target: ResolvedWire | undefined, before: readonly ResolvedWire[]) {
  const now = target ? interfacePlaces(target) : [];
  const then: Namespace[] = [];
  for (const one of before.flatMap(interfacePlaces))
    if (![...now, ...then].some((other) => isSame(one, other))) then.push(one);
  const reachable = await Promise.all(then.map((one) => finder.findAgain(one)));
  return [...now, ...reachable.filter((one) => one !== undefined)];
}

/** Chooses at most one interface for each end. By the order of a plan, an interrupted change left:
 *    old under its own name, new under its temporary one → the new (nothing of it is lost: it was just made)
 *    old retired, new under either name                  → the new
 *    old retired alone                                   → it was being renamed in place
 *  Taken for all ends by the same rule, this never joins sides of two different veth pairs. */
function choose(
  marked: readonly Marked[],
  node: string,
  wanted: readonly InterfaceState[],
  names: NameChoice | undefined,
): Map<EndName, Marked> {
  const chosen = new Map<EndName, Marked>();
  for (const end of endNames) {
    const target = wanted.find((one) => one.end === end);
    const rank = (one: Marked) => {
      const { namespace, info } = one;
      const fits = target !== undefined && target.kind === kindOf(one) && isSame(target.namespace, namespace);
      const age = [names?.[end].retired, undefined, target?.name, names?.[end].fresh].lastIndexOf(info.name);
      return (fits ? 10 : 0) + (age < 0 ? 1 : age);
    };
    const [best] = marked
      .filter((one) => parseMark(node, one.info.alias)?.end === end && kindOf(one) !== undefined)
      .sort((a, b) => rank(b) - rank(a));
    if (best) chosen.set(end, best);
  }
  const kinds = endNames.map((end) => chosen.get(end)?.info.kind);
  if (kinds.filter((kind) => kind === 'veth').length === 1)
    for (const end of endNames) if (chosen.get(end)?.info.kind === 'veth') chosen.delete(end);
  return chosen;
}

/** Addresses and neighbours that others added are left out. Routes carry our protocol number. */
function stateOf(
  end: EndName,
  one: Marked,
  known: readonly InterfaceState[],
  wanted: readonly InterfaceState[],
): InterfaceState {
  const { namespace, info, lease } = one;
  const ours = known.filter((other) => other.end === end);
  const addresses = new Set(ours.flatMap((other) => other.addresses));
  const neighbours = new Set(ours.flatMap((other) => other.neighbours.map(({ address }) => address)));
  const tunnel = tunnelOf(info, ours);
  const counted = ours.find((other) => other.counted && isSame(other.namespace, namespace))?.counted;
  return {
    end,
    kind: kindOf(one) as InterfaceKind,
    namespace,
    name: info.name,
    alias: info.alias,
    mac: isLayerless(info.kind) ? '' : info.mac.toLowerCase(),
    mtu: info.mtu,
    up: info.up,
    addresses: info.addresses.map(canonicalAddress).filter((address) => addresses.has(address)),
    routes: info.routes.map(canonicalRoute),
    neighbours: info.neighbours.map(canonicalNeighbour).filter(({ address }) => neighbours.has(address)),
    policies: info.policies.map(policyOf),
    allowPing: info.allowsPing && wanted.some((other) => other.end === end && other.allowPing), // matters to nothing else
    ...(tunnel ? { tunnel } : {}),
    ...(lease ? { device: { pci: lease.pci, ...lease.settings } } : {}),
    ...(info.uplink ? { uplink: info.uplink } : {}),
    ...(counted ? { counted } : {}),
  };
}

/** A found device of a known tunnel is that tunnel, with its secrets. Its remote may differ, because the kernel follows a
 *  peer that moves; then it is the oldest known tunnel. */
function tunnelOf(info: InterfaceInfo, ours: readonly InterfaceState[]): Tunnel | undefined {
  const found = foundTunnel(info);
  if (!found) return undefined;
  const reach = tunnelReach(found.kind);
  const known = ours.flatMap(({ tunnel }) =>
    tunnel?.kind === found.kind && reach.isFound(found, tunnel) ? [tunnel] : [],
  );
  return known.find(({ remote }) => remote === canonicalAddress(found.remote)) ?? known.at(-1) ?? found;
}

function foundTunnel({ tunnel }: InterfaceInfo): Tunnel | undefined {
  if (!tunnel) return undefined;
  const { handshake: _, ...found } = tunnel;
  return found;
}

function policyOf({ destinationPorts, sourcePorts, ...policy }: PolicyEntry): Policy {
  const text = ({ first, last }: PortRange) => (first === last ? `${first}` : `${first}-${last}`);
  return canonicalPolicy({
    ...policy,
    ...(destinationPorts ? { destinationPorts: text(destinationPorts) } : {}),
    ...(sourcePorts ? { sourcePorts: text(sourcePorts) } : {}),
  });
}
