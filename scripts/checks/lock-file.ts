// SPDX-License-Identifier: Apache-2.0
// `npm ci` refuses a lock file that lacks an optional package, even one of another platform. npm writes such a lock file when
// it finds node_modules already there (npm/cli#4828). The name of a registry belongs to the machine, not to the repository.

import { readFileSync } from 'node:fs';

interface LockedPackage {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Readonly<Record<string, LockedPackage>>;
};
const problems: string[] = [];

for (const [path, locked] of Object.entries(packages)) {
  for (const name of Object.keys(locked.optionalDependencies ?? {}))
    if (!packages[`${path}/node_modules/${name}`] && !packages[`node_modules/${name}`])
      problems.push(`${path} has the optional package ${name}, which is missing`);
  if (locked.resolved?.includes('://')) problems.push(`${path} names a registry`);
  if (path.startsWith('node_modules/') && !locked.link && !locked.integrity) problems.push(`${path} has no integrity`);
}

for (const problem of problems) console.error(`package-lock.json: ${problem}`);
if (problems.length > 0)
  console.error('package-lock.json: to mend it, remove node_modules and the entries named above, then run npm install');
process.exitCode = problems.length === 0 ? 0 : 1;
