// SPDX-License-Identifier: Apache-2.0
// Counts the open file descriptors of this process and reads their limit. Node raises the soft limit to the hard limit at
// start (PlatformInit in node.cc), so the soft limit cannot be raised further.

import { readdirSync, readFileSync, statSync } from 'node:fs';

const directory = '/proc/self/fd';

/** Since Linux 6.2 the size of the directory is the count; older kernels report 0, and the entries are counted. */
export function openDescriptors(): number {
  return statSync(directory).size || readdirSync(directory).length;
}

export function descriptorLimit(): number {
  const soft = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return soft === undefined || soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
