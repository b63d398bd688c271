// SPDX-License-Identifier: Apache-2.0
// Selects the line charts for which a run has data, and their points.

import type { Measurement, Run, Series, Spread } from '../harness/result.ts';
import { summarise } from '../harness/statistics.ts';
import { distributionsOf } from './distributions.ts';
import { familyOf, type Row, rowsOf } from './rows.ts';
import { ratioText } from './text.ts';

export type Axis = NonNullable<Series['x']>;

export interface Point {
  readonly line: string; // name of the subject or the rival
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
  /** Sentences that give the ratios to the rivals. */
  readonly ratios: readonly string[];
}

export function panelsOver(run: Run, axis: Axis): Panel[] {
  switch (axis) {
    case 'percentile':
      return latencyPanels(run);
    case 'frame bytes':
      return joinedPanels(run, axis);
    case 'wires':
      return [
        ...costFigures.flatMap((figure) => joinedPanels(ofFigure(run, figure), axis)),
        ...joinedPanels(run, axis),
      ];
  }
}

/** Figures that show the cost of a wire, drawn beside the rate. */
const costFigures = ['cycles per frame', 'RSS MiB', 'idle CPU %', 'CPU ms to make one'];

/** The run with this figure of its samples in place of the value. */
function ofFigure(run: Run, figure: string): Run {
  const measurements = run.measurements.flatMap((measurement): Measurement[] => {
    const { pairs: taken, name, rival } = measurement;
    const pairs = taken.flatMap((pair) => {
      const subject = pair.samples?.subject.figures?.[figure];
      const other = rival === undefined ? subject : pair.samples?.rival?.figures?.[figure];
      return subject === undefined || other === undefined ? [] : [{ ...pair, subject, rival: other }];
    });
    if (pairs.length === 0 || measurement.unit === figure) return [];
    const facts = { name, unit: figure, better: 'less', pairs, summaries: summarise(pairs, 'less') } as const;
    return [{ ...measurement, ...facts }];
  });
  return { ...run, measurements };
}

/** Joins measurements of one family that differ in frame size (or number of wires) to lines, one panel for each state. */
function joinedPanels(run: Run, axis: 'frame bytes' | 'wires'): Panel[] {
  const at = ({ measurement }: Row) => (axis === 'wires' ? measurement.wires : measurement.frameBytes);
  const rows = rowsOf(run).filter((row) => at(row) !== undefined);
  const groups = Map.groupBy(rows, ({ measurement, state }) =>
    JSON.stringify([familyOf(measurement), state, measurement.unit]),
  );
  return [...groups.values()].flatMap((group) => {
    const { measurement, state } = group[0] as Row;
    const points = merged(group.flatMap((row) => pointsOf(row, axis, at(row) as number)));
    if (new Set(points.map(({ x }) => x)).size < 2) return [];
    return {
      title: `${commonTitle(group, at)}: ${measurement.unit}, ${state} machine`,
      axis,
      unit: measurement.unit,
      points,
      ratios: ratiosByRival(group, (row) => `at ${at(row)}${axis === 'wires' ? ' wires' : ' B'}`),
    };
  });
}

/** Frames of 64 bytes, frames of 1500 bytes → frames of n bytes. Replaces the largest number, which is least likely to mean
 *  something else. */
function commonTitle(group: readonly Row[], at: (row: Row) => number | undefined): string {
  const places = group.map((row) => at(row) ?? 0);
  const largest = Math.max(...places);
  const { title } = (group[places.indexOf(largest)] as Row).measurement;
  return title.replace(new RegExp(`\\b${largest}\\b`), 'n');
}

function pointsOf({ measurement, summary }: Row, axis: Axis, x: number): Point[] {
  const { subject, rival } = measurement;
  const point = (line: string, at: number, { least, median, most }: Spread) => ({
    line,
    x: at,
    y: median,
    least,
    most,
  });
  if (axis !== 'wires') {
    const own = point(subject, x, summary.subject);
    return rival === undefined ? [own] : [own, point(rival, x, summary.rival)];
  }
  const own = point(unnumbered(subject, x), x, summary.subject);
  if (rival === undefined) return [own];
  // Crosswire itself with another number of wires is another point of the same line.
  const rivalAt = wiresOfRival(measurement) ?? x;
  return [own, point(unnumbered(rival, rivalAt), rivalAt, summary.rival)];
}

function wiresOfRival({ pairs }: Measurement): number | undefined {
  return pairs.find(({ samples }) => samples?.rival?.traffic?.wires !== undefined)?.samples?.rival?.traffic?.wires;
}

/** crosswire, 100 wires → crosswire: the number is on the axis. */
function unnumbered(name: string, wires: number): string {
  return name.replace(`, ${wires} wires`, '');
}

/** The subject was measured again with each rival; its line shows the median of those medians and the whole range. */
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

/** A distribution may have been compared at several percentiles: one panel gives all of their ratios. */
function latencyPanels(run: Run): Panel[] {
  const drawn = rowsOf(run).flatMap((row) => {
    const series = distributionsOf(row.measurement, row.state);
    const points = series.flatMap(({ name, points: own }) => own.map(([x, y]) => ({ line: name, x, y })));
    return points.length === 0 ? [] : [{ row, points, unit: series[0]?.unit ?? row.measurement.unit }];
  });
  const groups = Map.groupBy(drawn, ({ points }) => JSON.stringify(points));
  return [...groups.values()].map((same) => {
    const { row, points, unit } = same[0] as (typeof drawn)[number];
    const states = [...new Set(same.map(({ row: { state } }) => state))].join(' and ');
    const title = `${row.measurement.title.replace(/^p\d+ of /, '')}, ${states} machine`;
    const ratios = same.flatMap(({ row: one }) =>
      ratiosByRival([one], ({ measurement, state }) => `(${measurement.name}, ${state})`),
    );
    return { title, axis: 'percentile', unit, points, ratios };
  });
}

function ratiosByRival(rows: readonly Row[], place: (row: Row) => string): string[] {
  const compared = rows.filter(({ measurement }) => measurement.rival !== undefined);
  const groups = Map.groupBy(
    compared,
    ({ measurement: { subject, rival, wires = 0 } }) => `${unnumbered(subject, wires)} against ${rival}`,
  );
  return [...groups].map(
    ([who, group]) => `${who}: ${group.map((row) => `${ratioText(row.summary.ratio)} ${place(row)}`).join(', ')}`,
  );
}
