// SPDX-License-Identifier: Apache-2.0
// Files that are whole or not there, whenever the machine stops: written beside, synced, renamed, the directory synced
// (rename(2), fsync(2)).

import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export const unfinished = '.new';

/** Readable by nobody else. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const beside = path + unfinished;
  try {
    await using file = await open(beside, 'w', 0o600);
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    throw error;
  }
  await rename(beside, path);
  await syncDirectory(dirname(path));
}

export async function eraseWhole(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncDirectory(dirname(path));
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}
