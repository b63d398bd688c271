// SPDX-License-Identifier: Apache-2.0
// Which line charts a run can draw, and their points.

import type { Run, Series } from '../harness/result.ts';
import { familyOf, machineStates, type Row, rowsOf, seriesOver } from './rows.ts';
import { ratioText } from './text.ts';

export type Axis = NonNullable<Series['x']>;

export interface Point {
  readonly line: string; // whose: the subject's or a rival's
  readonly x: number;
  readonly y: number;
  readonly least?: number;
  readonly most?: number;
}

export interface Panel {
  readonly title: string;
  readonly axis: Axis;
  readonly unit: string;
  readonly points: readonly Point[];
  /** Sentences: who is ahead of whom by what ratio. */
  readonly ratios: readonly string[];
}

export function panelsOver(run: Run, axis: Axis): Panel[] {
  return [...joinedPanels(run, axis), ...seriesPanels(run, axis)];
}

/** Measurements of one family that differ in frame size (or number of wires), joined to lines: one panel per state. */
function joinedPanels(run: Run, axis: Axis): Panel[] {
  const at = ({ measurement }: Row) => {
    if (axis === 'percentile') return undefined;
    return axis === 'wires' ? measurement.wires : measurement.frameBytes;
  };
  const rows = rowsOf(run).filter((row) => at(row) !== undefined);
  const groups = Map.groupBy(rows, ({ measurement, state }) =>
    JSON.stringify([familyOf(measurement), state, measurement.unit]),
  );
  return [...groups.values()].flatMap((group) => {
    const { measurement, state } = group[0] as Row;
    const places = new Set(group.map(at));
    if (places.size < 2) return [];
    return {
      title: `${familyOf(measurement)}, ${state} machine`,
      axis,
      unit: measurement.unit,
      points: merged(group.flatMap((row) => pointsOf(row, at(row) as number))),
      ratios: ratiosByRival(group, (row) => `at ${at(row)}${axis === 'wires' ? ' wires' : ' B'}`),
    };
  });
}

function pointsOf({ measurement, summary }: Row, x: number): Point[] {
  const point = (line: string, { least, median, most }: Row['summary']['subject']) => ({
    line,
    x,
    y: median,
    least,
    most,
  });
  const own = point(measurement.subject, summary.subject);
  return measurement.rival === undefined ? [own] : [own, point(measurement.rival, summary.rival)];
}

/** The subject was measured anew beside each rival; its line shows the median of those medians and the whole range. */
function merged(points: readonly Point[]): Point[] {
  const groups = Map.groupBy(points, ({ line, x }) => `${x} ${line}`);
  const joined = [...groups.values()].map((group): Point => {
    const sorted = group.toSorted((a, b) => a.y - b.y);
    const middle = sorted[Math.floor((sorted.length - 1) / 2)] as Point;
    return {
      ...middle,
      least: Math.min(...group.map((point) => point.least ?? point.y)),
      most: Math.max(...group.map((point) => point.most ?? point.y)),
    };
  });
  return joined.toSorted((a, b) => a.x - b.x);
}

function seriesPanels(run: Run, axis: Axis): Panel[] {
  return run.measurements.flatMap((measurement) => {
    const series = seriesOver(measurement, axis);
    if (measurement.skipped !== undefined || series.length === 0) return [];
    const rows = rowsOf({ ...run, measurements: [measurement] });
    return {
      title: measurement.title,
      axis,
      unit: series[0]?.unit ?? measurement.unit,
      points: series.flatMap(({ name, points }) => points.map(([x, y]) => ({ line: name, x, y }))),
      ratios: ratiosByRival(rows, ({ state }) => `on the ${state} machine`),
    };
  });
}

function ratiosByRival(rows: readonly Row[], place: (row: Row) => string): string[] {
  const compared = rows.filter(({ measurement }) => measurement.rival !== undefined);
  const groups = Map.groupBy(compared, ({ measurement }) => `${measurement.subject} against ${measurement.rival}`);
  return [...groups].map(
    ([who, group]) => `${who}: ${group.map((row) => `${ratioText(row.summary.ratio)} ${place(row)}`).join(', ')}`,
  );
}

export interface RatioBar {
  readonly name: string;
  readonly who: string; // subject, rival and ratio in words
  readonly ratio: number;
  readonly least: number;
  readonly most: number;
  readonly target: number | undefined;
  readonly verdict: string;
}

/** One list of bars per machine state. */
export function ratioBars(run: Run): { state: string; bars: RatioBar[] }[] {
  const compared = rowsOf(run).filter(({ measurement }) => measurement.rival !== undefined);
  return machineStates.flatMap((state) => {
    const bars = compared.filter((row) => row.state === state).map(barOf);
    return bars.length === 0 ? [] : [{ state, bars }];
  });
}

function barOf({ measurement, summary, verdict }: Row): RatioBar {
  const { least, median, most } = summary.ratio;
  return {
    name: measurement.name,
    who: `${measurement.subject} : ${measurement.rival} = ${median.toFixed(2)}×`,
    ratio: median,
    least,
    most,
    target: measurement.target,
    verdict: verdict === undefined ? 'no target' : verdict === 'met' ? 'target met' : 'target missed',
  };
}
