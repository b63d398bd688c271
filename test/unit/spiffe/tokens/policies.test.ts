// SPDX-License-Identifier: Apache-2.0

import { createHmac, createPrivateKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import test from 'ava';
import { CrosswireError } from '../../../../src/model/error.ts';
import type { Identity } from '../../../../src/spiffe/identity.ts';
import { decodeToken, longestToken } from '../../../../src/spiffe/tokens/jwt.ts';
import { checkClientPolicies, checkServerPolicies } from '../../../../src/spiffe/tokens/policies.ts';
import { issueToken } from '../../../../src/spiffe/tokens/token.ts';
import { TestAuthority } from '../../../nsm/support/authority.ts';

const authority = await TestAuthority.create();
const [client, manager, forwarder, stranger] = (await Promise.all(
  ['nsc', 'nsmgr', 'fwd', 'stranger'].map((name) => authority.issue(name)),
)) as [Identity, Identity, Identity, Identity];
const lifetime = 600_000;
const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;

async function tokenOf(identity: Identity, audience: Identity): Promise<string> {
  const { spiffeId, notAfter } = audience;
  const request = { identity, audience: spiffeId, audienceNotAfter: notAfter, maxLifetimeMilliseconds: lifetime };
  return (await issueToken(request)).token;
}

/** nsc → nsmgr → forwarder, as the forwarder sees it with its own token added. */
const good = [await tokenOf(client, manager), await tokenOf(manager, forwarder), await tokenOf(forwarder, manager)];

const segmentsOf = (tokens: readonly string[]) => tokens.map((token) => ({ token }));

async function verdict(check: Promise<void>): Promise<string> {
  try {
    await check;
  } catch (error) {
    if (error instanceof CrosswireError && error.code === 'POLICY_REFUSED') return error.subject;
    throw error;
  }
  return 'allowed';
}

const serverVerdict = (tokens: readonly string[], caller = manager.certificates) =>
  verdict(checkServerPolicies(segmentsOf(tokens), caller));

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const es256 = { alg: 'ES256', typ: 'JWT' };

/** A token with any claims, signed with any key. */
function forge(claims: unknown, key: KeyObject | string = manager.privateKey, header: unknown = es256): string {
  const signed = `${part(header)}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), {
    key: typeof key === 'string' ? createPrivateKey(key) : key,
    dsaEncoding: 'ieee-p1363',
  });
  return `${signed}.${signature.toString('base64url')}`;
}

const claimsOf = (changes: Record<string, unknown> = {}) => ({
  sub: manager.spiffeId,
  aud: [forwarder.spiffeId],
  exp: inAnHour(),
  ...changes,
});

function hmacWithPublicKey(): string {
  const publicKey = new X509Certificate(manager.certificates).publicKey.export({ type: 'spki', format: 'pem' });
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claimsOf())}`;
  return `${signed}.${createHmac('sha256', publicKey).update(signed).digest('base64url')}`;
}

test('what is issued has the header and claims that NSM expects, and nothing else', async (t) => {
  const now = new Date('2026-11-20T06:40:00.900Z');
  const identity = { ...client, notAfter: new Date('2026-11-20T07:40:00Z') };
  const issue = (maxLifetimeMilliseconds: number, audienceNotAfter: Date) =>
    issueToken({ identity, audience: manager.spiffeId, audienceNotAfter, maxLifetimeMilliseconds, now });
  const late = new Date('2026-11-21T00:00:00Z');

  const plain = await issue(600_000, late);
  t.is(plain.token.split('.')[0], part(es256));
  t.deepEqual(decodeToken(plain.token), {
    header: es256,
    claims: { sub: client.spiffeId, aud: [manager.spiffeId], exp: Date.parse('2026-11-20T06:50:00Z') / 1000 },
  });
  t.deepEqual(plain.expires, new Date('2026-11-20T06:50:00.900Z'));
  t.is(Buffer.from(plain.token.split('.')[2] as string, 'base64url').length, 64);

  const certificateEnds = await issue(24 * 3_600_000, late);
  t.is(decodeToken(certificateEnds.token)?.claims.exp, identity.notAfter.getTime() / 1000);
  t.deepEqual(certificateEnds.expires, identity.notAfter);

  const peerEnds = new Date('2026-11-20T06:45:00Z');
  const cut = await issue(600_000, peerEnds);
  t.deepEqual(cut.expires, peerEnds);
  t.is(decodeToken(cut.token)?.claims.exp, Date.parse('2026-11-20T06:50:00Z') / 1000, 'the claim is not cut');
});

test('a token is signed once for a peer and a second, and never for another peer, second or identity', async (t) => {
  const held = { ...client, notAfter: new Date('2026-11-20T07:40:00Z') };
  const issue = (audience: Identity, time: string, identity: Identity = held) =>
    issueToken({
      identity,
      audience: audience.spiffeId,
      audienceNotAfter: held.notAfter,
      maxLifetimeMilliseconds: lifetime,
      now: new Date(`2026-11-20T06:40:${time}Z`),
    });
  const first = await issue(manager, '01.000');
  const second = await issue(manager, '01.900');
  t.is(second.token, first.token);
  t.true(second.expires > first.expires);
  const others = [
    await issue(forwarder, '01.000'),
    await issue(manager, '02.000'),
    await issue(manager, '01.000', stranger),
  ];
  const claims = others.map(({ token }) => decodeToken(token)?.claims);
  t.deepEqual(
    claims.map((one) => [one?.sub, one?.aud]),
    [
      [client.spiffeId, [forwarder.spiffeId]],
      [client.spiffeId, [manager.spiffeId]],
      [stranger.spiffeId, [manager.spiffeId]],
    ],
  );
  t.is(claims[1]?.exp, Date.parse('2026-11-20T06:50:02Z') / 1000);
});

test('a good path is allowed at every hop', async (t) => {
  t.is(await serverVerdict(good), 'allowed');
  t.is(await serverVerdict(good.slice(0, 2), client.certificates), 'allowed');
  const path = segmentsOf(good);
  t.is(await verdict(checkClientPolicies({ index: 0, pathSegments: path }, manager.certificates)), 'allowed');
  t.is(await verdict(checkClientPolicies({ index: 1, pathSegments: path }, forwarder.certificates)), 'allowed');
  t.is(
    await verdict(checkClientPolicies({ index: 0, pathSegments: path }, forwarder.certificates)),
    'next_token_signed',
  );
  t.is(
    await verdict(checkClientPolicies({ index: 2, pathSegments: path }, forwarder.certificates)),
    'next_token_signed',
  );
});

/** In place of the caller's token, at the forwarder. */
const callerTokens: Record<string, [() => string, string]> = {
  'a good one': [() => forge(claimsOf()), 'allowed'],
  none: [() => '', 'tokens_valid'],
  'two parts': [() => good[1]!.split('.').slice(0, 2).join('.'), 'tokens_valid'],
  'four parts': [() => `${good[1]}.`, 'tokens_valid'],
  'no JSON': [() => `${part(es256)}.${Buffer.from('{').toString('base64url')}.AAAA`, 'tokens_valid'],
  'claims that are an array': [() => forge([claimsOf()]), 'tokens_valid'],
  'claims that are null': [() => forge(null), 'tokens_valid'],
  'a header that is a string': [() => forge(claimsOf(), manager.privateKey, 'ES256'), 'tokens_valid'],
  'no UTF-8': [
    () => `${part(es256)}.${Buffer.from('{"sub":"\xff"}', 'latin1').toString('base64url')}.AAAA`,
    'tokens_valid',
  ],
  'base64 cut off': [() => good[1]!.slice(0, -1), 'tokens_valid'],
  'base64 of the other alphabet': [() => `${good[1]!.slice(0, -2)}+/`, 'tokens_valid'],
  'white space': [() => ` ${good[1]}`, 'tokens_valid'],
  'one that is too long': [() => forge(claimsOf({ padding: 'a'.repeat(longestToken) })), 'tokens_valid'],
  'a million dots': [() => '.'.repeat(1_000_000), 'tokens_valid'],
  'deep nesting': [() => `${part(es256)}.${Buffer.from('['.repeat(8000)).toString('base64url')}.AAAA`, 'tokens_valid'],
  'an expired one': [() => forge(claimsOf({ exp: Math.floor(Date.now() / 1000) - 1 })), 'tokens_expired'],
  'no expiry': [() => forge(claimsOf({ exp: undefined })), 'tokens_expired'],
  'an expiry that is a string': [() => forge(claimsOf({ exp: String(inAnHour()) })), 'tokens_expired'],
  'an expiry that is null': [() => forge(claimsOf({ exp: null })), 'tokens_expired'],
  'an audience that is a string': [() => forge(claimsOf({ aud: forwarder.spiffeId })), 'tokens_chained'],
  'an audience that is an object': [() => forge(claimsOf({ aud: { 0: forwarder.spiffeId } })), 'tokens_chained'],
  'no audience': [() => forge(claimsOf({ aud: undefined })), 'tokens_chained'],
  'an audience that names others too': [
    () => forge(claimsOf({ aud: [forwarder.spiffeId, stranger.spiffeId] })),
    'tokens_chained',
  ],
  'an audience twice the same': [() => forge(claimsOf({ aud: [forwarder.spiffeId, forwarder.spiffeId] })), 'allowed'],
  'an empty audience': [() => forge(claimsOf({ aud: [] })), 'tokens_chained'],
  'an audience of someone else': [() => forge(claimsOf({ aud: [stranger.spiffeId] })), 'tokens_chained'],
  'no subject': [() => forge(claimsOf({ sub: undefined })), 'tokens_chained'],
  'a subject of someone else': [() => forge(claimsOf({ sub: stranger.spiffeId })), 'tokens_chained'],
  'a subject in an array': [() => forge(claimsOf({ sub: [manager.spiffeId] })), 'tokens_chained'],
  'another key': [() => forge(claimsOf(), stranger.privateKey), 'prev_token_signed'],
  'alg none': [() => `${part({ alg: 'none', typ: 'JWT' })}.${part(claimsOf())}.`, 'prev_token_signed'],
  'alg none over a good signature': [() => forge(claimsOf(), manager.privateKey, { alg: 'none' }), 'prev_token_signed'],
  'HS256 with the public key as secret': [hmacWithPublicKey, 'prev_token_signed'],
  'an empty signature': [() => good[1]!.replace(/[^.]+$/, ''), 'prev_token_signed'],
  'claims changed after signing': [
    () => good[1]!.replace(/\.[^.]+\./, `.${part(claimsOf({ exp: inAnHour() + 1 }))}.`),
    'prev_token_signed',
  ],
  'a signature in ASN.1': [
    () => {
      const signed = `${part(es256)}.${part(claimsOf())}`;
      return `${signed}.${sign('sha256', Buffer.from(signed), manager.privateKey).toString('base64url')}`;
    },
    'prev_token_signed',
  ],
  'a critical header that nobody knows': [
    () => forge(claimsOf(), manager.privateKey, { ...es256, crit: ['x'], x: 1 }),
    'prev_token_signed',
  ],
};

for (const [what, [make, expected]] of Object.entries(callerTokens))
  test(`the caller's token: ${what}: ${expected}`, async (t) => {
    t.is(await serverVerdict([good[0] as string, make(), good[2] as string]), expected);
  });

test('an older token of the path fails the common policies, whoever signed it', async (t) => {
  const [first, second, third] = good as [string, string, string];
  const expired = forge({ sub: client.spiffeId, aud: [manager.spiffeId], exp: 1 }, client.privateKey);
  t.is(await serverVerdict([expired, second, third]), 'tokens_expired');
  t.is(await serverVerdict(['', second, third]), 'tokens_valid');
  t.is(await serverVerdict([second, first, third]), 'tokens_chained');
  // As in NSM, only the neighbour's signature is checked: each hop has checked that of the one before.
  const forged = forge({ sub: client.spiffeId, aud: [manager.spiffeId], exp: inAnHour() }, stranger.privateKey);
  t.is(await serverVerdict([forged, second, third]), 'allowed');
});

test('the caller must be there, and must be the one whose certificate it is', async (t) => {
  t.is(await serverVerdict([]), 'prev_token_signed');
  t.is(await serverVerdict([good[2] as string]), 'prev_token_signed');
  t.is(await serverVerdict(good, stranger.certificates), 'prev_token_signed');
  t.is(await serverVerdict(good, 'garbage'), 'prev_token_signed');
  const other = await authority.issue('nsmgr', { key: 'P-384' });
  t.is(await serverVerdict(good, other.certificates), 'prev_token_signed');
  const rsa = await authority.issue('nsmgr', { key: 'RSA' });
  t.is(await serverVerdict(good, rsa.certificates), 'prev_token_signed');
});

test('a path of more segments than any real one is refused before it is looked at', async (t) => {
  t.is(await serverVerdict(Array.from({ length: 100_000 }, () => good[0] as string)), 'tokens_valid');
});
