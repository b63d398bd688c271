// SPDX-License-Identifier: Apache-2.0
// Checks whether the kernel has a module, loaded or not, without loading it.

import { readFile, stat } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';

/** unknown: the module is not loaded, and the list of this kernel's modules cannot be read, as in most containers. */
export type Presence = 'yes' | 'no' | 'unknown';

/** A module that is not loaded is good enough: the kernel loads it when the first device of its kind is made
 *  (rtnl_newlink_create() in net/core/rtnetlink.c). */
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
