// SPDX-License-Identifier: Apache-2.0
// The JWT of a call, which names its sender and its receiver. The key of the X.509 SVID signs it: ES256 (RFC 7518, section 3.4).

import { createPrivateKey, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Identity } from '../identity.ts';

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
  /** For the call's metadata and the path segment: never later than the peer's certificate expires. */
  readonly expires: Date;
}

/** Signed as the identity that the peer saw: NSM's policies check the signature with the certificate of our handshake. */
export function tokenFor(
  peer: { readonly spiffeId: string; readonly notAfter: Date; readonly self: Identity },
  maxLifetimeMilliseconds: number,
): Promise<Token> {
  const { spiffeId: audience, notAfter: audienceNotAfter, self: identity } = peer;
  return issueToken({ identity, audience, audienceNotAfter, maxLifetimeMilliseconds });
}

/** The audience is an array: NSM's peers would refuse a string. */
export async function issueToken(request: TokenRequest): Promise<Token> {
  const { identity, audience, audienceNotAfter, now = new Date() } = request;
  const expires = earliest(new Date(now.getTime() + request.maxLifetimeMilliseconds), identity.notAfter);
  const token = await signedOnce(identity, audience, Math.floor(expires.getTime() / 1000));
  return { token, expires: earliest(expires, audienceNotAfter) };
}

interface Signed {
  readonly second: number;
  readonly tokens: Map<string, Promise<string>>;
}

const signed = new WeakMap<Identity, Signed>();

/** Expiry has whole seconds, so all tokens of one second for one peer are equal; a Request needs some five. */
function signedOnce(identity: Identity, audience: string, second: number): Promise<string> {
  const last = signed.get(identity);
  const { tokens } = last?.second === second ? last : { tokens: new Map<string, Promise<string>>() };
  signed.set(identity, { second, tokens });
  const token = tokens.get(audience) ?? sign(identity, audience, second);
  tokens.set(audience, token);
  return token;
}

function sign(identity: Identity, audience: string, second: number): Promise<string> {
  return new SignJWT({ sub: identity.spiffeId, aud: [audience] })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT' })
    .setExpirationTime(second)
    .sign(keyOf(identity));
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
