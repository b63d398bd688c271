// SPDX-License-Identifier: Apache-2.0
// NSM's policies over the tokens of a path. For everything that NSM's programs send, the verdicts are those of its Rego files
// (networkservicemesh/sdk, pkg/tools/opa/policies/{common,server,client}); odd types, which Rego lets pass, are refused.

import { type KeyObject, X509Certificate } from 'node:crypto';
import { compactVerify } from 'jose';
import { CrosswireError } from '../../model/error.ts';
import { type RegistryPolicy, registryPolicies } from '../../model/registry-policy.ts';
import { type DecodedToken, decodeToken } from './jwt.ts';

export interface SegmentToken {
  readonly token: string;
}

/** More than any path between domains has; it limits the work that a caller can cause. */
const mostSegments = 64;

/** For a server: its own segment is the last of `segments`, the caller's the one before. Throws POLICY_REFUSED. */
export async function checkServerPolicies(
  segments: readonly SegmentToken[],
  callerCertificate: string,
  now: Date = new Date(),
): Promise<void> {
  checkCommon(segments, now);
  await checkSigned('prev_token_signed', segments.at(-2), callerCertificate);
}

/** For a client: the path of the answer, with the client's own index. Throws POLICY_REFUSED. */
export async function checkClientPolicies(
  path: { readonly index: number; readonly pathSegments: readonly SegmentToken[] },
  serverCertificate: string,
  now: Date = new Date(),
): Promise<void> {
  checkCommon(path.pathSegments, now);
  await checkSigned('next_token_signed', path.pathSegments[path.index + 1], serverCertificate);
}

/** For a client of a registry, whose segment is the first of the path: only the policies in `asked`. Throws POLICY_REFUSED. */
export async function checkRegistryPolicies(
  segments: readonly SegmentToken[],
  serverCertificate: string,
  asked: readonly RegistryPolicy[],
  now: Date = new Date(),
): Promise<void> {
  checkCommon(segments, now, asked);
  if (asked.includes('next_token_signed')) await checkSigned('next_token_signed', segments[1], serverCertificate);
}

function checkCommon(
  segments: readonly SegmentToken[],
  now: Date,
  asked = registryPolicies as readonly string[],
): void {
  if (!['tokens_valid', 'tokens_expired', 'tokens_chained'].some((policy) => asked.includes(policy))) return;
  if (segments.length > mostSegments)
    throw refusal('tokens_valid', `the path has ${segments.length} segments, more than ${mostSegments}`);
  const tokens = segments.map(({ token }, index) => {
    const decoded = decodeToken(token);
    if (decoded === undefined) throw refusal('tokens_valid', `segment ${index} has no token that can be decoded`);
    return decoded;
  });
  for (const [index, token] of tokens.entries())
    if (asked.includes('tokens_expired') && !isAlive(token, now))
      throw refusal('tokens_expired', `the token of segment ${index} has expired`);
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1];
    if (asked.includes('tokens_chained') && next !== undefined && !isFor(token, next))
      throw refusal(
        'tokens_chained',
        `the token of segment ${index} is not meant for the holder of segment ${index + 1}`,
      );
  }
}

function isAlive({ claims }: DecodedToken, now: Date): boolean {
  return typeof claims.exp === 'number' && now.getTime() / 1000 < claims.exp;
}

/** An audience that is no array fails, even the right string: Rego iterates over arrays. An audience with further names fails
 *  too: NSM's rule is then true and false at once, which is an error in Rego. */
function isFor({ claims: { aud } }: DecodedToken, { claims: { sub } }: DecodedToken): boolean {
  return Array.isArray(aud) && aud.length > 0 && typeof sub === 'string' && aud.every((entry) => entry === sub);
}

async function checkSigned(policy: string, segment: SegmentToken | undefined, certificate: string): Promise<void> {
  if (segment === undefined) throw refusal(policy, 'the path has no segment of the peer');
  try {
    await compactVerify(segment.token, publicKeyOf(certificate), { algorithms: ['ES256'] });
  } catch (cause) {
    throw refusal(policy, 'the token is not signed with the key of the peer’s certificate', cause);
  }
}

/** By certificate. Reading one takes longer than the rest of the check, and callers come back with the same one. */
const keys = new Map<string, KeyObject>();
const mostKeys = 256;

function publicKeyOf(certificate: string): KeyObject {
  const known = keys.get(certificate);
  if (known) return known;
  const { publicKey } = new X509Certificate(certificate);
  if (keys.size >= mostKeys) keys.delete(keys.keys().next().value as string);
  keys.set(certificate, publicKey);
  return publicKey;
}

function refusal(policy: string, reason: string, cause?: unknown): CrosswireError {
  return new CrosswireError({ code: 'POLICY_REFUSED', operation: 'check the tokens', subject: policy, reason, cause });
}
