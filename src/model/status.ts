// SPDX-License-Identifier: Apache-2.0
// What the daemon says of a wire: the shape of the control API's answers.

import type { ErrorDetails } from './error.ts';
import type { EndName, Path } from './wire.ts';

/** Who wants a wire: the files of --wires, whoever uses the control API, or the mesh. */
export type WireOwner = 'files' | 'api' | 'nsm';

export type WirePhase = 'pending' | 'up' | 'degraded' | 'failed' | 'removing';

/** mknod(2) */
export interface DeviceNode {
  readonly major: number;
  readonly minor: number;
}

export type ApplyOutcome = 'created' | 'changed' | 'unchanged' | 'failed';

export interface ApplyReport {
  readonly name: string;
  readonly outcome: ApplyOutcome;
  readonly actions: readonly string[]; // in words, in order
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
  /** Why this path: one sentence a line. */
  readonly why: readonly string[];
  /** The actions that make the wire from nothing, in order, in words. */
  readonly actions: readonly string[];
  /** The actions still to do now: empty when everything is in place. */
  readonly pending: readonly string[];
}

/** A warning is a record (style.md 22). */
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
  /** Of frames that entered at this end, by reason. */
  readonly drops: Readonly<Record<string, bigint>>;
}

export interface WireCounters {
  readonly client: EndCounters;
  readonly endpoint: EndCounters;
}
