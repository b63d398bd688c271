// SPDX-License-Identifier: Apache-2.0
// Decodes a peer's token without verifying it; only policies.ts verifies signatures.

import { base64url } from 'jose';

/** Characters. Real tokens have some 400; SPIFFE IDs may have 2048 bytes each. */
export const longestToken = 16_384;

export interface DecodedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** RFC 7519, section 7.2, except for the signature. Undefined: it is no token. */
export function decodeToken(token: string): DecodedToken | undefined {
  if (token.length > longestToken) return undefined;
  const parts = token.split('.', 4);
  const [header, claims, signature] = parts;
  if (parts.length !== 3 || signature === undefined || bytesOf(signature) === undefined) return undefined;
  const decoded = { header: objectOf(header), claims: objectOf(claims) };
  return decoded.header && decoded.claims && { header: decoded.header, claims: decoded.claims };
}

function objectOf(part: string | undefined): Readonly<Record<string, unknown>> | undefined {
  const bytes = part === undefined ? undefined : bytesOf(part);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function bytesOf(part: string): Uint8Array | undefined {
  // Decoders differ in what they ignore: only the alphabet, and a length that encodes whole bytes, is accepted.
  if (!/^[A-Za-z0-9_-]*$/.test(part) || part.length % 4 === 1) return undefined;
  return base64url.decode(part);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
