// SPDX-License-Identifier: Apache-2.0
// Leases as the inventory shows them.

import type { Holder } from '../../model/device-status.ts';
import { parseMark } from '../marks.ts';
import type { Holding } from './devices.ts';

/** Of this node's wires. */
export function holdersOf(node: string, holdings: readonly Holding[]): Holder[] {
  return holdings.flatMap(({ pci, mark, isHeld }) => {
    const whose = parseMark(node, mark);
    return whose ? [{ pci, ...whose, state: isHeld ? ('held' as const) : ('taking' as const) }] : [];
  });
}
