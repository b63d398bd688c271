// SPDX-License-Identifier: Apache-2.0
// The settings of a supervisor. All but the first three have defaults.

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
  /** The interval of the comparison with what exists. */
  readonly resyncSeconds?: number;
  /** The largest number of jobs that run at the same time. */
  readonly parallel?: number;
  /** The delay before a failed wire is tried again; it doubles each time up to `longest`. */
  readonly retrySeconds?: { readonly first: number; readonly longest: number };
  /** Called with the time that making a wire took, for the histogram. */
  readonly onWireMade?: (seconds: number, path: Path) => void;
}

export interface StopOptions {
  /** Remove all wires. Otherwise kernel wires and persistent taps stay, and the next start adopts them. */
  readonly removeWires?: boolean;
}
