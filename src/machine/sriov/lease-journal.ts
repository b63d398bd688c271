// SPDX-License-Identifier: Apache-2.0
// Stores leases on disk: one file for each borrowed device, named after its PCI address, and the generation number of the
// last lease, which is never erased.

import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CrosswireError } from '../../model/error.ts';
import { eraseWhole, unfinished, writeWhole } from '../whole-file.ts';
import { type Lease, parseLease } from './lease.ts';

export interface LeaseFiles {
  readonly leases: readonly Lease[];
  /** Leases that cannot be read: where they were moved, and why they cannot be read. */
  readonly corrupt: readonly { readonly file: string; readonly reason: string }[];
}

const suffix = '.json';
const counterName = 'generation';

export class LeaseJournal {
  readonly #directory: string;
  #generation = 0;
  #counting: Promise<unknown> = Promise.resolve();

  constructor(stateDirectory: string) {
    this.#directory = join(stateDirectory, 'leases');
  }

  async load(): Promise<LeaseFiles> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const leases: Lease[] = [];
    const corrupt: { file: string; reason: string }[] = [];
    for (const name of (await readdir(this.#directory)).sort()) {
      const file = join(this.#directory, name);
      if (name.endsWith(unfinished)) await rm(file, { force: true });
      if (!name.endsWith(suffix)) continue;
      try {
        leases.push(parseLease(await readFile(file, 'utf8'), name.slice(0, -suffix.length)));
      } catch (error) {
        const aside = `${file.slice(0, -suffix.length)}.corrupt-${new Date().toISOString().replaceAll(':', '')}`;
        await rename(file, aside);
        corrupt.push({ file: aside, reason: (error as Error).message });
      }
    }
    const counted = Number(await readFile(this.#counter, 'utf8').catch(() => '0')) || 0;
    this.#generation = Math.max(counted, ...leases.map(({ generation }) => generation));
    return { leases, corrupt };
  }

  /** A number is never given twice, even after its lease is erased. */
  nextGeneration(): Promise<number> {
    const next = this.#counting.then(async () => {
      const generation = this.#generation + 1;
      await this.#attempt('count the leases', this.#counter, () => writeWhole(this.#counter, `${generation}\n`));
      this.#generation = generation;
      return generation;
    });
    this.#counting = next.catch(() => {});
    return next;
  }

  async write(lease: Lease): Promise<void> {
    const path = this.#path(lease.pci);
    await this.#attempt('write the lease', path, () => writeWhole(path, `${JSON.stringify(lease)}\n`));
  }

  async erase(pci: string): Promise<void> {
    const path = this.#path(pci);
    await this.#attempt('erase the lease', path, () => eraseWhole(path));
  }

  get #counter(): string {
    return join(this.#directory, counterName);
  }

  #path(pci: string): string {
    return join(this.#directory, pci + suffix);
  }

  async #attempt(operation: string, subject: string, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (cause) {
      const { message, errno = 0 } = cause as NodeJS.ErrnoException;
      const details = { code: 'JOURNAL_WRITE_FAILED', operation, subject, reason: message };
      throw new CrosswireError({ ...details, errno: Math.abs(errno), cause });
    }
  }
}
