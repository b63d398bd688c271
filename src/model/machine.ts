// SPDX-License-Identifier: Apache-2.0
// The report of `crosswire doctor` about a machine.

export interface MachineFinding {
  /** A stable name for scripts, like 'cpu-quota'. */
  readonly check: string;
  /** missing: something essential is missing, and the forwarder cannot work. */
  readonly state: 'ok' | 'note' | 'warning' | 'missing';
  readonly found: string;
  /** How to fix it. */
  readonly advice?: string;
}

export interface MachineReport {
  readonly fit: boolean; // nothing essential is missing
  readonly findings: readonly MachineFinding[];
}
