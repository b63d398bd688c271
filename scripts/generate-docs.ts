// SPDX-License-Identifier: Apache-2.0
// Writes docs/metrics.md, docs/options.md, docs/errors.md and the tables of docs/wire-files.md from the tables in the code.
//   node scripts/generate-docs.ts [--check]      --check: fail if they differ, or if an error code is not catalogued

import { readFileSync, writeFileSync } from 'node:fs';
import { errorGroups } from '../src/model/error-catalogue.ts';
import * as catalogue from '../src/metrics/catalogue.ts';
import { dropReasons } from '../src/model/drop-reason.ts';
import { uncataloguedErrors } from './checks/error-codes.ts';
import { code, generated, table } from './lib/markdown.ts';
import { options } from './lib/options-document.ts';
import { undocumentedMechanisms, withKeyTables } from './lib/wire-keys-document.ts';

function metrics(): string {
  const section = (title: string, rows: readonly catalogue.MetricRow[]) =>
    `\n## ${title}\n\n${table(
      ['metric', 'type', 'unit', 'labels', 'meaning'],
      rows.map(({ name, type, unit, labels, help }) => [code(name), type, unit, labels.map(code).join(' '), help]),
    )}`;
  return (
    `${generated('src/metrics/catalogue.ts')}# Metrics\n\n` +
    'The daemon serves metrics at `/metrics` in the text format of Prometheus. For every mechanism, `rx` are frames that\n' +
    'entered the wire from that end, and `tx` are frames that left the wire to that end. Counters are read for each scrape.\n' +
    'They start when the wire is made and disappear with it. For the frames that enter at an end:\n' +
    '`rx_packets(end) = tx_packets(other end) + Σ drops(end)`. If a NIC carries the wire (path `nic`), each virtual function\n' +
    'counts its own end; what the NIC drops between them only the NIC knows.\n' +
    section('Wires', Object.values(catalogue.wireMetrics)) +
    section('Making wires', Object.values(catalogue.setupMetrics)) +
    section('Workers', Object.values(catalogue.workerMetrics)) +
    section('The forwarder', Object.values(catalogue.forwarderMetrics)) +
    section('Virtual functions, if a NIC has any', Object.values(catalogue.deviceMetrics)) +
    section('CPU quota, if cpu.stat can be read', Object.values(catalogue.throttlingMetrics)) +
    section('In a mesh', Object.values(catalogue.meshMetrics)) +
    section('With `--metrics-compat nsm`', catalogue.nsmMetrics) +
    section('With `--metrics-compat nsm2019`', catalogue.nsm2019Metrics) +
    `\nThe \`process_*\` and \`nodejs_*\` metrics of prom-client are served too.\n\n## Drop reasons\n\n` +
    table(
      ['reason', 'meaning'],
      Object.entries(dropReasons).map(([reason, meaning]) => [code(reason), meaning]),
    )
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
  const intro = 'Every error has the form `error CODE: operation (subject): reason; hint`. The codes are stable.\n';
  return `${generated('src/model/error-catalogue.ts')}# Errors\n\n${intro}${sections.join('')}`;
}

const check = process.argv.includes('--check');
const wireFiles = readFileSync('docs/wire-files.md', 'utf8');
const problems = [
  ...(check ? uncataloguedErrors() : []),
  ...undocumentedMechanisms(wireFiles).map((type) => `docs/wire-files.md has no table of the keys of ${type}`),
];
for (const [file, text] of Object.entries({
  'docs/metrics.md': metrics(),
  'docs/options.md': options(),
  'docs/errors.md': errors(),
  'docs/wire-files.md': withKeyTables(wireFiles),
})) {
  if (!check) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text)
    problems.push(`${file} is not up to date: run node scripts/generate-docs.ts`);
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
