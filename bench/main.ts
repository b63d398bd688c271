// SPDX-License-Identifier: Apache-2.0
// npm run bench [-- NAME…]: runs the measurements of this folder, or shows two runs side by side.

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { environment } from './harness/environment.ts';
import { regressions } from './harness/gate.ts';
import { Absent, type Bench, type Measure } from './harness/measure.ts';
import { readArguments, type RunOptions, UsageError, usage } from './harness/options.ts';
import type { Measurement, Run } from './harness/result.ts';
import { resultLine } from './harness/lines.ts';
import { builtProgram } from './harness/programs.ts';
import { measures } from './measures/index.ts';
import { compareRuns } from './report/compare.ts';
import { writeReport } from './report/write.ts';

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function measureAll(options: RunOptions): Promise<Run> {
  const { quick, names, vpp } = options;
  const startedAt = new Date();
  const ground = environment(); // now: the checkout may move on meanwhile
  const wanted = names.length === 0 ? measures : measures.filter(({ name }) => names.includes(name));
  const bench: Bench = {
    quick,
    pairs: quick ? 3 : 5,
    seconds: quick ? 0.5 : 1,
    forwarderCpu: 0,
    generatorCpu: 1,
    log: say,
    ...(vpp === undefined ? {} : { vpp }),
  };
  const measurements: Measurement[] = [];
  for (const measure of wanted) {
    say(`bench: ${measure.name}`);
    const found = await measured(measure, bench);
    for (const measurement of found) say(resultLine(measurement));
    measurements.push(...found);
  }
  return {
    format: 1,
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1000,
    quick,
    environment: ground,
    measurements,
  };
}

/** One that fails is said to have failed, and the others go on. */
async function measured(measure: Measure, bench: Bench): Promise<readonly Measurement[]> {
  try {
    return await measure.run(bench);
  } catch (error) {
    if (!(error instanceof Absent)) process.exitCode = 1;
    const reason = error instanceof Error ? error.message : String(error);
    const headline = {
      name: measure.name,
      title: measure.name,
      unit: '',
      better: 'more',
      subject: 'crosswire',
    } as const;
    return [{ ...headline, pairs: [], dropped: 0, figures: {}, summaries: {}, skipped: `failed: ${reason}` }];
  }
}

/** A results directory, or the raw.json in it. */
function readRun(path: string): Run {
  const file = statSync(path).isDirectory() ? join(path, 'raw.json') : path;
  return JSON.parse(readFileSync(file, 'utf8')) as Run;
}

async function main(): Promise<void> {
  const options = readArguments(
    process.argv.slice(2),
    measures.map(({ name }) => name),
  );
  if (options.verb === 'list') return say(measures.map(({ name }) => name).join('\n'));
  if (options.verb === 'compare') return say(compareRuns(readRun(options.a), readRun(options.b)));
  if (process.getuid?.() !== 0) throw new UsageError('needs root: it makes namespaces and pins processes');
  builtProgram('bench_generator'); // says what to do, before anything is measured
  const before = options.compare === undefined ? undefined : readRun(options.compare);
  const run = await measureAll(options);
  const directory = join(options.results, `${run.startedAt.replace(/[-:]|\.\d+/g, '')}-${run.environment.commit}`);
  await writeReport(run, directory);
  say(`bench: ${run.seconds.toFixed(0)} s; the results are in ${directory}`);
  if (before === undefined || options.failBelow === undefined) return;
  const worse = regressions(before, run, options.failBelow);
  for (const { name, state, before: then, now } of worse)
    say(`bench: ${name} (${state}): ${now.toFixed(3)} × its rival, was ${then.toFixed(3)}`);
  if (worse.length > 0) process.exitCode = 3;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(`${usage}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
