// SPDX-License-Identifier: Apache-2.0
// Which stages the arguments of scripts/test ask for.

import { globSync, readFileSync } from 'node:fs';
import { matchesGlob } from 'node:path';
import test from 'ava';
import { statusLine } from '../../../scripts/lib/tests/progress.ts';
import { matching } from '../../../scripts/lib/tests/patterns.ts';
import { select } from '../../../scripts/lib/tests/selection.ts';
import { stages } from '../../../scripts/lib/tests/stages.ts';
import { tiers } from '../../../scripts/lib/tests/stage.ts';

const names = (args: readonly string[]) => select(args).stages.map(({ name }) => name);

test('names are unique, and a stage comes after stages of the table in each of its tiers', (t) => {
  t.is(new Set(stages.map(({ name }) => name)).size, stages.length);
  for (const { name, after, tiers: its } of stages)
    for (const before of after) {
      const found = stages.find((one) => one.name === before);
      t.true(found && its.every((tier) => tier === 'quick' || found.tiers.includes(tier)), `${name} after ${before}`);
    }
});

test('each tier holds the parts of the one before it', (t) => {
  const parts = tiers.map((tier) => stages.filter((one) => one.tiers.includes(tier)).map(({ part }) => part));
  t.deepEqual([...new Set(parts[0])], ['check', 'unit', 'native']);
  for (const [index, before] of parts.slice(0, -1).entries())
    for (const part of before) t.true(parts[index + 1]?.includes(part), part);
});

test('parts, and what nobody knows', (t) => {
  t.deepEqual(names(['--only', 'system', 'unit']), ['tools', 'memif', 'system', 'unit-coverage']);
  t.deepEqual(names(['--only', 'mesh']), ['mesh-peers', 'mesh']);
  t.deepEqual(names(['--only', 'kubelet']), ['get-kubelet', 'kubelet']);
  t.throws(() => select(['--only', 'sytem']), { message: /unknown part 'sytem'; use build, .*kubelet/ });
  t.throws(() => select(['--fast']), { message: /unknown argument '--fast'/ });
  t.throws(() => select(['--all', 'unit']), { message: /unknown argument/ });
});

test('every test file is run by a tier, or names what runs it', (t) => {
  const elsewhere = /^test\/(sriov|kubelet)\//; // in the lab; by --only kubelet
  const globs = stages.flatMap(({ command }) => command.filter((word) => word.startsWith('test/')));
  const run = new Set(globs.flatMap((pattern) => globSync(pattern)));
  for (const path of globSync('test/**/*.test.ts')) t.true(run.has(path) || elsewhere.test(path), path);
});

test('a pattern names test files, native files or native cases', (t) => {
  const commands = (...patterns: string[]) => matching(patterns).map(({ command }) => command.join(' '));
  t.deepEqual(commands('scripts/selection'), ['ava test/unit/scripts/selection.test.ts']);
  const [build, run, ...rest] = commands('os/vlan');
  t.regex(build ?? '', /scripts\/native plain$/);
  t.is(run, 'build/native-plain/native_tests --source-file=*/test/native/os/vlan_test.cpp');
  t.deepEqual(rest, []);
  t.is(
    commands('without a tag, a part').at(-1),
    'build/native-plain/native_tests --test-case=*without a tag\\, a part*',
  );
  t.throws(() => commands('no such thing'), { message: /'no such thing' is part of no test file's path/ });
});

test('the scenarios that the mesh leaves out are those of the lab', (t) => {
  const mesh = stages.find(({ name }) => name === 'mesh')?.command ?? [];
  const inLab = /nsm_files="(.*)"/.exec(readFileSync('scripts/lib/lab/files', 'utf8'))?.[1]?.split(' ');
  t.deepEqual(
    mesh.filter((word) => word.startsWith('!')),
    inLab?.map((file) => `!${file}`),
  );
});

test('each scenario of the sample is there', (t) => {
  const values: Record<string, string> = { payload: 'IP', order: 'lower', family: 'IPv4' };
  const sources = globSync('test/nsm/*.test.ts').map((path) => readFileSync(path, 'utf8'));
  const strings = [...sources.join('\n').matchAll(/(['`])(.*?)\1/g)].map((match) => match[2] ?? '');
  const titles = strings.map((text) => text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => values[name] ?? 'any'));
  const sample = stages.find(({ name }) => name === 'mesh-sample')?.command ?? [];
  const patterns = sample.filter((word) => word.startsWith('--match=')).map((word) => word.replace('--match=', ''));
  t.true(patterns.length > 0);
  for (const pattern of patterns)
    t.true(
      titles.some((title) => matchesGlob(title.replaceAll('/', ' '), pattern) || `f: ${title}` === pattern),
      pattern,
    );
});

test('the line of what runs: each stage with its time and its last words, within the width', (t) => {
  const running = [
    { stage: { title: 'unit tests' }, begun: 1000, lastLine: '  \u001b[32m✔\u001b[39m a test' },
    { stage: { title: 'mesh' }, begun: 61_000, lastLine: '' },
  ] as never;
  t.is(statusLine(0, running, 181_000, 200), '3:01  unit tests 3:00 › ✔ a test | mesh 2:00');
  t.true(statusLine(0, running, 181_000, 30).length <= 30);
});
