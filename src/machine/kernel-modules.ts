// SPDX-License-Identifier: Apache-2.0
// Whether the kernel has a kind of device that comes as a module, without loading it.

import { readFile, stat } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';

/** unknown: this kernel's modules cannot be seen from here, as in most containers, and it is not loaded yet. */
export type Presence = 'yes' | 'no' | 'unknown';

/** The kernel loads what it can by itself when the first device is made (rtnl_newlink_create() in net/core/rtnetlink.c). */
export async function kernelHas(module: string, root = '/', kernel = release()): Promise<Presence> {
  if (await exists(join(root, 'sys/module', module))) return 'yes';
  const folder = join(root, 'lib/modules', kernel);
  const lists = ['modules.builtin', 'modules.dep'].map((name) => readFile(join(folder, name), 'utf8').catch(() => ''));
  const text = (await Promise.all(lists)).join('\n');
  if (text.trim() === '') return 'unknown';
  return new RegExp(`(^|/)${module}\\.ko`, 'm').test(text) ? 'yes' : 'no';
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
