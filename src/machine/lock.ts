// SPDX-License-Identifier: Apache-2.0
// Lets only one daemon use a state directory. The kernel must release the lock when the daemon is killed, and the lock must
// work between network and mount namespaces that share the directory, so it has to be a file lock. Node has no API for
// file locks, but SQLite, which is part of Node, uses fcntl(2) locks: an open exclusive transaction on an empty database
// is such a lock. (An abstract socket works within one network namespace only; a pid file remains after kill -9.)

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CrosswireError } from '../model/error.ts';

/** The primary result codes SQLITE_BUSY and SQLITE_LOCKED: sqlite.org/rescode.html. */
const heldCodes = [5, 6];

export class StateDirectoryLock {
  readonly #directory: string;
  #database: DatabaseSync | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  acquire(): void {
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(join(this.#directory, 'lock'));
      database.exec('BEGIN EXCLUSIVE');
      writeFileSync(this.#holderFile, `${process.pid}\n`);
    } catch (error) {
      database?.close();
      throw this.#explained(error);
    }
    this.#database = database;
  }

  /** Idempotent. */
  release(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  get #holderFile(): string {
    return join(this.#directory, 'daemon.pid');
  }

  #explained(cause: unknown): CrosswireError {
    const code = (cause as { errcode?: number }).errcode;
    const held = code !== undefined && heldCodes.includes(code & 0xff);
    return new CrosswireError({
      code: held ? 'STATE_DIR_LOCKED' : 'STATE_DIR_FAILED',
      operation: 'lock the state directory',
      subject: this.#directory,
      reason: held ? `another daemon uses it: ${this.#holder()}` : (cause as Error).message,
      hint: held ? 'give this one a directory of its own with --state-dir' : undefined,
      cause,
    });
  }

  #holder(): string {
    try {
      return `pid ${readFileSync(this.#holderFile, 'utf8').trim()}`;
    } catch {
      return 'its pid is unknown';
    }
  }
}
