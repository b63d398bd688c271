// SPDX-License-Identifier: Apache-2.0
// Compares the ratios of a run with those of an earlier one, by machine state. Absolute figures of different days cannot be
// compared.

import type { MachineState, Measurement, Run } from './result.ts';

export interface Gate {
  /** How many ratios could be compared: measured against a rival in both runs, in one machine state. */
  readonly compared: number;
  readonly regressions: readonly Regression[];
}

export interface Regression {
  readonly name: string;
  readonly state: MachineState;
  readonly before: number;
  readonly now: number;
}

/** Finds the ratios that fell below the given share of their earlier value. */
export function gate(before: Run, now: Run, share: number): Gate {
  const found: Regression[] = [];
  for (const measurement of now.measurements) {
    const earlier = before.measurements.find((other) => other.name === measurement.name);
    if (!earlier) continue;
    for (const state of ['fast', 'slow'] as const) {
      const [then, ratio] = [medianRatio(earlier, state), medianRatio(measurement, state)];
      if (then === undefined || ratio === undefined) continue;
      found.push({ name: measurement.name, state, before: then, now: ratio });
    }
  }
  return { compared: found.length, regressions: found.filter((one) => !(one.now >= share * one.before)) };
}

function medianRatio(measurement: Measurement, state: MachineState): number | undefined {
  return measurement.rival === undefined ? undefined : measurement.summaries[state]?.ratio.median;
}

/** Whether the gate passes. It does not pass if nothing could be compared. */
export function gateHolds({ compared, regressions }: Gate): boolean {
  return compared > 0 && regressions.length === 0;
}

export function gateLines({ compared, regressions }: Gate, share: number): string[] {
  const worse = regressions.map(
    ({ name, state, before, now }) => `${name} (${state}): ${now.toFixed(3)} × its rival, was ${before.toFixed(3)}`,
  );
  if (compared === 0) return ['the runs have no ratio in common in one machine state: nothing could be held'];
  return [...worse, `${worse.length} of ${compared} ratios are below ${share} of what they were`];
}
