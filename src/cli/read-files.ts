// SPDX-License-Identifier: Apache-2.0
// Reads the wires of -f FILE…: files, directories and standard input.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSriovFile } from '../options/sriov-file.ts';
import { parseWireFile } from '../wire/wire-file.ts';
import { Claims } from '../wire/claims.ts';
import { CrosswireError } from '../model/error.ts';
import type { PhysicalFunctionSettings } from '../model/device-status.ts';
import type { Wire } from '../wire/wire.ts';

/** Throws an AggregateError with every error of every file. */
export async function readWires(names: readonly string[], stdin: () => Promise<string>): Promise<Wire[]> {
  const claims = new Claims();
  const wires: Wire[] = [];
  const errors: CrosswireError[] = [];
  for (const name of (await Promise.all(names.map(expand))).flat()) {
    const text = name === '-' ? await stdin() : await readFile(name, 'utf8').catch((cause) => unreadable(name, cause));
    const parsed = parseWireFile(text, name === '-' ? 'standard input' : name, claims);
    wires.push(...parsed.wires);
    errors.push(...parsed.errors);
  }
  if (errors.length > 0) throw new AggregateError(errors, 'the wire files are not valid');
  if (wires.length === 0)
    throw new CrosswireError({
      code: 'NO_WIRES',
      operation: 'reading wire files',
      subject: names.join(' '),
      reason: 'there is no wire in it',
      hint: 'a directory is searched for .yaml, .yml and .json files, its subdirectories are not',
    });
  return wires;
}

/** Throws an AggregateError with every error of the file. */
export async function readSriovFile(name: string): Promise<readonly PhysicalFunctionSettings[]> {
  const operation = 'reading the SR-IOV file';
  const text = await readFile(name, 'utf8').catch((cause) => unreadable(name, cause, operation));
  return parseSriovFile(text, name);
}

async function expand(name: string): Promise<string[]> {
  if (name === '-') return ['-'];
  const found = await stat(name).catch((cause) => unreadable(name, cause));
  if (!found.isDirectory()) return [name];
  const entries = await readdir(name).catch((cause) => unreadable(name, cause));
  return entries
    .filter((entry) => /\.(ya?ml|json)$/.test(entry))
    .toSorted()
    .map((entry) => join(name, entry));
}

function unreadable(subject: string, cause: NodeJS.ErrnoException, operation = 'reading wire files'): never {
  const reason = cause.code === 'ENOENT' ? 'there is no such file or directory' : cause.message;
  const errno = Math.abs(cause.errno ?? 0);
  throw new CrosswireError({ code: 'FILE_UNREADABLE', operation, subject, reason, errno, cause });
}
