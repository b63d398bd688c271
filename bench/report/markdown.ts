// SPDX-License-Identifier: Apache-2.0
// report.md: every number of a run in tables.

import type { Measurement, Run } from '../harness/result.ts';
import { machineStates, type Row, rowsOf, rowsOfMeasurement, skippedOf, targetText, unsettledOf } from './rows.ts';
import { environmentLines, numberText, ratioText, spreadText } from './text.ts';

export function markdownReport(run: Run): string {
  return [
    '# Crosswire bench',
    environmentLines(run)
      .map(([name, text]) => `- ${name}: ${text}`)
      .join('\n'),
    explanation,
    ...targetCounts(run),
    ...section('Measured', measuredTable(run)),
    ...section('Further figures', figuresTable(run)),
    ...section('Not measured', skippedTable(run)),
  ]
    .join('\n\n')
    .concat('\n');
}

const explanation =
  'Medians with the range of all counted pairs. A ratio above 1 means the subject is ahead, whichever way the unit ' +
  'points. A pair during which the machine changed its state is dropped.';

export function targetCounts(run: Run): string[] {
  return machineStates.flatMap((state) => {
    const judged = rowsOf(run).filter((row) => row.state === state && row.verdict !== undefined);
    if (judged.length === 0) return [];
    const met = judged.filter((row) => row.verdict === 'met').length;
    return [`In the ${state} state ${met} of ${judged.length} targets are met.`];
  });
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cellText).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

// A reason may be many lines from a program; a table cell is one.
function cellText(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
    .replaceAll(/\s*\n\s*/g, ' ');
}

function section(title: string, body: string): string[] {
  return body === '' ? [] : [`## ${title}`, body];
}

function measuredTable(run: Run): string {
  const rows = run.measurements.flatMap((measurement) => rowsOfMeasurement(measurement).map(measuredRow));
  const unsettled = unsettledOf(run).map((measurement) => [
    ...[measurement.name, measurement.subject, measurement.rival ?? '–', measurement.unit, 'neither'],
    ...['–', '–', '–', targetText(measurement), '', `all ${measurement.dropped}`],
  ]);
  if (rows.length + unsettled.length === 0) return '';
  const head =
    'measurement, subject, rival, unit, machine, subject’s figure, rival’s figure, ratio, target, met, pairs dropped';
  return table(head.split(', '), [...rows, ...unsettled]);
}

function measuredRow({ measurement, state, summary, verdict }: Row): string[] {
  const { name, subject, rival, unit, dropped } = measurement;
  const against = rival === undefined ? ['–', '–'] : [spreadText(summary.rival), ratioText(summary.ratio)];
  const met = verdict === undefined ? '' : verdict === 'met' ? 'yes' : '**no**';
  return [
    ...[name, subject, rival ?? '–', unit, state, spreadText(summary.subject), ...against],
    ...[targetText(measurement), met, `${dropped} of ${dropped + allPairs(measurement)}`],
  ];
}

/** Counted ones, of both machine states. */
export function allPairs(measurement: Measurement): number {
  return rowsOfMeasurement(measurement).reduce((sum, row) => sum + row.summary.pairs, 0);
}

function figuresTable(run: Run): string {
  const rows = run.measurements.flatMap(({ name, figures, skipped }) =>
    skipped === undefined ? Object.entries(figures).map(([figure, value]) => [name, figure, numberText(value)]) : [],
  );
  return rows.length === 0 ? '' : table(['measurement', 'figure', 'value'], rows);
}

function skippedTable(run: Run): string {
  const rows = skippedOf(run).map(({ name, subject, rival, skipped }) => [name, subject, rival ?? '–', skipped ?? '']);
  return rows.length === 0 ? '' : table(['measurement', 'subject', 'rival', 'reason'], rows);
}
