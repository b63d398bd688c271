// SPDX-License-Identifier: Apache-2.0
// Finds the tests that a person names by a part of their file's path or of a native case's title.

import { existsSync, globSync, readFileSync } from 'node:fs';
import type { Stage } from './stage.ts';
import { stages } from './stages.ts';
import { UsageError } from './usage-error.ts';

const needTools = /^test\/(memif|system|sriov)\//;

export function matching(patterns: readonly string[]): Stage[] {
  const scripts = filesLike('test/**/*.test.ts', patterns);
  const native = filesLike('test/native/**/*_test.cpp', patterns);
  const files = [...scripts, ...native];
  const titles = patterns.filter((pattern) => !files.some((path) => path.includes(pattern)));
  for (const title of titles)
    if (casesLike(title) === 0)
      throw new UsageError(`'${title}' is part of no test file's path and of no native case's title`);
  const wanted: Stage[] = [];
  if (scripts.some((path) => needTools.test(path)) && !existsSync('build/native-tools/frame_tool'))
    wanted.push(known('tools'));
  if (scripts.length > 0) wanted.push({ ...known('unit'), title: scripts.join(', '), command: ['ava', ...scripts] });
  if (native.length + titles.length > 0) wanted.push(known('build-plain'));
  const program = known('plain');
  const cases = (option: string) => ({ ...program, name: option, command: [...program.command, option] });
  if (native.length > 0) wanted.push(cases(`--source-file=${native.map((path) => `*/${path}`).join(',')}`));
  for (const title of titles) wanted.push(cases(`--test-case=*${title.replaceAll(',', '\\,')}*`));
  return wanted;
}

function filesLike(glob: string, patterns: readonly string[]): string[] {
  return globSync(glob).filter((path) => patterns.some((pattern) => path.includes(pattern)));
}

function casesLike(title: string): number {
  const sources = globSync('test/native/**/*_test.cpp').map((path) => readFileSync(path, 'utf8'));
  const titles = [...sources.join('').matchAll(/TEST_CASE\("(.*?)"/g)].map((match) => match[1] ?? '');
  return titles.filter((one) => one.includes(title)).length;
}

function known(name: string): Stage {
  const stage = stages.find((one) => one.name === name);
  if (!stage) throw new Error(`no stage ${name}`);
  return stage;
}
