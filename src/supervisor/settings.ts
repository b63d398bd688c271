// SPDX-License-Identifier: Apache-2.0
// What a supervisor is told when it is made. Everything but the first three has a default.

import type { Dataplane } from '../dataplane/types.ts';
import type { Devices } from '../machine/sriov/devices.ts';
import type { Log } from '../model/log.ts';
import type { Path } from '../model/wire.ts';

export interface SupervisorSettings {
  readonly dataplane: Dataplane;
  readonly stateDirectory: string;
  /** Goes into every ownership mark; unique per state directory on a machine, no slash. */
  readonly node: string;
  readonly log?: Log;
  /** Virtual functions; without them, wires that ask for one are refused. */
  readonly devices?: Devices;
  /** Every so often everything is compared with what exists, and repaired. */
  readonly resyncSeconds?: number;
  /** How many wires are worked on at the same time. */
  readonly parallel?: number;
  /** Wait before a failed wire is tried again: the first wait, doubled each time up to the longest. */
  readonly retrySeconds?: { readonly first: number; readonly longest: number };
  /** How long making a wire took, for the histogram. */
  readonly onWireMade?: (seconds: number, path: Path) => void;
}

export interface StopOptions {
  /** Take every wire away; otherwise kernel wires and persistent taps stay, to be adopted at the next start. */
  readonly removeWires?: boolean;
}
