// SPDX-License-Identifier: Apache-2.0
// An identity from PEM files, read again when they change. Certificate, key and bundle are separate files, so between two
// renames they may not match: they are read again a little later, and reported if they still do not match.

import { readFile } from 'node:fs/promises';
import { CrosswireError } from '../../model/error.ts';
import type { Log } from '../../model/log.ts';
import type { Identity } from '../identity.ts';
import { KeepingSource } from './source.ts';
import { identityOf, type Material } from './svid.ts';
import { WatchedFiles } from './watched-files.ts';

export interface IdentityFiles {
  /** Leaf first, then intermediates. */
  readonly certificate: string;
  readonly key: string;
  /** The authorities of our own trust domain. */
  readonly bundle: string;
  /** Trust domain → path. */
  readonly federatedBundles?: ReadonlyMap<string, string>;
}

export interface FileSourceOptions {
  readonly files: IdentityFiles;
  readonly log: Log;
  readonly pollMilliseconds?: number;
  readonly settleMilliseconds?: number;
}

export class FileSource extends KeepingSource {
  readonly #files: IdentityFiles;
  readonly #pollMilliseconds: number;
  readonly #settleMilliseconds: number;
  #watched: WatchedFiles | undefined;
  #settle: NodeJS.Timeout | undefined;
  /** The files had enough time to match. */
  #overdue = false;
  /** The content that was last taken, or last reported as unusable. */
  #judged: string | undefined;
  #reading = false;
  #changedMeanwhile = false;
  #closed = false;

  constructor({ files, log, pollMilliseconds = 10_000, settleMilliseconds = 500 }: FileSourceOptions) {
    super(log);
    this.#files = files;
    this.#pollMilliseconds = pollMilliseconds;
    this.#settleMilliseconds = settleMilliseconds;
  }

  start(): void {
    const { certificate, key, bundle, federatedBundles } = this.#files;
    this.log.info({ certificate }, 'taking the identity from files');
    const paths = [certificate, key, bundle, ...(federatedBundles?.values() ?? [])];
    this.#watched = new WatchedFiles(paths, this.#pollMilliseconds, () => void this.#read());
    void this.#read();
  }

  close(): void {
    this.#closed = true;
    this.#watched?.close();
    clearTimeout(this.#settle);
  }

  /** One read at a time; a change meanwhile starts the next. */
  async #read(): Promise<void> {
    if (this.#reading) {
      this.#changedMeanwhile = true;
      return;
    }
    this.#reading = true;
    this.#changedMeanwhile = false;
    const read = await readMaterial(this.#files);
    this.#reading = false;
    if (this.#closed) return;
    this.#judge(read);
    if (this.#changedMeanwhile) void this.#read();
  }

  #judge(read: Material | CrosswireError): void {
    const seen =
      read instanceof CrosswireError
        ? read.message
        : JSON.stringify({ ...read, federatedBundles: [...read.federatedBundles] });
    if (seen === this.#judged) return this.#stopWaiting();
    const found = read instanceof CrosswireError ? read : fitting(read);
    if (found instanceof CrosswireError && !this.#overdue) return this.#readLater();
    this.#stopWaiting();
    this.#judged = seen;
    if (found instanceof CrosswireError) this.fail(found);
    else this.take(found);
  }

  #stopWaiting(): void {
    clearTimeout(this.#settle);
    this.#settle = undefined;
    this.#overdue = false;
  }

  #readLater(): void {
    this.#settle ??= setTimeout(() => {
      this.#overdue = true;
      void this.#read();
    }, this.#settleMilliseconds);
  }
}

function fitting(material: Material): Identity | CrosswireError {
  try {
    return identityOf(material);
  } catch (error) {
    if (error instanceof CrosswireError) return error;
    throw error;
  }
}

async function readMaterial(files: IdentityFiles): Promise<Material | CrosswireError> {
  const read = (path: string) => readFile(path, 'utf8');
  try {
    // All are awaited at once: an unhandled rejection would end the process.
    const [certificates, privateKey, bundle, federated] = await Promise.all([
      read(files.certificate),
      read(files.key),
      read(files.bundle),
      Promise.all(
        [...(files.federatedBundles ?? [])].map(async ([domain, path]) => [domain, await read(path)] as const),
      ),
    ]);
    return { source: files.certificate, certificates, privateKey, bundle, federatedBundles: new Map(federated) };
  } catch (cause) {
    const { path = files.certificate, message } = cause as NodeJS.ErrnoException;
    return new CrosswireError({
      code: 'IDENTITY_UNUSABLE',
      operation: 'read the identity',
      subject: path,
      reason: message,
      cause,
    });
  }
}
