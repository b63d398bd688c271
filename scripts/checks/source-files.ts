// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** The paths in the given folders that git tracks or would track, relative to the top of the checkout. */
export function sourceFiles(folders: readonly string[]): string[] {
  const listing = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...folders], {
    encoding: 'utf8',
  });
  return listing.split('\n').filter((path) => path !== '' && existsSync(path));
}
