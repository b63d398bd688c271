// SPDX-License-Identifier: Apache-2.0
// Why a wire goes the way it goes, what makes it, and what is still to do.

import { CrosswireError } from '../model/error.ts';
import type { Explanation } from '../model/status.ts';
import { type EndName, endNames, namespaceOf, type Wire } from '../model/wire.ts';
import { choosePath } from '../plan/path.ts';
import { plan } from '../plan/planner.ts';
import { type NameChoice, type Namespaces, nothing } from '../plan/state.ts';
import { describe } from '../plan/words.ts';
import type { WireEntry } from './entry.ts';
import type { Reconciler } from './reconciler.ts';

/** In words only: nobody makes these. */
const names: NameChoice = {
  client: { fresh: '(temporary name 1)', retired: '(temporary name 3)' },
  endpoint: { fresh: '(temporary name 2)', retired: '(temporary name 4)' },
};

export async function explain(reconciler: Reconciler, wire: Wire, entry: WireEntry | undefined): Promise<Explanation> {
  const { namespaces, missing } = await resolve(reconciler, wire);
  const wanted = reconciler.compile({ wire, namespaces });
  const actions = plan(nothing, wanted, names).map(describe);
  const { path, why } = choosePath(wire);
  const text = { name: wire.name, path, why: [...why, ...missing], actions };
  if (!entry) return { ...text, pending: actions };
  const { interfaces } = await reconciler.observe(entry, { wire, namespaces });
  const observed = { interfaces, ...(entry.engine ? { engine: entry.engine.state } : {}) };
  return { ...text, pending: plan(observed, wanted, names).map(describe) };
}

/** A wire can be explained before its namespaces exist. */
async function resolve(reconciler: Reconciler, wire: Wire): Promise<{ namespaces: Namespaces; missing: string[] }> {
  try {
    return { namespaces: await reconciler.resolve(wire), missing: [] };
  } catch (error) {
    if (!(error instanceof CrosswireError)) throw error;
    const placeholder = (end: EndName) => {
      const reference = namespaceOf(wire[end]);
      if (!reference) return undefined;
      const path = ('netns' in reference && reference.netns) || `(the ${end}'s namespace)`;
      return { path, device: 0, inode: 0 };
    };
    const [client, endpoint] = endNames.map(placeholder);
    return { namespaces: { client, endpoint }, missing: [`It cannot be made now: ${error.message}.`] };
  }
}
