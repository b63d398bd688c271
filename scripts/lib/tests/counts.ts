// SPDX-License-Identifier: Apache-2.0
// Reads how many tests passed and failed from the output of ava and doctest, which several runs may have written.

import { stripVTControlCharacters } from 'node:util';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** One line for each native test that the machine lacks something for. */
  readonly skips: readonly string[];
}

// ava prints no number of passed tests when one failed: its ticks are counted then.
const avaPassed = /^ *(\d+) tests? passed/;
const avaFailed =
  /^ *(\d+) (?:tests? failed|hooks? failed|uncaught exceptions?|unhandled rejections?|tests? remained pending)/;
const avaTick = /^ *✔ /;
const doctest = /^\[doctest\] test cases: *\d+ \| *(\d+) passed \| *(\d+) failed/;
const doctestSkip = /^(\S+): MESSAGE: skipped: (.*)/;

export function countTests(output: string): Counts {
  let [passed, failed, ticks, told] = [0, 0, 0, false];
  const skips: string[] = [];
  for (const line of stripVTControlCharacters(output).split(/\r?\n/)) {
    if (avaTick.test(line)) ticks += 1;
    const [, right] = avaPassed.exec(line) ?? [];
    if (right) [passed, told] = [passed + Number(right), true];
    const [, wrong] = avaFailed.exec(line) ?? [];
    if (wrong) failed += Number(wrong);
    const [, good, bad] = doctest.exec(line) ?? [];
    if (good && bad) [passed, failed] = [passed + Number(good), failed + Number(bad)];
    const [, where, why] = doctestSkip.exec(line) ?? [];
    if (where) skips.push(`SKIP ${where}: ${why}`);
  }
  const all = told ? passed : passed + ticks;
  return { passed: all - Math.min(all, skips.length), failed, skips };
}
