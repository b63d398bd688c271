// SPDX-License-Identifier: Apache-2.0
// What exists of a wire, as a state to plan from. Interfaces that do not fit into one whole state (halves of an
// interrupted change) are strays: they are removed, not adopted.

import type { Dataplane, PolicyEntry, PortRange } from '../dataplane/types.ts';
import { markPrefix, parseMark } from '../host/marks.ts';
import { isSame, type NamespaceFinder } from '../host/namespaces.ts';
import { type FoundInterface, findInterfaces } from '../host/observation.ts';
import { type EndName, endNames, type Policy } from '../model/wire.ts';
import { canonicalAddress, canonicalNeighbour, canonicalPolicy, canonicalRoute } from '../plan/address.ts';
import type { InterfaceKind, InterfaceState, NameChoice, Namespace, WireState } from '../plan/state.ts';
import { interfacePlaces, type JournalRecord, type Standing } from './record.ts';

export interface Observer {
  readonly dataplane: Dataplane;
  readonly finder: NamespaceFinder;
  readonly node: string;
  readonly compile: (standing: Standing) => WireState;
}

export interface Observation {
  readonly interfaces: readonly InterfaceState[];
  readonly running: Readonly<Partial<Record<EndName, boolean>>>;
  readonly strays: readonly FoundInterface[];
  /** Not ours, but of a name that the wire wants there. */
  readonly taken: readonly FoundInterface[];
}

export async function observe(
  observer: Observer,
  name: string,
  record: JournalRecord | undefined,
  target: Standing | undefined,
): Promise<Observation> {
  const { dataplane, node } = observer;
  const before = record ? [record, ...(record.previous ?? [])] : [];
  const wanted = target ? observer.compile(target).interfaces : [];
  const known = [...wanted, ...before.flatMap((standing) => observer.compile(standing).interfaces)];
  const temporary = endNames.flatMap((end) => (record?.names ? Object.values(record.names[end]) : []));
  const names = [...new Set([...temporary, ...known.map((one) => one.name)])];
  const details = target !== undefined; // whatever else an interface has goes with it
  const search = { namespaces: await placesOf(observer.finder, target, before), names, details };

  const subject = { node, name, wanted, known, temporary, names: record?.names };
  let found = await findInterfaces(dataplane, search);
  if (record && !isWhole(record, found.filter(isMarkedFor(subject))))
    found = await findInterfaces(dataplane, { ...search, aliasPrefix: markPrefix(node, name) });
  return assess(found, subject);
}

/** The wire that something was found of. */
interface Subject {
  readonly node: string;
  readonly name: string;
  readonly wanted: readonly InterfaceState[];
  /** All that was or is wanted, if that is more. */
  readonly known?: readonly InterfaceState[];
  readonly names?: NameChoice | undefined;
  readonly temporary?: readonly string[];
}

export function assess(found: readonly FoundInterface[], subject: Subject): Observation {
  const { node, wanted, known = wanted, names, temporary = [] } = subject;
  const marked = found.filter(isMarkedFor(subject));
  const unmarked = found.filter((one) => !marked.includes(one));
  const chosen = choose(marked, node, wanted, names);
  const unborn = unmarked.filter(({ info }) => info.alias === '' && temporary.includes(info.name));
  return {
    interfaces: [...chosen].map(([end, one]) => stateOf(end, one, known, wanted)),
    running: Object.fromEntries([...chosen].map(([end, { info }]) => [end, info.running])),
    strays: [...marked.filter((one) => ![...chosen.values()].includes(one)), ...unborn],
    taken: unmarked.filter(
      (one) =>
        !unborn.includes(one) &&
        wanted.some(({ name: want, namespace }) => want === one.info.name && isSame(namespace, one.namespace)),
    ),
  };
}

function isMarkedFor({ node, name }: Subject): (found: FoundInterface) => boolean {
  return ({ info }) => parseMark(node, info.alias)?.wire === name;
}

