// SPDX-License-Identifier: Apache-2.0
// Holds a run against an earlier one, ratio by ratio and state by state: absolute figures mean nothing between days.

import type { MachineState, Measurement, Run } from './result.ts';

export interface Regression {
  readonly name: string;
  readonly state: MachineState;
  readonly before: number;
  readonly now: number;
}

/** Measurements that stand against a rival in both runs and in one machine state, and fell below the share. */
export function regressions(before: Run, now: Run, share: number): Regression[] {
  const found: Regression[] = [];
  for (const measurement of now.measurements) {
    const earlier = before.measurements.find((other) => other.name === measurement.name);
    if (!earlier) continue;
    for (const state of ['fast', 'slow'] as const) {
      const [then, ratio] = [medianRatio(earlier, state), medianRatio(measurement, state)];
      if (then === undefined || ratio === undefined || ratio >= share * then) continue;
      found.push({ name: measurement.name, state, before: then, now: ratio });
    }
  }
  return found;
}

function medianRatio(measurement: Measurement, state: MachineState): number | undefined {
  return measurement.rival === undefined ? undefined : measurement.summaries[state]?.ratio.median;
}
