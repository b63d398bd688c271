// SPDX-License-Identifier: Apache-2.0
// Compares the error codes in the sources with the catalogue from which docs/errors.md is generated.

import { readFileSync } from 'node:fs';
import { errorGroups } from '../../src/model/error-catalogue.ts';
import { sourceFiles } from './source-files.ts';

/** Quoted words in capitals are error codes, except names of the kernel, of environment variables and of the yaml package. */
export function uncataloguedErrors(): string[] {
  const known = errorGroups.flatMap((group) => Object.keys(group.errors));
  const ignored = /^(CAP|CROSSWIRE|SQLITE|NSM|SPIFFE|PROMETHEUS)_|^(DUPLICATE_KEY|TAG_RESOLVE_FAILED)$/;
  const files = sourceFiles(['src', 'native', 'bin']).filter(
    (file) => /\.(ts|cpp|hpp)$|^bin\//.test(file) && !file.endsWith('/error-catalogue.ts'),
  );
  const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');
  const used = new Set(
    [...text.matchAll(/(?:['"]|"?error )([A-Z]+(?:_[A-Z]+)+)['":]/g)].map(([, name]) => name as string),
  );
  const missing = [...used].filter((name) => !known.includes(name) && !ignored.test(name));
  const unused = known.filter((name) => name.includes('_') && !used.has(name));
  return [
    ...missing.map((name) => `${name} is not in src/model/error-catalogue.ts`),
    ...unused.map((name) => `nothing uses ${name} any more`),
  ];
}
