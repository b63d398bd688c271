// SPDX-License-Identifier: Apache-2.0
// Writes files atomically and durably: a crash or power cut leaves the old file or the new one. The text is written to a
// temporary file and synced, the file is renamed, and the directory is synced (rename(2), fsync(2)).

import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export const unfinished = '.new';

/** Only the owner can read the file (mode 0600). */
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
