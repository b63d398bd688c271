// SPDX-License-Identifier: Apache-2.0
// Wires of an earlier run whose connections nobody asks for again.

import type { ServiceLog } from '../parts/parts.ts';
import { wireNamePrefix } from '../../nsm/wire/wire-name.ts';
import type { Wires } from '../parts/wires.ts';

/** setTimeout(3) of Node takes a signed 32-bit number of milliseconds, and fires at once above it. */
const longestTimer = 0x7fff_ffff;

/** After `milliseconds`, the longest life of any earlier connection. The returned function ends the wait. */
export function removeLeftovers(
  wires: Wires,
  milliseconds: number,
  connected: () => ReadonlySet<string>,
  log: ServiceLog,
): () => void {
  const earlier = wires.list().flatMap(({ name }) => (name.startsWith(wireNamePrefix) ? [name] : []));
  if (earlier.length === 0) return () => {};
  const remove = async () => {
    const inUse = connected();
    const abandoned = earlier.filter((name) => !inUse.has(name));
    const reports = await wires.remove(abandoned);
    log.info({ wires: reports.map(({ name }) => name) }, 'removed wires of connections that nobody asked for again');
  };
  const timer = setTimeout(
    () => {
      remove().catch((error: unknown) => log.warn({ error }, 'wires of an earlier run were not removed'));
    },
    Math.min(milliseconds, longestTimer),
  ).unref();
  return () => clearTimeout(timer);
}
