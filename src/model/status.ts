// SPDX-License-Identifier: Apache-2.0
// The reports of the daemon about wires: the types of the control API's answers.

import type { ErrorDetails } from './error.ts';
import type { EndName, Path } from './wire.ts';

/** Who wants a wire: the files of --wires, a client of the control API, or the mesh. */
export type WireOwner = 'files' | 'api' | 'nsm';

export type WirePhase = 'pending' | 'up' | 'degraded' | 'failed' | 'removing';

/** The number of a device node: mknod(2). */
export interface DeviceNode {
  readonly major: number;
  readonly minor: number;
}

export type ApplyOutcome = 'created' | 'changed' | 'unchanged' | 'failed';

export interface ApplyReport {
  readonly name: string;
  readonly outcome: ApplyOutcome;
  readonly actions: readonly string[]; // one sentence each, in order
  readonly error?: ErrorDetails;
}

export interface RemoveReport {
  readonly name: string;
  readonly outcome: 'removed' | 'missing' | 'failed';
  readonly errors: readonly ErrorDetails[];
}

export interface Explanation {
  readonly name: string;
  readonly path: Path;
  /** Why this path was chosen, one sentence per line. */
  readonly why: readonly string[];
  /** The actions that make the wire from nothing, in order, one sentence each. */
  readonly actions: readonly string[];
  /** The actions that are still to do; empty if everything is in place. */
  readonly pending: readonly string[];
}

/** A warning about a wire or the forwarder, which lasts as long as its cause. */
export interface HealthRecord {
  readonly code: string;
  readonly severity: 'info' | 'warning' | 'error';
  readonly text: string;
  readonly wire?: string;
  readonly end?: EndName;
  readonly since: string; // RFC 3339
}

/** Counters of one end, absolute since the wire was made; rx: frames entering the wire from that end. */
export interface EndCounters {
  readonly rxPackets: bigint;
  readonly rxBytes: bigint;
  readonly txPackets: bigint;
  readonly txBytes: bigint;
  readonly rxErrors: bigint;
  readonly txErrors: bigint;
  /** Dropped frames that entered at this end, by reason. */
  readonly drops: Readonly<Record<string, bigint>>;
}

export interface WireCounters {
  readonly client: EndCounters;
  readonly endpoint: EndCounters;
}
