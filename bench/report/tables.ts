// SPDX-License-Identifier: Apache-2.0
// The tables of a report, independent of the output format.

import type { Measurement, Run, Series } from '../harness/result.ts';
import { distributionsOf } from './distributions.ts';
import { type Row, rowsOf, rowsOfMeasurement, skippedOf, targetText, unsettledOf } from './rows.ts';
import { numberText, ratioText, spreadText } from './text.ts';

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const measuredHead =
  'measurement, subject, rival, unit, machine, subject’s figure, rival’s figure, ratio, target, met, pairs, dropped'.split(
    ', ',
  );

export function measuredTable(run: Run): Table {
  const rows = rowsOf(run).map(measuredRow);
  return { head: measuredHead, rows: [...rows, ...unsettledOf(run).map(unsettledRow)] };
}

function measuredRow({ measurement, state, summary, verdict }: Row): string[] {
  const { name, subject, rival, unit, dropped } = measurement;
  const against = rival === undefined ? ['–', '–'] : [spreadText(summary.rival), ratioText(summary.ratio)];
  const met = verdict === undefined ? '' : verdict === 'met' ? 'yes' : 'no';
  const figures = [spreadText(summary.subject), ...against, targetText(measurement), met];
  return [name, subject, rival ?? '–', unit, state, ...figures, String(summary.pairs), String(dropped)];
}

function unsettledRow(measurement: Measurement): string[] {
  const { name, subject, rival, unit, dropped } = measurement;
  const figures = ['–', '–', '–', targetText(measurement), ''];
  return [name, subject, rival ?? '–', unit, 'neither', ...figures, '0', String(dropped)];
}

export function figuresTable(run: Run): Table {
  const measured = run.measurements.filter((measurement) => measurement.skipped === undefined);
  const figures = measured.flatMap((measurement) =>
    figuresOf(measurement).map((cells) => [measurement.name, ...cells]),
  );
  return { head: ['measurement', 'figure', 'value'], rows: figures };
}

/** Includes latency percentiles, because a chart cannot show the largest sample. */
function figuresOf(measurement: Measurement): [string, string][] {
  const { figures, unit } = measurement;
  return [
    ...Object.entries(figures).map(([name, value]): [string, string] => [name, numberText(value)]),
    ...rowsOfMeasurement(measurement).flatMap(({ state }) =>
      distributionsOf(measurement, state).map((series) => percentilesRow(series, state, unit)),
    ),
  ];
}

function percentilesRow({ name, unit, points }: Series, state: string, otherwise: string): [string, string] {
  const values = points.map(([p, value]) => `${percentileName(p)} ${numberText(value)}`).join(', ');
  return [`latency of ${name}, ${unit ?? otherwise}, ${state} machine`, values];
}

function percentileName(percentile: number): string {
  return percentile === 0 ? 'least' : percentile === 100 ? 'most' : `p${percentile}`;
}

/** Explains the short names of the measurements. */
export function namesTable(run: Run): Table {
  const measured = run.measurements.filter((measurement) => measurement.skipped === undefined);
  const titles = new Map(measured.map(({ name, title }) => [name.split('/')[0] as string, title]));
  return { head: ['name', 'what was measured'], rows: [...titles] };
}

export function skippedTable(run: Run): Table {
  const rows = skippedOf(run).map(({ name, subject, rival, skipped }) => [name, subject, rival ?? '–', skipped ?? '']);
  return { head: ['measurement', 'subject', 'rival', 'reason'], rows };
}
