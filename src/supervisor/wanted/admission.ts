// SPDX-License-Identifier: Apache-2.0
// Everything that can be known to be wrong with wires before the first of them is touched.

import type { Dataplane, NamespaceEntry } from '../../dataplane/types.ts';
import { parseMark } from '../../machine/marks.ts';
import type { NamespaceFinder } from '../../machine/namespaces.ts';
import { CrosswireError } from '../../model/error.ts';
import { type EndName, endNames } from '../../model/wire.ts';
import type { Claims } from '../../wire/claims.ts';
import { namespaceOf, type Wire } from '../../wire/wire.ts';
import type { ChosenDevices } from '../../plan/state.ts';
import type { DeviceChooser } from './device-choice.ts';
import type { Standing } from '../store/record.ts';

export interface AdmissionParts {
  readonly dataplane: Dataplane;
  readonly finder: NamespaceFinder;
  readonly node: string;
  readonly claims: Claims;
  readonly chooser: DeviceChooser;
  /** The devices that a wire has already. */
  readonly devicesOf: (wire: string) => ChosenDevices | undefined;
}

export interface Admission {
  /** The devices that were claimed for a wire. */
  readonly devices: (wire: string) => ChosenDevices | undefined;
  /** Gives back what was reserved; the wires hold it themselves by then. */
  readonly release: () => void;
}

/** Rejects, or reserves what the wires claim. */
export async function admit(parts: AdmissionParts, wires: readonly Wire[]): Promise<Admission> {
  for (const { name } of wires) checkName(name);
  const asked = await resolveAll(parts.finder, wires);
  const { chooser, claims, devicesOf } = parts;
  const { complete, release } = await chooser.chooseAll(asked, devicesOf, (chosen) => ({
    complete: chosen,
    release: claims.reserve(chosen),
  }));
  try {
    await refuseTaken(parts, complete);
  } catch (error) {
    release();
    throw error;
  }
  return { release, devices: (wire) => complete.find((one) => one.wire.name === wire)?.devices };
}

/** config/ has checked it; but it becomes a file name here. */
function checkName(name: string): void {
  if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return;
  throw new CrosswireError({
    code: 'WIRE_NAME',
    operation: 'check the wires',
    subject: name,
    reason: 'the name is not a DNS label of at most 63 characters',
  });
}

async function resolveAll(finder: NamespaceFinder, wires: readonly Wire[]): Promise<Standing[]> {
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
  return Promise.all(
    wires.map(async (wire) => {
      const [client, endpoint] = await Promise.all(endNames.map((end) => resolve(wire, end)));
      return { wire, namespaces: { client, endpoint } };
    }),
  );
}

function inWire(error: unknown, wire: Wire, end: EndName): unknown {
  if (!(error instanceof CrosswireError)) return error;
  const { code, operation, subject, reason, hint, errno } = error;
  const details = { code, operation, subject: `${subject} of ${wire.name}/${end}`, reason, hint, errno };
  return new CrosswireError({ ...details, cause: error });
}

/** One question per namespace. Interfaces with a mark of ours are seen to by the wires themselves. */
async function refuseTaken({ dataplane, node }: AdmissionParts, asked: readonly Standing[]): Promise<void> {
  const names = new Map<string, Map<string, string>>(); // namespace path → interface → wire/end
  for (const { wire, namespaces } of asked) {
    for (const end of endNames) {
      const { mechanism } = wire[end];
      const path = namespaces[end]?.path;
      if (mechanism.type !== 'kernel' || path === undefined) continue;
      const there = names.get(path) ?? new Map<string, string>();
      names.set(path, there.set(mechanism.interface, `${wire.name}/${end}`));
    }
  }
  await Promise.all(
    [...names].map(async ([netns, wanted]) => {
      const infos = await dataplane.listInterfaces({ netns, names: [...wanted.keys()], details: false });
      const foreign = infos.find(({ alias }) => parseMark(node, alias) === undefined);
      if (!foreign) return;
      throw new CrosswireError({
        code: 'INTERFACE_TAKEN',
        operation: `check the wires`,
        subject: `${foreign.name} in ${netns}, of ${wanted.get(foreign.name) ?? ''}`,
        reason: foreign.alias ? `it is there and belongs to '${foreign.alias}'` : 'it is there and is not ours',
        hint: 'choose another name, or remove that interface',
      });
    }),
  );
}
