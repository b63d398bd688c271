// SPDX-License-Identifier: Apache-2.0
// The tables of a report, free of any form.

import type { Measurement, Run } from '../harness/result.ts';
import { type Row, rowsOf, skippedOf, targetText, unsettledOf } from './rows.ts';
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
  const figures = measured.flatMap((measurement) => Object.entries(figuresOf(measurement)).map(figureRow(measurement)));
  return { head: ['measurement', 'figure', 'value'], rows: figures };
}

/** Latency percentiles are figures too: a chart cannot show the largest sample. */
function figuresOf({ figures, series = [], unit }: Measurement): Record<string, string> {
  const percentiles = series.filter(({ x }) => x === 'percentile');
  return {
    ...Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, numberText(value)])),
    ...Object.fromEntries(
      percentiles.map((one) => [
        `percentiles of ${one.name}`,
        one.points.map(([p, value]) => `${percentileName(p)} ${numberText(value)} ${one.unit ?? unit}`).join(', '),
      ]),
    ),
  };
}

function percentileName(percentile: number): string {
  return percentile === 0 ? 'least' : percentile === 100 ? 'most' : `p${percentile}`;
}

const figureRow =
  ({ name }: Measurement) =>
  ([figure, value]: [string, string]): string[] => [name, figure, value];

export function skippedTable(run: Run): Table {
  const rows = skippedOf(run).map(({ name, subject, rival, skipped }) => [name, subject, rival ?? '–', skipped ?? '']);
  return { head: ['measurement', 'subject', 'rival', 'reason'], rows };
}
