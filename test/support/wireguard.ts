// SPDX-License-Identifier: Apache-2.0
// WireGuard keys for tests, and the places where private keys must never appear.

import { generateKeyPairSync } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt } from './shell.ts';

export interface Keys {
  readonly privateKey: string;
  readonly publicKey: string;
}

export function makeKeys(): Keys {
  const { d = '', x = '' } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  const standard = (text: string) => Buffer.from(text, 'base64url').toString('base64');
  return { privateKey: standard(d), publicKey: standard(x) };
}

/** The usual spellings of a key, for a search. */
export function spellings(privateKey: string): readonly string[] {
  const bytes = Buffer.from(privateKey, 'base64');
  const bare = privateKey.replace(/=$/, '');
  return [bare, bytes.toString('base64url'), bytes.toString('hex'), encodeURIComponent(bare)];
}

/** Arguments and environments of all processes, which other users may be able to read. */
export async function processWords(): Promise<string> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const files = pids.flatMap((pid) => ['cmdline', 'environ'].map((file) => join('/proc', pid, file)));
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return texts.join('\n');
}

export async function kernelLog(): Promise<string> {
  return (await attempt('dmesg')).stdout;
}
