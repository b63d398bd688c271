// SPDX-License-Identifier: Apache-2.0
// What the forwarder needs of the supervisor.

import type { ApplyReport, RemoveReport, WireCounters } from '../../model/status.ts';
import type { WireStatus } from '../../wire/status.ts';
import type { Wire } from '../../wire/wire.ts';

export interface Wires {
  /** Rejects if a wire cannot be made; what fails later is in its report. `giveUpFailed`: then there is none of that name. */
  set(owner: 'nsm', wires: readonly Wire[], options: { readonly giveUpFailed: boolean }): Promise<ApplyReport[]>;
  /** Removes the owner's wires of an earlier run that are not set again within this time. */
  expire(owner: 'nsm', milliseconds: number): void;
  remove(names: readonly string[]): Promise<RemoveReport[]>;
  get(name: string): WireStatus | undefined;
  /** The wire as it was applied, with its secrets. */
  wanted(name: string): Wire | undefined;
  /** Read now; undefined when there is no such wire. */
  countersOf(name: string): Promise<WireCounters | undefined>;
}
