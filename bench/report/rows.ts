// SPDX-License-Identifier: Apache-2.0
// Makes rows of a run, one for each measurement and machine state. Every format of the report uses them.

import type { MachineState, Measurement, Run, Series, Summary } from '../harness/result.ts';
import { numberText } from './text.ts';

export const machineStates: readonly MachineState[] = ['fast', 'slow'];

export type Verdict = 'met' | 'missed';

export interface Row {
  readonly measurement: Measurement;
  readonly state: MachineState;
  readonly summary: Summary;
  /** undefined if there is no target. */
  readonly verdict: Verdict | undefined;
}

export function rowsOf(run: Run): Row[] {
  return run.measurements.flatMap(rowsOfMeasurement);
}

/** No rows if the measurement was skipped: then only its names are meaningful. */
export function rowsOfMeasurement(measurement: Measurement): Row[] {
  if (measurement.skipped !== undefined) return [];
  return machineStates.flatMap((state) => {
    const summary = measurement.summaries[state];
    return summary === undefined ? [] : [{ measurement, state, summary, verdict: verdictOf(measurement, summary) }];
  });
}

export function skippedOf(run: Run): Measurement[] {
  return run.measurements.filter((measurement) => measurement.skipped !== undefined);
}

/** Measurements during which the machine changed its state in every pair. */
export function unsettledOf(run: Run): Measurement[] {
  return run.measurements.filter(
    (measurement) => measurement.skipped === undefined && rowsOfMeasurement(measurement).length === 0,
  );
}

/** With a rival, compares the median ratio with the target; otherwise the figure itself. */
function verdictOf(measurement: Measurement, summary: Summary): Verdict | undefined {
  const { target, rival, better } = measurement;
  if (target === undefined) return undefined;
  if (rival !== undefined) return summary.ratio.median >= target ? 'met' : 'missed';
  const figure = summary.subject.median;
  return (better === 'more' ? figure >= target : figure <= target) ? 'met' : 'missed';
}

export function targetText({ target, rival, better, unit }: Measurement): string {
  if (target === undefined) return '';
  if (rival !== undefined) return `≥ ${numberText(target)}×`;
  return `${better === 'more' ? '≥' : '≤'} ${numberText(target)} ${unit}`;
}

/** The measurement's name without rival, size and number of wires: memif-64/testpmd → memif. */
export function familyOf({ name, frameBytes, wires }: Measurement): string {
  const drop = [frameBytes, wires].map(String);
  const words = (name.split('/')[0] as string).split('-');
  return words.filter((word) => !drop.includes(word)).join('-');
}

export function seriesOver(measurement: Measurement, x: Series['x']): Series[] {
  return (measurement.series ?? []).filter((series) => series.x === x && series.points.length > 0);
}
