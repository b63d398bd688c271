// SPDX-License-Identifier: Apache-2.0
// Checks wires before any of them is touched: their namespaces, devices, claims and interface names.

import type { Dataplane, NamespaceEntry } from '../../dataplane/types.ts';
import { type Mark, parseMark } from '../../machine/marks.ts';
import type { NamespaceFinder } from '../../machine/namespaces.ts';
import { CrosswireError } from '../../model/error.ts';
import { type EndName, endNames } from '../../model/wire.ts';
import type { Claims } from '../../wire/claims.ts';
import { namespaceOf, type Wire } from '../../wire/wire.ts';
import type { ChosenDevices } from '../../plan/state.ts';
import type { DeviceChooser } from './device-choice.ts';
import type { ResolvedWire } from '../store/record.ts';

export interface AdmissionParts {
  readonly dataplane: Dataplane;
  readonly finder: NamespaceFinder;
  readonly node: string;
  readonly claims: Claims;
  readonly chooser: DeviceChooser;
  /** The current devices of a wire. */
  readonly devicesOf: (wire: string) => ChosenDevices | undefined;
}

/** Wires that may be made. Their claims are reserved until `release`. */
export interface Admission {
  /** The admitted wires, resolved, by name. */
  readonly admitted: ReadonlyMap<string, ResolvedWire>;
  /** The reasons for refusals, by wire. */
  readonly refused: ReadonlyMap<string, unknown>;
  /** Ends the reservation. Wires that were made hold their claims by then. */
  readonly release: () => void;
}

/** Rejects if any of the wires cannot be made. */
export async function admitAll(parts: AdmissionParts, wires: readonly Wire[]): Promise<Admission> {
  const judged = await judge(parts, wires);
  const [error] = judged.refused.values();
  if (error !== undefined) throw error;
  return judged;
}

/** Admits those that can be made. Without a wire that cannot, another may not be possible either: a wire that stays as
 *  it is keeps what it claims. */
export async function admitSome(parts: AdmissionParts, wires: readonly Wire[]): Promise<Admission> {
  const refused = new Map<string, unknown>();
  for (;;) {
    const admission = await judge(
      parts,
      wires.filter(({ name }) => !refused.has(name)),
    );
    if (admission.refused.size === 0) return { ...admission, refused };
    for (const [wire, error] of admission.refused) refused.set(wire, error);
  }
}

/** Reserves what the wires claim, unless one of them is refused. */
async function judge(parts: AdmissionParts, wires: readonly Wire[]): Promise<Admission> {
  const nothing = { admitted: new Map<string, ResolvedWire>(), release: () => {} };
  const { asked, refused } = await resolveAll(parts.finder, wires);
  if (refused.size > 0) return { ...nothing, refused };
  const { chooser, claims, devicesOf } = parts;
  const reserve = (complete: readonly ResolvedWire[]) => reserveAll(claims, complete);
  const reserved = await chooser.chooseAll(asked, devicesOf, reserve);
  if (!('release' in reserved)) return { ...nothing, refused: reserved };
  const { complete, release } = reserved;
  const taken = await findTaken(parts, complete).catch((error: unknown) => {
    release();
    throw error;
  });
  if (taken.size > 0) {
    release();
    return { ...nothing, refused: taken };
  }
  return { admitted: new Map(complete.map((one) => [one.wire.name, one])), refused: taken, release };
}

/** Reserves the claims, or returns the wire that claims what another one has. */
function reserveAll(claims: Claims, complete: readonly ResolvedWire[]) {
  try {
    return { complete, release: claims.reserve(complete) };
  } catch (error) {
    return new Map([[wireOf(error, complete), error]]);
  }
}

/** The subject of a refusal is NAME or NAME/END. */
function wireOf(error: unknown, asked: readonly ResolvedWire[]): string {
  const name = error instanceof CrosswireError ? error.subject.split('/')[0] : undefined;
  if (name === undefined || !asked.some(({ wire }) => wire.name === name)) throw error;
  return name;
}

/** The reader of wires has checked the name, but it becomes a file name here. */
function checkName(name: string): void {
  if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return;
  throw new CrosswireError({
    code: 'WIRE_NAME',
    operation: 'check the wires',
    subject: name,
    reason: 'the name is not a DNS label of at most 63 characters',
  });
}

async function resolveAll(
  finder: NamespaceFinder,
  wires: readonly Wire[],
): Promise<{ asked: ResolvedWire[]; refused: Map<string, unknown> }> {
  const found = new Map<string, Promise<NamespaceEntry>>();
  const resolve = async (wire: Wire, end: EndName) => {
    const reference = namespaceOf(wire[end]);
    if (!reference) return undefined;
    const key = JSON.stringify(reference);
    const entry = found.get(key) ?? finder.resolve(reference);
    found.set(key, entry);
    return entry.catch((error: unknown) => {
      throw inWire(error, wire, end);
    });
  };
  const asked: ResolvedWire[] = [];
  const refused = new Map<string, unknown>();
  await Promise.all(
    wires.map(async (wire, at) => {
      try {
        checkName(wire.name);
        const [client, endpoint] = await Promise.all(endNames.map((end) => resolve(wire, end)));
        asked[at] = { wire, namespaces: { client, endpoint } };
      } catch (error) {
        refused.set(wire.name, error);
      }
    }),
  );
  return { asked, refused };
}

function inWire(error: unknown, wire: Wire, end: EndName): unknown {
  if (!(error instanceof CrosswireError)) return error;
  const { code, operation, subject, reason, hint, errno } = error;
  const details = { code, operation, subject: `${subject} of ${wire.name}/${end}`, reason, hint, errno };
  return new CrosswireError({ ...details, cause: error });
}

/** The wires that want the name of an interface of somebody else's; one question per namespace. Interfaces with a mark of
 *  ours are seen to by the wires themselves. */
async function findTaken(
  { dataplane, node }: AdmissionParts,
  asked: readonly ResolvedWire[],
): Promise<Map<string, CrosswireError>> {
  const names = new Map<string, Map<string, Mark>>(); // namespace path → interface → who wants it
  for (const { wire, namespaces } of asked) {
    for (const end of endNames) {
      const { mechanism } = wire[end];
      const path = namespaces[end]?.path;
      if (mechanism.type !== 'kernel' || path === undefined) continue;
      const there = names.get(path) ?? new Map<string, Mark>();
      names.set(path, there.set(mechanism.interface, { wire: wire.name, end }));
    }
  }
  const taken = new Map<string, CrosswireError>();
  await Promise.all(
    [...names].map(async ([netns, wanted]) => {
      const infos = await dataplane.listInterfaces({ netns, names: [...wanted.keys()], details: false });
      for (const { name, alias } of infos) {
        const by = wanted.get(name);
        if (by && parseMark(node, alias) === undefined) taken.set(by.wire, isTaken(`${name} in ${netns}`, by, alias));
      }
    }),
  );
  return taken;
}

function isTaken(place: string, { wire, end }: Mark, alias: string): CrosswireError {
  return new CrosswireError({
    code: 'INTERFACE_TAKEN',
    operation: 'check the wires',
    subject: `${place}, of ${wire}/${end}`,
    reason: alias ? `it is there and belongs to '${alias}'` : 'it is there and is not ours',
    hint: 'choose another name, or remove that interface',
  });
}
