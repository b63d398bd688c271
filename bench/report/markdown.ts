// SPDX-License-Identifier: Apache-2.0
// Makes report.md: all figures of a run in tables.

import type { Run } from '../harness/result.ts';
import { figuresTable, measuredTable, namesTable, skippedTable, type Table } from './tables.ts';
import { environmentLines } from './text.ts';
import { explanation, targetCounts } from './words.ts';

export function markdownReport(run: Run): string {
  const facts = environmentLines(run).map(([name, text]) => `- ${name}: ${text}`);
  const parts = [
    '# Crosswire bench',
    facts.join('\n'),
    explanation,
    ...targetCounts(run),
    ...section('Measured', measuredTable(run)),
    ...section('Further figures', figuresTable(run)),
    ...section('Names', namesTable(run)),
    ...section('Not measured', skippedTable(run)),
  ];
  return `${parts.join('\n\n')}\n`;
}

export function markdownTable({ head, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cellText).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

// A reason may be several lines of a program's output; a cell is one line, and markup in it is escaped.
function cellText(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll(/[|*_`]/g, '\\$&')
    .replaceAll('<', '&lt;')
    .replaceAll(/\s*\n\s*/g, ' ');
}

function section(title: string, table: Table): string[] {
  return table.rows.length === 0 ? [] : [`## ${title}`, markdownTable(table)];
}
