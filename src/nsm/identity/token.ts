// SPDX-License-Identifier: Apache-2.0
// The JWT that says who sends a call, and to whom: signed with the key of the X.509 SVID, so ES256 (RFC 7518, section 3.4).

import { createPrivateKey, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Identity } from './identity.ts';

export interface TokenRequest {
  readonly identity: Identity;
  /** SPIFFE ID of the peer that the token is for. */
  readonly audience: string;
  /** When the peer's certificate expires. */
  readonly audienceNotAfter: Date;
  readonly maxLifetimeMilliseconds: number;
  readonly now?: Date;
}

export interface Token {
  readonly token: string;
  /** For the metadata beside it and for the path segment: never later than the peer's certificate. */
  readonly expires: Date;
}

/** NSM's peers look for the audience in an array; a string would be refused. */
export async function issueToken(request: TokenRequest): Promise<Token> {
  const { identity, audience, audienceNotAfter, now = new Date() } = request;
  const expires = earliest(new Date(now.getTime() + request.maxLifetimeMilliseconds), identity.notAfter);
  const token = await new SignJWT({ sub: identity.spiffeId, aud: [audience] })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT' })
    .setExpirationTime(Math.floor(expires.getTime() / 1000))
    .sign(keyOf(identity));
  return { token, expires: earliest(expires, audienceNotAfter) };
}

const keys = new WeakMap<Identity, KeyObject>();

function keyOf(identity: Identity): KeyObject {
  const key = keys.get(identity) ?? createPrivateKey(identity.privateKey);
  keys.set(identity, key);
  return key;
}

function earliest(one: Date, other: Date): Date {
  return one < other ? one : other;
}
