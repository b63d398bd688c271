// SPDX-License-Identifier: Apache-2.0
// Everything a run leaves behind, in one directory; sealed last.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '../harness/result.ts';
import { sealBundle } from './bundle.ts';
import { htmlReport } from './html.ts';
import { loadSigningKey, machineSigningKey } from './keys.ts';
import { markdownReport } from './markdown.ts';
import { smpJson, smpYaml } from './smp-text.ts';
import { smpDocuments } from './smp.ts';

export interface ReportOptions {
  /** PEM file of an ed25519 private key; without it, this machine's own key signs. */
  readonly signKey?: string;
}

export async function writeReport(run: Run, directory: string, options: ReportOptions = {}): Promise<void> {
  // First: a key that cannot be read is found before anything is written.
  const key = options.signKey === undefined ? await machineSigningKey() : await loadSigningKey(options.signKey);
  const files: Record<string, string> = {
    'raw.json': `${JSON.stringify(run, null, 2)}\n`,
    'report.md': markdownReport(run),
    'report.html': await htmlReport(run),
  };
  for (const [kind, messages] of Object.entries(smpDocuments(run))) {
    files[`smp-${kind}.yaml`] = smpYaml(messages);
    files[`smp-${kind}.json`] = smpJson(messages);
  }
  await mkdir(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  await sealBundle(directory, key);
}