/** Everything that was made is there under its own name. Anything else needs a search through whole namespaces. */
function isWhole({ phase, wire, namespaces }: JournalRecord, marked: readonly FoundInterface[]): boolean {
  if (phase !== 'applied') return false;
  return endNames.every((end) => {
    const { mechanism } = wire[end];
    const home = namespaces[end];
    if (mechanism.type !== 'kernel' || !home) return true;
    return marked.some(({ namespace, info }) => info.name === mechanism.interface && isSame(namespace, home));
  });
}

async function placesOf(finder: NamespaceFinder, target: Standing | undefined, before: readonly Standing[]) {
  const now = target ? interfacePlaces(target) : [];
  const then: Namespace[] = [];
  for (const one of before.flatMap(interfacePlaces))
    if (![...now, ...then].some((other) => isSame(one, other))) then.push(one);
  const reachable = await Promise.all(then.map((one) => finder.findAgain(one)));
  return [...now, ...reachable.filter((one) => one !== undefined)];
}

/** At most one for each end. By the order of a plan, where a change was cut off:
 *    old under its own name, new under its temporary one → the new (nothing of it is lost: it was just made)
 *    old retired, new under either name                  → the new
 *    old retired alone                                   → it was being renamed in place
 *  Taken for all ends by the same rule, this never joins sides of two different veth pairs. */
function choose(
  marked: readonly FoundInterface[],
  node: string,
  wanted: readonly InterfaceState[],
  names: NameChoice | undefined,
): Map<EndName, FoundInterface> {
  const chosen = new Map<EndName, FoundInterface>();
  for (const end of endNames) {
    const target = wanted.find((one) => one.end === end);
    const rank = ({ namespace, info }: FoundInterface) => {
      const fits = target !== undefined && target.kind === info.kind && isSame(target.namespace, namespace);
      const age = [names?.[end].retired, undefined, target?.name, names?.[end].fresh].lastIndexOf(info.name);
      return (fits ? 10 : 0) + (age < 0 ? 1 : age);
    };
    const [best] = marked
      .filter(({ info }) => parseMark(node, info.alias)?.end === end && isOurKind(info.kind))
      .sort((a, b) => rank(b) - rank(a));
    if (best) chosen.set(end, best);
  }
  const kinds = endNames.map((end) => chosen.get(end)?.info.kind);
  if (kinds.filter((kind) => kind === 'veth').length === 1)
    for (const end of endNames) if (chosen.get(end)?.info.kind === 'veth') chosen.delete(end);
  return chosen;
}

function isOurKind(kind: string): kind is InterfaceKind {
  return kind === 'veth' || kind === 'tap' || kind === 'tun' || kind === 'vxlan';
}

/** Addresses and neighbours that others added to the interface are none of our business; routes carry our protocol. */
function stateOf(
  end: EndName,
  { namespace, info }: FoundInterface,
  known: readonly InterfaceState[],
  wanted: readonly InterfaceState[],
): InterfaceState {
  const ours = known.filter((one) => one.end === end);
  const addresses = new Set(ours.flatMap((one) => one.addresses));
  const neighbours = new Set(ours.flatMap((one) => one.neighbours.map(({ address }) => address)));
  return {
    end,
    kind: info.kind as InterfaceKind,
    namespace,
    name: info.name,
    alias: info.alias,
    mac: info.kind === 'tun' ? '' : info.mac.toLowerCase(),
    mtu: info.mtu,
    up: info.up,
    addresses: info.addresses.map(canonicalAddress).filter((address) => addresses.has(address)),
    routes: info.routes.map(canonicalRoute),
    neighbours: info.neighbours.map(canonicalNeighbour).filter(({ address }) => neighbours.has(address)),
    policies: info.policies.map(policyOf),
    allowPing: info.allowsPing && wanted.some((one) => one.end === end && one.allowPing), // of interest to nobody else
    ...(info.tunnel ? { tunnel: info.tunnel } : {}),
  };
}

function policyOf({ destinationPorts, sourcePorts, ...policy }: PolicyEntry): Policy {
  const text = ({ first, last }: PortRange) => (first === last ? `${first}` : `${first}-${last}`);
  return canonicalPolicy({
    ...policy,
    ...(destinationPorts ? { destinationPorts: text(destinationPorts) } : {}),
    ...(sourcePorts ? { sourcePorts: text(sourcePorts) } : {}),
  });
}
