// SPDX-License-Identifier: Apache-2.0
// Fails if a comment or a document uses a word that lost (word-list.ts).

import { readFileSync } from 'node:fs';
import { sourceFiles } from './source-files.ts';
import { wordProblems } from './word-list.ts';

const places = [
  '.ci',
  'bench',
  'bin',
  'deploy',
  'docs',
  'native',
  'scripts',
  'src',
  'test',
  'CONTRIBUTING.md',
  'README.md',
];
/** They name the words that lost, or are data. */
const exempt =
  /^docs\/decisions\/(001|024)-|^scripts\/checks\/word-list\.ts$|^test\/unit\/scripts\/words\.test\.ts$|\.(json|gz|html|pcap)$/;

const files = sourceFiles(places).filter((file) => !exempt.test(file));
const problems = files.flatMap((file) => wordProblems(file, readFileSync(file, 'utf8')));
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
