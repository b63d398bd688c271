// SPDX-License-Identifier: Apache-2.0
// Explains a wire: its path and the reason for it, the actions that make it, and those still to do.

import { CrosswireError } from '../../model/error.ts';
import type { Explanation } from '../../model/status.ts';
import { type EndName, endNames } from '../../model/wire.ts';
import { deviceOf, namespaceOf, type Wire } from '../../wire/wire.ts';
import { choosePath } from '../../plan/path.ts';
import { plan } from '../../plan/planner.ts';
import { type ChosenDevices, type NameChoice, nothing } from '../../plan/state.ts';
import { describe } from '../../plan/words.ts';
import type { WireEntry } from '../wanted/entry.ts';
import type { Reconciler } from '../act/reconciler.ts';
import type { ResolvedWire } from '../store/record.ts';

/** Shown only; no interface gets these names. */
const names: NameChoice = {
  client: { fresh: '(temporary name 1)', retired: '(temporary name 3)' },
  endpoint: { fresh: '(temporary name 2)', retired: '(temporary name 4)' },
};

export async function explain(reconciler: Reconciler, wire: Wire, entry: WireEntry | undefined): Promise<Explanation> {
  const { resolved, missing } = await resolve(reconciler, wire, entry);
  const wanted = reconciler.compile(resolved);
  const actions = plan(nothing, wanted, names).map(describe);
  const { path, why } = choosePath(wire);
  const text = { name: wire.name, path, why: [...why, ...missing], actions };
  if (!entry) return { ...text, pending: actions };
  const { interfaces, bound } = await reconciler.observe(entry, resolved);
  const observed = { interfaces, devices: bound, ...(entry.engine ? { engine: entry.engine.state } : {}) };
  return { ...text, pending: plan(observed, wanted, names).map(describe) };
}

/** A wire can be explained before its namespaces and devices exist. */
async function resolve(
  reconciler: Reconciler,
  wire: Wire,
  entry: WireEntry | undefined,
): Promise<{ resolved: ResolvedWire; missing: string[] }> {
  try {
    const chosen = entry?.wire === wire ? entry.record?.devices : undefined;
    return { resolved: await reconciler.resolve(wire, { chosen }), missing: [] };
  } catch (error) {
    if (!(error instanceof CrosswireError)) throw error;
    const placeholder = (end: EndName) => {
      const reference = namespaceOf(wire[end]);
      if (!reference) return undefined;
      const path = ('netns' in reference && reference.netns) || `(the ${end}'s namespace)`;
      return { path, device: 0, inode: 0 };
    };
    const [client, endpoint] = endNames.map(placeholder);
    const engineNamespace = { path: "(the engine's namespace)", device: 0, inode: 0 };
    const resolved = { wire, namespaces: { client, endpoint }, engineNamespace, devices: unknownDevices(wire) };
    return { resolved, missing: [`It cannot be made now: ${error.message}.`] };
  }
}

function unknownDevices({ client, endpoint }: Wire): ChosenDevices {
  const nameOf = (request = deviceOf(client) ?? deviceOf(endpoint)) =>
    request && ('pci' in request ? request.pci : `(of ${request.resource})`);
  return { client: nameOf(deviceOf(client)) ?? '', endpoint: nameOf(deviceOf(endpoint)) ?? '' };
}
