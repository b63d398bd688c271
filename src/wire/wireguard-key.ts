// SPDX-License-Identifier: Apache-2.0
// The public key that follows from a private one (X25519, RFC 7748).

import { createPrivateKey, createPublicKey } from 'node:crypto';
import { wireguardKey } from './value-checks.ts';

/** Of a PKCS #8 document with an X25519 key (RFC 8410), before its 32 bytes. */
const head = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** Both in base64; undefined where there is no private key. */
export function publicKeyOf(privateKey: unknown): string | undefined {
  if (typeof privateKey !== 'string' || wireguardKey(privateKey)) return undefined;
  const key = Buffer.concat([head, Buffer.from(privateKey, 'base64')]);
  const open = createPublicKey(createPrivateKey({ key, format: 'der', type: 'pkcs8' }));
  return Buffer.from(open.export({ format: 'jwk' }).x as string, 'base64url').toString('base64');
}
