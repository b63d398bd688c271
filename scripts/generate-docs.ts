// SPDX-License-Identifier: Apache-2.0
// Writes docs/metrics.md, docs/options.md and docs/errors.md from the tables in the code.
//   node scripts/generate-docs.ts [--check]      --check: fail if they differ, or if an error code is not catalogued

import { readFileSync, writeFileSync } from 'node:fs';
import { errorGroups } from '../src/config/error-catalogue.ts';
import { nsmOptionRows, runOptionNames, withoutEffect } from '../src/config/nsm-options.ts';
import { runOptionRows } from '../src/config/run-options.ts';
import * as catalogue from '../src/metrics/catalogue.ts';
import { dropReasons } from '../src/model/drop-reason.ts';
import { uncataloguedErrors } from './checks/error-codes.ts';

type Row = readonly string[];

const cell = (text: string) => text.replaceAll('|', '\\|');
const table = (head: Row, rows: readonly Row[]) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |\n`).join('');
const generated = (from: string) =>
  `<!-- Made by scripts/generate-docs.ts from ${from}. Change that, then run it. -->\n`;
const code = (text: string) => `\`${text}\``;

function metrics(): string {
  const section = (title: string, rows: readonly catalogue.MetricRow[]) =>
    `\n## ${title}\n\n${table(
      ['metric', 'type', 'unit', 'labels', 'meaning'],
      rows.map(({ name, type, unit, labels, help }) => [code(name), type, unit, labels.map(code).join(' '), help]),
    )}`;
  return (
    `${generated('src/metrics/catalogue.ts')}# Metrics\n\n` +
    'Served at `/metrics` in the text format of Prometheus. `rx` are frames that entered a wire from that end, `tx` are\n' +
    'frames that left it to that end, whatever the mechanism. Counters are read when they are scraped, count from the\n' +
    'moment the wire was made, and go with it. Of the frames that enter at one end:\n' +
    '`rx_packets(end) = tx_packets(other end) + Σ drops(end)`.\n' +
    section('Wires', Object.values(catalogue.wireMetrics)) +
    section('Making wires', Object.values(catalogue.setupMetrics)) +
    section('Workers', Object.values(catalogue.workerMetrics)) +
    section('The forwarder', Object.values(catalogue.forwarderMetrics)) +
    section('CPU quota, where cpu.stat can be read', Object.values(catalogue.throttlingMetrics)) +
    section('With `--metrics-compat nsm2019`', catalogue.nsm2019Metrics) +
    `\nAnd the \`process_*\` and \`nodejs_*\` metrics of prom-client.\n\n## Drop reasons\n\n` +
    table(
      ['reason', 'meaning'],
      Object.entries(dropReasons).map(([reason, meaning]) => [code(reason), meaning]),
    )
  );
}

function options(): string {
  const rows = runOptionRows.map(({ flag, argument, environment, default: value, defaultInWords, meaning }) => [
    code(argument ? `${flag} ${argument}` : flag),
    code(environment),
    defaultInWords ?? code(value),
    meaning,
  ]);
  return (
    `${generated('src/config/run-options.ts')}# Options of \`crosswire run\`\n\n` +
    'The command line wins over the environment, which wins over the default. The other verbs take `--control`, or\n' +
    '`CROSSWIRE_CONTROL`, to find the daemon.\n\n' +
    table(['option', 'environment', 'default', 'meaning'], rows) +
    `\n## In a mesh: the environment of NSM's forwarders\n\n` +
    'Where `NSM_CONNECT_TO` is set, the daemon is a forwarder of Network Service Mesh besides.\n\n' +
    table(
      ['environment', 'default', 'meaning'],
      nsmOptionRows.map(({ environment, default: value, defaultInWords, meaning }) => [
        code(environment),
        defaultInWords ?? code(value),
        meaning,
      ]),
    ) +
    `\nOther names: ${runOptionNames.map((one) => `${code(one.environment)} is ${code(one.option)}`).join(', ')}.\n` +
    `Taken without effect: ${withoutEffect.map(code).join(', ')}.\n`
  );
}

function errors(): string {
  const sections = errorGroups.map(
    ({ title, errors: codes }) =>
      `\n## ${title}\n\n${table(
        ['code', 'meaning'],
        Object.entries(codes).map(([name, meaning]) => [code(name), meaning]),
      )}`,
  );
  const intro = 'Every error says `error CODE: operation (subject): reason; hint`. The codes do not change.\n';
  return `${generated('src/config/error-catalogue.ts')}# Errors\n\n${intro}${sections.join('')}`;
}

const check = process.argv.includes('--check');
const problems = check ? uncataloguedErrors() : [];
for (const [file, text] of Object.entries({
  'docs/metrics.md': metrics(),
  'docs/options.md': options(),
  'docs/errors.md': errors(),
})) {
  if (!check) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text)
    problems.push(`${file} is not up to date: run node scripts/generate-docs.ts`);
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
