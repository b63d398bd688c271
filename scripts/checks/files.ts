// SPDX-License-Identifier: Apache-2.0
// Checks file sizes, licence lines and leftover notes, and compares the list of native sources with the tree.

import { readFileSync } from 'node:fs';
import { sourceFiles } from './source-files.ts';

const longest = 500; // lines of a hand-written file
const scriptLongest = 100; // lines of a file in scripts/
const leftBehind = /\b(TODO|FIXME|XXX)\b/;
const problems: string[] = [];

for (const file of sourceFiles(['native', 'src', 'bench', 'scripts', 'test', 'bin', '.ci'])) {
  if (/\.(md|json|yaml|txt)$/.test(file)) continue;
  const text = readFileSync(file, 'utf8');
  const lines = text.split('\n').length - 1;
  const limit = /^scripts\/[^/]+$/.test(file) ? scriptLongest : longest;
  if (lines > limit)
    problems.push(`${file}: ${lines} lines, more than ${limit}: which idea deserves a file of its own?`);
  if (/\.(cpp|hpp|ts)$/.test(file) && !text.includes('SPDX-License-Identifier: Apache-2.0'))
    problems.push(`${file}: no SPDX-License-Identifier line`);
  if (file !== 'scripts/checks/files.ts' && leftBehind.test(text))
    problems.push(`${file}: something is marked as left to do`);
}

const listed = readFileSync('native/sources.txt', 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const present = sourceFiles(['native']).filter((path) => path.endsWith('.cpp'));
for (const path of present) if (!listed.includes(path)) problems.push(`native/sources.txt: ${path} is missing`);
for (const path of listed) if (!present.includes(path)) problems.push(`native/sources.txt: ${path} does not exist`);
if (listed.join() !== listed.toSorted().join()) problems.push('native/sources.txt: not sorted');

// Both builds must read the list of sources from that file only.
const gyp = readFileSync('binding.gyp', 'utf8');
const cmake = readFileSync('native/CMakeLists.txt', 'utf8');
if (!/"sources": \["<!@\(grep -v '\^#' native\/sources\.txt\)"\]/.test(gyp))
  problems.push('binding.gyp: sources must be native/sources.txt');
if (!cmake.includes('file(STRINGS "${root}/sources.txt"'))
  problems.push('native/CMakeLists.txt: sources must be native/sources.txt');

for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
