// SPDX-License-Identifier: Apache-2.0
// A record of the journal. With the node's name it says which interfaces of a wire may exist, where and under which names:
// enough to adopt, repair or remove them.
//
//   (no file) → applying → applied → removing → (no file)
//                  ↑          │
//                  └──────────┘ a change or a repair

import { markOf, uplinkMark } from '../../machine/marks.ts';
import { canonicalPci } from '../../model/device.ts';
import type { WireOwner } from '../../model/status.ts';
import { endNames } from '../../model/wire.ts';
import { mechanisms, mechanismTypes } from '../../wire/mechanisms/index.ts';
import { hasDevice, isReached, networkEndOf, portEndOf, type Wire } from '../../wire/wire.ts';
import { uplinkName } from '../../plan/mac.ts';
import type { ChosenDevices, NameChoice, Namespace, Namespaces } from '../../plan/state.ts';
import { sameValue } from './values.ts';

/** Keys that a later version added to a mechanism are accepted. */
const shapes = new Map(mechanismTypes.map((type) => [type, mechanisms[type].wired.loose()]));

export const journalFormat = 1;
export type JournalPhase = 'applying' | 'applied' | 'removing';

/** A wire as it was planned: its spec, and the namespaces and devices that its references meant then. */
export interface ResolvedWire {
  readonly wire: Wire;
  readonly namespaces: Namespaces;
  /** Where its port is; it goes with the process. */
  readonly engineNamespace?: Namespace;
  readonly devices?: ChosenDevices;
  /** The MTU of the host device that an end uses. */
  readonly deviceMtu?: number;
}

export function resolvedWireOf({ wire, namespaces, engineNamespace, devices, deviceMtu }: ResolvedWire): ResolvedWire {
  return {
    wire,
    namespaces,
    ...(engineNamespace ? { engineNamespace } : {}),
    ...(devices ? { devices } : {}),
    ...(deviceMtu === undefined ? {} : { deviceMtu }),
  };
}

/** Every state of the wire that may have left parts, without duplicates. The first is the record's own. */
export function resolvedWiresOf(record: JournalRecord | undefined): ResolvedWire[] {
  const all = record ? [resolvedWireOf(record), ...(record.previous ?? [])] : [];
  return all.filter((one, at) => all.findIndex((other) => other === one || sameValue(one, other)) === at);
}

/** The namespaces in which it may have interfaces. */
export function interfacePlaces({ wire, namespaces, engineNamespace }: ResolvedWire): Namespace[] {
  const places = endNames.flatMap((end) => (isReached(wire[end], 'interface') ? (namespaces[end] ?? []) : []));
  return engineNamespace ? [...places, engineNamespace] : places;
}

/** What it may have in the forwarder's own namespace, below its interfaces. */
export function uplinksOf({ wire }: ResolvedWire, node: string): { readonly name: string; readonly mark: string }[] {
  const network = networkEndOf(wire);
  if (!network?.segment) return [];
  const near = endNames.filter((end) => isReached(wire[end], 'interface') || end === portEndOf(wire));
  return near.map((end) => {
    const alias = markOf(node, wire.name, end);
    return { name: uplinkName(alias, network.device), mark: uplinkMark(alias) };
  });
}

export interface JournalRecord extends ResolvedWire {
  readonly format: typeof journalFormat;
  readonly phase: JournalPhase;
  readonly createdAt: string; // RFC 3339
  readonly owner: WireOwner;
  /** While a change of several wires runs: all of them, this one included. */
  readonly together?: readonly string[];
  /** Chosen for the plan under way. */
  readonly names?: NameChoice;
  /** What parts may still be left of, while a plan is under way. */
  readonly previous?: readonly ResolvedWire[];
}

/** Throws with a reason if the text is not a record of this wire. */
export function parseRecord(text: string, name: string): JournalRecord {
  const record = JSON.parse(text) as JournalRecord;
  require(isObject(record), 'it is not an object');
  require(record.format === journalFormat, `its format is ${JSON.stringify(record.format)}, not ${journalFormat}`);
  require(['applying', 'applied', 'removing'].includes(record.phase), 'its phase is unknown');
  require(typeof record.createdAt === 'string', 'it has no creation time');
  require(record.previous === undefined || Array.isArray(record.previous), 'what was before is not a list');
  for (const resolved of [record, ...(record.previous ?? [])]) checkResolved(resolved, name);
  const { names } = record;
  require(names === undefined || [names.client, names.endpoint].every(isNames), 'its temporary names are malformed');
  return { ...record, owner: ownerOf(record, name) };
}

/** Earlier versions wrote no owner; they recognised wires of the mesh by a prefix of their names. */
function ownerOf({ owner }: Partial<JournalRecord>, name: string): WireOwner {
  if (owner === undefined) return name.startsWith('nsm-') ? 'nsm' : 'api';
  return owners.includes(owner) ? owner : 'api';
}

const owners: readonly WireOwner[] = ['files', 'api', 'nsm'];

function checkResolved({ wire, namespaces, engineNamespace, devices, deviceMtu }: ResolvedWire, name: string): void {
  require(isObject(wire) && wire.name === name, `it is not of the wire ${name}`);
  require(wire.payload === 'ethernet' || wire.payload === 'ip', 'its payload is unknown');
  require(isObject(namespaces), 'it has no namespaces');
  require(!engineNamespace || isNamespace(engineNamespace), "the engine's namespace is malformed");
  require(devices === undefined || isObject(devices), 'its devices are no mapping');
  require(deviceMtu === undefined || Number.isInteger(deviceMtu), 'the MTU of its device is malformed');
  for (const end of endNames) {
    const mechanism = wire[end]?.mechanism;
    require(isObject(mechanism) && mechanismTypes.includes(mechanism.type), `the mechanism of its ${end} is unknown`);
    require(shapes.get(mechanism.type)?.safeParse(mechanism).success ===
      true, `the ${mechanism.type} mechanism of its ${end} is malformed`);
  }
  for (const end of endNames) {
    require(!namespaces[end] || isNamespace(namespaces[end]), `the namespace of its ${end} is malformed`);
    // Every end on this machine is a device, or has one as its port.
    if (hasDevice(wire) && !isReached(wire[end], 'network'))
      require(isDevice(devices?.[end]), `the device of its ${end} is malformed`);
    if (isReached(wire[end], 'interface'))
      require(namespaces[end] !== undefined, `the namespace of its ${end} was not found`);
  }
}

function isDevice(pci: unknown): boolean {
  return typeof pci === 'string' && canonicalPci(pci) === pci;
}

function isNamespace(value: Namespace | undefined): boolean {
  return isObject(value) && typeof value.path === 'string' && Number.isInteger(value.inode);
}

function isNames(value: unknown): boolean {
  return isObject(value) && 'fresh' in value && 'retired' in value;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function require(holds: boolean, reason: string): asserts holds {
  if (!holds) throw new Error(reason);
}
