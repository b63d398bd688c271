// SPDX-License-Identifier: Apache-2.0
// Checks that the CPUs that workers will be pinned to are online. A cpuset that excludes them is not checked here: the
// kernel refuses the pinning.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCpuList } from '../model/cpu-list.ts';
import { CrosswireError } from '../model/error.ts';

/** `root` is '/' except in tests. Throws CPU_UNAVAILABLE. */
export async function requireOnline(cpus: readonly number[], root = '/'): Promise<void> {
  const text = (await readFile(join(root, 'sys/devices/system/cpu/online'), 'utf8').catch(() => '')).trim();
  const online = parseCpuList(text);
  const missing = cpus.filter((cpu) => online?.includes(cpu) === false);
  if (missing.length === 0) return;
  throw new CrosswireError({
    code: 'CPU_UNAVAILABLE',
    operation: 'starting the workers',
    subject: missing.map((cpu) => `CPU ${cpu}`).join(', '),
    reason: 'there is no such CPU, or it is offline',
    hint: `online here: ${text}; change --worker-cpus`,
  });
}
