// SPDX-License-Identifier: Apache-2.0
// What `crosswire doctor` finds out about a machine.

export interface MachineFinding {
  /** Stable, for scripts: 'cpu-quota'. */
  readonly check: string;
  /** missing: something essential is not there; the forwarder cannot do its work. */
  readonly state: 'ok' | 'note' | 'warning' | 'missing';
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string;
}

export interface MachineReport {
  readonly fit: boolean; // nothing essential is missing
  readonly findings: readonly MachineFinding[];
}
