// SPDX-License-Identifier: Apache-2.0
// What the forwarder needs of the supervisor.

import type { ApplyReport, RemoveReport, WireCounters } from '../../model/status.ts';
import type { WireStatus } from '../../wire/status.ts';
import type { Wire } from '../../wire/wire.ts';

export interface Wires {
  apply(wires: readonly Wire[]): Promise<ApplyReport[]>;
  remove(names: readonly string[]): Promise<RemoveReport[]>;
  get(name: string): WireStatus | undefined;
  /** The wire as it was applied, with its secrets. */
  wanted(name: string): Wire | undefined;
  list(): WireStatus[];
  /** Read now; undefined when there is no such wire. */
  countersOf(name: string): Promise<WireCounters | undefined>;
}
