// SPDX-License-Identifier: Apache-2.0
// The current health records. A record of a wire keeps its time while its code and end stay the same.

import type { HealthRecord } from '../../model/status.ts';

export type Warning = Omit<HealthRecord, 'since'>;

export class HealthBook {
  readonly #general: HealthRecord[] = [];
  readonly #ofWires = new Map<string, readonly HealthRecord[]>();

  add(warning: Warning): void {
    this.#general.push({ ...warning, since: new Date().toISOString() });
  }

  /** Replaces all records of the wire. */
  replace(wire: string, warnings: readonly Warning[]): void {
    const before = this.#ofWires.get(wire) ?? [];
    const now = new Date().toISOString();
    const sinceOf = ({ code, end }: Warning) =>
      before.find((old) => old.code === code && old.end === end)?.since ?? now;
    if (warnings.length === 0) this.#ofWires.delete(wire);
    else
      this.#ofWires.set(
        wire,
        warnings.map((warning) => ({ ...warning, since: sinceOf(warning) })),
      );
  }

  /** The oldest first. */
  records(): HealthRecord[] {
    const all = [...this.#general, ...[...this.#ofWires.values()].flat()];
    return all.sort((a, b) => (a.since < b.since ? -1 : a.since > b.since ? 1 : 0));
  }
}
