// SPDX-License-Identifier: Apache-2.0
// The warnings that hold now. A record keeps its time for as long as its text and code stay.

import type { HealthRecord } from '../model/status.ts';

export type Warning = Omit<HealthRecord, 'since'>;

export class HealthBook {
  readonly #records = new Map<string, HealthRecord>();

  add(warning: Warning): void {
    const key = JSON.stringify([warning.code, warning.wire, warning.end, warning.text]);
    if (!this.#records.has(key)) this.#records.set(key, { ...warning, since: new Date().toISOString() });
  }

  /** In place of what was said of the wire before. */
  replace(wire: string, warnings: readonly Warning[]): void {
    const before = [...this.#records].filter(([, record]) => record.wire === wire);
    const keep = (record: HealthRecord) =>
      warnings.some(({ code, text, end }) => code === record.code && text === record.text && end === record.end);
    for (const [key, record] of before) if (!keep(record)) this.#records.delete(key);
    for (const warning of warnings) this.add(warning);
  }

  records(): HealthRecord[] {
    return [...this.#records.values()].sort((a, b) => (a.since < b.since ? -1 : a.since > b.since ? 1 : 0));
  }
}
