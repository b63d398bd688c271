// SPDX-License-Identifier: Apache-2.0
// One file per wire, always whole: written beside, synced, renamed, the directory synced (rename(2), fsync(2)). Writers
// that finish together share the synchronisation of the directory.

import { readFileSync } from 'node:fs'; // a fifth of the time of its asynchronous sister for small files
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CrosswireError } from '../../model/error.ts';
import { type JournalRecord, parseRecord } from './record.ts';
import { Turns } from './turns.ts';

export interface CorruptFile {
  /** Where it was set aside. */
  readonly file: string;
  readonly reason: string;
}

export interface JournalContents {
  readonly records: readonly JournalRecord[];
  readonly corrupt: readonly CorruptFile[];
}

export interface Journal {
  load(): Promise<JournalContents>;
  /** Rejects with JOURNAL_WRITE_FAILED; then the last record stands. */
  write(record: JournalRecord): Promise<void>;
  erase(wire: string): Promise<void>;
}

const suffix = '.json';
const unfinished = `${suffix}.new`;

export class JournalDirectory implements Journal {
  readonly #directory: string;
  #runningSync: Promise<void> = Promise.resolve();
  #nextSync: Promise<void> | undefined;

  constructor(stateDirectory: string) {
    this.#directory = join(stateDirectory, 'wires');
  }

  async load(): Promise<JournalContents> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const records: JournalRecord[] = [];
    const corrupt: CorruptFile[] = [];
    const turns = new Turns();
    for (const name of (await readdir(this.#directory)).sort()) {
      await turns.pass();
      const file = join(this.#directory, name);
      if (name.endsWith(unfinished)) await rm(file, { force: true });
      if (!name.endsWith(suffix)) continue;
      try {
        records.push(parseRecord(readFileSync(file, 'utf8'), name.slice(0, -suffix.length)));
      } catch (error) {
        corrupt.push({ file: await this.#setAside(file), reason: (error as Error).message });
      }
    }
    return { records, corrupt };
  }

  async write(record: JournalRecord): Promise<void> {
    const path = this.#path(record.wire.name);
    const beside = path + '.new';
    try {
      const file = await open(beside, 'w', 0o600); // a secret of memif or a private key may be in it
      try {
        await file.writeFile(`${JSON.stringify(record)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(beside, path);
      await this.#syncDirectory();
    } catch (error) {
      await rm(beside, { force: true }).catch(() => {});
      throw failure('write the journal', path, error);
    }
  }

  async erase(wire: string): Promise<void> {
    const path = this.#path(wire);
    try {
      await rm(path, { force: true });
      await this.#syncDirectory();
    } catch (error) {
      throw failure('erase the journal', path, error);
    }
  }

  #path(wire: string): string {
    return join(this.#directory, wire + suffix);
  }

  /** One synchronisation serves all who ask before it begins; who asks while it runs waits for the next. */
  #syncDirectory(): Promise<void> {
    if (this.#nextSync) return this.#nextSync;
    const next = this.#runningSync
      .catch(() => {}) // told to those who asked for it
      .then(() => {
        this.#nextSync = undefined;
        return this.#syncNow();
      });
    this.#runningSync = next;
    this.#nextSync = next;
    return next;
  }

  async #syncNow(): Promise<void> {
    const directory = await open(this.#directory, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  async #setAside(file: string): Promise<string> {
    const aside = `${file.slice(0, -suffix.length)}.corrupt-${new Date().toISOString().replaceAll(':', '')}`;
    await rename(file, aside);
    return aside;
  }
}

function failure(operation: string, subject: string, cause: unknown): CrosswireError {
  const { code = '', message, errno = 0 } = cause as NodeJS.ErrnoException;
  return new CrosswireError({
    code: 'JOURNAL_WRITE_FAILED',
    operation,
    subject,
    reason: message,
    hint: ['ENOSPC', 'EDQUOT'].includes(code) ? 'make room on the file system of the state directory' : undefined,
    errno: Math.abs(errno),
    cause,
  });
}
