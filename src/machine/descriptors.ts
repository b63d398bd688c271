// SPDX-License-Identifier: Apache-2.0
// The file descriptors of this process. Node raises the soft limit to the hard one when it starts (node.cc,
// PlatformInit), so the soft limit is all there is to have.

import { readdirSync, readFileSync, statSync } from 'node:fs';

const directory = '/proc/self/fd';

/** Since Linux 6.2 the size of the directory tells; before, it has to be read. */
export function openDescriptors(): number {
  return statSync(directory).size || readdirSync(directory).length;
}

export function descriptorLimit(): number {
  const soft = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return soft === undefined || soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
