// SPDX-License-Identifier: Apache-2.0
// Compares two runs side by side, as Markdown.

import type { Environment, MachineState, Run, Spread } from '../harness/result.ts';
import { markdownTable } from './markdown.ts';
import { type Row, rowsOf } from './rows.ts';
import { ratioText, spreadText } from './text.ts';

export interface Change {
  readonly name: string;
  readonly state: MachineState;
  readonly a: Row;
  readonly b: Row;
  /** b / a, inverted if less is better: above 1 b is better. If there is a rival, the ratios to the rival are compared,
   *  because the rival was measured on the same machine and day. */
  readonly factor: number;
}

/** The measurements that both runs have, in the order of the first. */
export function changesBetween(a: Run, b: Run): Change[] {
  const later = new Map(rowsOf(b).map((row) => [keyOf(row), row]));
  return rowsOf(a).flatMap((row) => {
    const match = later.get(keyOf(row));
    if (match === undefined) return [];
    return [{ name: row.measurement.name, state: row.state, a: row, b: match, factor: factorOf(row, match) }];
  });
}

const keyOf = ({ measurement, state }: Row) => `${state} ${measurement.name}`;

function factorOf(a: Row, b: Row): number {
  const [before, after] = [comparedSpread(a).median, comparedSpread(b).median];
  return a.measurement.rival === undefined && a.measurement.better === 'less' ? before / after : after / before;
}

function comparedSpread({ measurement, summary }: Row): Spread {
  return measurement.rival === undefined ? summary.subject : summary.ratio;
}

export function compareRuns(a: Run, b: Run): string {
  const changes = changesBetween(a, b);
  const head = ['measurement', 'unit', 'machine', 'A', 'B', 'ratio to rival A', 'ratio to rival B', 'B : A', ''];
  const differences = environmentDifferences(a.environment, b.environment);
  const parts = [
    '# Two runs',
    `- A: ${a.startedAt}, ${a.environment.commit}\n- B: ${b.startedAt}, ${b.environment.commit}`,
    ...(differences.length === 0
      ? []
      : [`They ran on different ground, so only ratios compare:\n\n${differences.join('\n')}`]),
    changes.length === 0
      ? 'They have no measurement in common.'
      : `B : A above 1 means that B is better. It compares the ratios to the rival, or the figures where there is none.\n\n` +
        markdownTable({ head, rows: changes.map(changeRow) }),
    ...onlyIn('A', a, b),
    ...onlyIn('B', b, a),
  ];
  return `${parts.join('\n\n')}\n`;
}

function changeRow({ name, state, a, b, factor }: Change): string[] {
  const ratio = ({ measurement, summary }: Row) => (measurement.rival === undefined ? '–' : ratioText(summary.ratio));
  const figures = [spreadText(a.summary.subject), spreadText(b.summary.subject), ratio(a), ratio(b)];
  return [name, a.measurement.unit, state, ...figures, `${factor.toFixed(2)}×`, verdict(a, b, factor)];
}

/** If the ranges overlap, the difference is not significant. */
function verdict(a: Row, b: Row, factor: number): string {
  const [before, after] = [comparedSpread(a), comparedSpread(b)];
  if (before.least <= after.most && after.least <= before.most) return 'within the range';
  return factor > 1 ? 'better' : 'worse';
}

function environmentDifferences(a: Environment, b: Environment): string[] {
  const facts = (of: Environment): Record<string, string> => ({
    cpu: of.cpu,
    cpus: String(of.cpus),
    kernel: of.kernel,
    node: of.node,
    ...of.versions,
  });
  const [before, after] = [facts(a), facts(b)];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .filter((name) => name !== 'crosswire' && before[name] !== after[name])
    .map((name) => `- ${name}: ${before[name] ?? 'none'} in A, ${after[name] ?? 'none'} in B`);
}

function onlyIn(letter: string, run: Run, other: Run): string[] {
  const others = new Set(rowsOf(other).map(keyOf));
  const names = rowsOf(run)
    .filter((row) => !others.has(keyOf(row)))
    .map(({ measurement, state }) => `${measurement.name} (${state})`);
  return names.length === 0 ? [] : [`Only in ${letter}: ${names.join(', ')}.`];
}
