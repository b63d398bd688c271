// SPDX-License-Identifier: Apache-2.0
// Finds the programs that the bench starts.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

const top = resolve(import.meta.dirname, '../..');

/** Searches PATH, the system's folders, and what scripts/setup bench unpacked. */
export function findProgram(name: string): string | undefined {
  const unpacked = join(top, '.cache/openvswitch');
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/sbin',
    '/sbin',
    join(unpacked, 'usr/sbin'),
    join(unpacked, 'usr/bin'),
    join(unpacked, 'usr/lib/openvswitch-switch'),
  ];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** The path of a program of bench/generator/, built by scripts/native bench. */
export function builtProgram(name: string): string {
  return findBelow(join(top, 'build/native-bench'), name) ?? missing(name);
}

/** The version of Crosswire in package.json. */
export function ownVersion(): string {
  return (JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as { version: string }).version;
}

export const daemonProgram = join(top, 'bin/crosswire');

function findBelow(folder: string, name: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile() && entry.name === name) return path;
    const found = entry.isDirectory() && entry.name !== 'CMakeFiles' ? findBelow(path, name) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function missing(name: string): never {
  throw new Error(`${name} is not built; run scripts/setup bench && scripts/native bench`);
}
