// SPDX-License-Identifier: Apache-2.0
// Reads a run from a results directory, or from the raw.json in it.

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from './result.ts';

export function readRun(path: string): Run {
  const file = statSync(path).isDirectory() ? join(path, 'raw.json') : path;
  const text = readFileSync(file, 'utf8');
  let run: Partial<Run>;
  try {
    run = JSON.parse(text) as Partial<Run>;
  } catch (cause) {
    throw new Error(`${file}: not the JSON of a run`, { cause });
  }
  if (run.format !== 1 || !Array.isArray(run.measurements)) throw new Error(`${file}: not a run of this format`);
  return run as Run;
}
