// SPDX-License-Identifier: Apache-2.0
// The ed25519 key that signs this machine's results (docs/decisions/007-signed-results.md).

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
} from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Separate from the results, so that permission to write results does not include permission to sign them. */
export function keyDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const state = environment['XDG_STATE_HOME'];
  return join(state?.startsWith('/') ? state : join(homedir(), '.local/state'), 'crosswire-bench');
}

export const machineKeyName = 'sign-key.pem';
export const machinePublicKeyName = 'sign-key.pub.pem';

export async function loadSigningKey(file: string): Promise<KeyObject> {
  const pem = await readFile(file, 'utf8');
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new Error(`${file}: no private key in PEM form`, { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Error(`${file}: a key of type ${key.asymmetricKeyType}, not ed25519`);
  return key;
}

/** The key of the given PEM file, or this machine's own. */
export function signingKey(file: string | undefined): Promise<KeyObject> {
  return file === undefined ? machineSigningKey() : loadSigningKey(file);
}

/** This machine's key, made at the first use, with its public half beside it. */
export async function machineSigningKey(directory = keyDirectory()): Promise<KeyObject> {
  const file = join(directory, machineKeyName);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeOnce(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
  }
  const key = await loadSigningKey(file);
  await writeOnce(join(directory, machinePublicKeyName), publicPem(key), 0o644);
  return key;
}

// link(2) fails if the name exists: if two first runs happen at once, one key wins, and neither run reads half a file.
async function writeOnce(file: string, text: string | Buffer, mode: number): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, text, { mode });
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft);
  }
}

export function publicPem(key: KeyObject): string {
  return publicHalf(key).export({ type: 'spki', format: 'pem' }) as string;
}

/** SHA-256 of the public key's DER form. */
export function fingerprint(key: KeyObject): string {
  const der = publicHalf(key).export({ type: 'spki', format: 'der' });
  return `SHA256:${createHash('sha256').update(der).digest('base64').replace(/=+$/, '')}`;
}

function publicHalf(key: KeyObject): KeyObject {
  return key.type === 'public' ? key : createPublicKey(key);
}
