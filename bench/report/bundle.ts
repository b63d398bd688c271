// SPDX-License-Identifier: Apache-2.0
// Signs and verifies a results directory: SHA256SUMS over every file, its signature, and the signer's public key.

import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fingerprint, keyDirectory, machinePublicKeyName, publicPem } from './keys.ts';

const sumsName = 'SHA256SUMS';
const signatureName = 'SHA256SUMS.sig';
const signerName = 'signer.pub.pem';

/** Must be called last: a file that is written later makes the verification fail. */
export async function sealBundle(directory: string, key: KeyObject): Promise<void> {
  await writeFile(join(directory, signerName), publicPem(key));
  const lines = await Promise.all((await filesOf(directory)).map((file) => sumLine(directory, file)));
  const sums = Buffer.from(lines.join(''));
  await writeFile(join(directory, sumsName), sums);
  await writeFile(join(directory, signatureName), sign(null, sums, key));
}

export interface Verification {
  /** Signed with the trusted key, and every file unchanged since. */
  readonly ok: boolean;
  readonly signer: string;
  readonly problems: readonly string[];
}

/** Trusts the given public key (PEM text), or this machine's; never the key in the directory, which a forger can replace. */
export async function verifyBundle(directory: string, trusted?: string): Promise<Verification> {
  const read = (name: string) => readFile(join(directory, name));
  const problems: string[] = [];
  let signer = 'nobody';
  try {
    const [sums, signature, pem] = [await read(sumsName), await read(signatureName), await read(signerName)];
    const key = createPublicKey(pem);
    signer = fingerprint(key);
    if (!verify(null, sums, key, signature))
      problems.push(`${signatureName}: not the signature of ${sumsName} by its signer`);
    problems.push(...(await trustProblems(key, trusted)), ...(await sumProblems(directory, sums.toString())));
  } catch (error) {
    problems.push((error as Error).message);
  }
  return { ok: problems.length === 0, signer, problems };
}

async function trustProblems(key: KeyObject, trusted: string | undefined): Promise<string[]> {
  const own = join(keyDirectory(), machinePublicKeyName);
  const pem = trusted ?? (await readFile(own, 'utf8').catch(() => undefined));
  if (pem === undefined) return ['no key to trust: this machine has none, and none was given'];
  const expected = fingerprint(createPublicKey(pem));
  return expected === fingerprint(key) ? [] : [`signed by ${fingerprint(key)}, but ${expected} is trusted`];
}

async function sumProblems(directory: string, sums: string): Promise<string[]> {
  const lines = sums.split('\n').filter((line) => line !== '');
  const listed = new Map(lines.map((line) => [line.slice(66), `${line}\n`]));
  const present = await filesOf(directory);
  const checked = present.map(async (file) => {
    const line = listed.get(file);
    if (line === undefined) return [`${file}: not in ${sumsName}`];
    return line === (await sumLine(directory, file)) ? [] : [`${file}: changed since it was signed`];
  });
  const missing = [...listed.keys()].filter((file) => !present.includes(file));
  return [...(await Promise.all(checked)).flat(), ...missing.map((file) => `${file}: missing`)];
}

/** The format of sha256sum, so that `sha256sum -c SHA256SUMS` works too. */
async function sumLine(directory: string, file: string): Promise<string> {
  const digest = createHash('sha256').update(await readFile(join(directory, file)));
  return `${digest.digest('hex')}  ${file}\n`;
}

async function filesOf(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => {
      const path = relative(directory, join(entry.parentPath, entry.name));
      // The target of a link is outside the directory, and sha256sum escapes names with these characters.
      if (!entry.isFile() || /[\\\n\r]/.test(path)) throw new Error(`${JSON.stringify(path)}: not a plain file`);
      return path;
    });
  return files.filter((path) => path !== sumsName && path !== signatureName).toSorted();
}
