// SPDX-License-Identifier: Apache-2.0
// Makes report.html: the run as one self-contained page, without scripts, other files or network access.

import { readFileSync } from 'node:fs';
import type { Run } from '../harness/result.ts';
import { lineChart, ratioChart } from './charts.ts';
import { type Axis, type Panel, panelsOver } from './panels.ts';
import { ratioBars } from './ratio-bars.ts';
import { environmentLines } from './text.ts';
import { figuresTable, measuredTable, namesTable, skippedTable, type Table } from './tables.ts';
import { explanation, targetCounts } from './words.ts';

const style = readFileSync(new URL('page.css', import.meta.url), 'utf8');

export async function htmlReport(run: Run): Promise<string> {
  const facts = environmentLines(run).map(([name, text]) => `<dt>${escaped(name)}</dt><dd>${escaped(text)}</dd>`);
  const sections = [
    await ratioSection(run),
    await lineSection(run, 'frame bytes', 'Throughput by frame size'),
    await lineSection(run, 'percentile', 'Latency percentiles'),
    await lineSection(run, 'wires', 'Cost against number of wires'),
    tableSection('Measured', measuredTable(run)),
    tableSection('Further figures', figuresTable(run)),
    tableSection('Names', namesTable(run)),
    tableSection('Not measured', skippedTable(run)),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Crosswire bench, ${escaped(run.startedAt)}</title>
<style>
${style}</style>
</head>
<body>
<h1>Crosswire bench</h1>
${targetCounts(run)
  .map((text) => `<p>${escaped(text)}</p>`)
  .join('\n')}
<dl>
${facts.join('\n')}
</dl>
<p>${escaped(explanation)}</p>
${sections.filter((section) => section !== '').join('\n')}
</body>
</html>
`;
}

async function ratioSection(run: Run): Promise<string> {
  const figures = ratioBars(run).map(async ({ state, bars }) => {
    return figure(`Subject to rival, ${state} machine`, await ratioChart(state, bars), barCaption);
  });
  return chartSection('Ratios', await Promise.all(figures));
}

async function lineSection(run: Run, axis: Axis, title: string): Promise<string> {
  const draw = async (panel: Panel) =>
    figure(panel.title, await lineChart(panel), [...panel.ratios.map(escaped), ...captionOf(panel)]);
  return chartSection(title, await Promise.all(panelsOver(run, axis).map(draw)));
}

function captionOf({ points }: Panel): string[] {
  const ranges = points.some(({ least, most }) => least !== undefined && least !== most);
  return ranges ? ['Points are medians, upright lines their range.'] : [];
}

function chartSection(title: string, figures: readonly string[]): string {
  if (figures.length === 0) return '';
  return `<h2>${escaped(title)}</h2>\n<div class="charts">\n${figures.join('\n')}\n</div>`;
}

const barCaption = [
  'The bar is the median ratio, the thin line its range, the upright mark the target.',
  '<span class="met">■ target met</span> <span class="missed">■ target missed</span> ■ no target',
];

/** `caption` is HTML. */
function figure(title: string, svg: string, caption: readonly string[]): string {
  const sentences = caption.map((text) => `<p>${text}</p>`).join('');
  return `<figure>\n<h3>${escaped(title)}</h3>\n${svg}\n<figcaption>${sentences}</figcaption>\n</figure>`;
}

function tableSection(title: string, { head, rows }: Table): string {
  if (rows.length === 0) return '';
  const verdicts: Record<string, string> = { yes: ' class="met"', no: ' class="missed"' };
  const cell = (text: string, column: number) => {
    const label = head[column] as string;
    return `<td data-label="${escaped(label)}"${label === 'met' ? (verdicts[text] ?? '') : ''}>${escaped(text)}</td>`;
  };
  const body = rows.map((cells) => `<tr>${cells.map(cell).join('')}</tr>`).join('\n');
  const names = head.map((name) => `<th>${escaped(name)}</th>`).join('');
  return `<h2>${escaped(title)}</h2>\n<table>\n<thead><tr>${names}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table>`;
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
