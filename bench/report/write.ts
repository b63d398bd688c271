// SPDX-License-Identifier: Apache-2.0
// Writes all files of a run to one directory and signs them last.

import type { KeyObject } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '../harness/result.ts';
import { sealBundle } from './bundle.ts';
import { htmlReport } from './html.ts';
import { markdownReport } from './markdown.ts';
import { smpJson, smpYaml } from './smp-text.ts';
import { smpDocuments } from './smp.ts';

export async function writeReport(run: Run, directory: string, key: KeyObject): Promise<void> {
  const files: Record<string, string> = {
    'raw.json': rawJson(run),
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

/** Indented JSON, with pairs of numbers on one line: a histogram has hundreds of them. */
function rawJson(run: Run): string {
  const text = JSON.stringify(run, null, 1);
  return `${text.replaceAll(/\[\s+(-?[\d.e+-]+),\s+(-?[\d.e+-]+)\s+\]/g, '[$1, $2]')}\n`;
}
