// SPDX-License-Identifier: Apache-2.0
// What nsm/ needs of the supervisor.

import type { ApplyReport, RemoveReport, WireCounters } from '../model/status.ts';
import type { WireStatus } from '../wire/status.ts';
import type { Wire } from '../wire/wire.ts';

export interface Wires {
  apply(wires: readonly Wire[]): Promise<ApplyReport[]>;
  remove(names: readonly string[]): Promise<RemoveReport[]>;
  get(name: string): WireStatus | undefined;
  /** As it was applied, with its secrets. */
  wanted(name: string): Wire | undefined;
  list(): WireStatus[];
  /** Of this wire, read now; undefined when there is none. */
  countersOf(name: string): Promise<WireCounters | undefined>;
}
