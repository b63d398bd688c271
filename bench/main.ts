// SPDX-License-Identifier: Apache-2.0
// npm run bench [-- NAME…]: runs measurements, compares two runs, or verifies a signature. Exit codes: 0 success, 1 a
// measurement failed, 2 wrong usage, 3 slower than --fail-below, 4 not as it was signed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gate, gateHolds, gateLines } from './harness/gate.ts';
import { readArguments, type RunOptions, UsageError, usage, type VerifyOptions } from './harness/options.ts';
import { builtProgram } from './harness/programs.ts';
import { readRun } from './harness/read-run.ts';
import type { Run } from './harness/result.ts';
import { measures } from './measures/index.ts';
import { verifyBundle } from './report/bundle.ts';
import { compareRuns } from './report/compare.ts';
import { signingKey } from './report/keys.ts';
import { takeRun } from './run.ts';

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function runAll(options: RunOptions): Promise<void> {
  if (process.getuid?.() !== 0) throw new UsageError('needs root: it makes namespaces and pins processes');
  // Checks now what would otherwise fail at the end of the run.
  builtProgram('bench_generator');
  const earlier = options.compare === undefined ? undefined : readRun(options.compare);
  const key = await signingKey(options.signKey);
  const { run, failures } = await takeRun(measures, options, say);
  const directory = join(options.results, `${run.startedAt.replace(/[-:]|\.\d+/g, '')}-${run.environment.commit}`);
  const { writeReport } = await import('./report/write.ts'); // its charts take seconds to load
  await writeReport(run, directory, key);
  say(`bench: ${run.seconds.toFixed(0)} s; the results are in ${directory}`);
  if (failures > 0) process.exitCode = 1;
  if (earlier) compare(earlier, run, options.failBelow);
}

function compare(a: Run, b: Run, failBelow: number | undefined): void {
  say(compareRuns(a, b));
  if (failBelow === undefined) return;
  const outcome = gate(a, b, failBelow);
  for (const line of gateLines(outcome, failBelow)) say(`bench: ${line}`);
  if (!gateHolds(outcome)) process.exitCode = 3;
}

async function verify({ directory, trust }: VerifyOptions): Promise<void> {
  const { ok, signer, problems } = await verifyBundle(directory, trust && readFileSync(trust, 'utf8'));
  for (const problem of problems) say(`bench: ${problem}`);
  say(`bench: ${directory}: ${ok ? 'as it was signed' : 'refused'}; signer: ${signer}`);
  if (!ok) process.exitCode = 4;
}

async function main(): Promise<void> {
  const names = measures.map(({ name }) => name);
  const options = readArguments(process.argv.slice(2), names);
  switch (options.verb) {
    case 'list':
      return say(names.join('\n'));
    case 'compare':
      return compare(readRun(options.a), readRun(options.b), options.failBelow);
    case 'verify':
      return verify(options);
    case 'run':
      return runAll(options);
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(`${usage}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
