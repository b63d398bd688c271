// SPDX-License-Identifier: Apache-2.0
// Verifies the certificates of a peer: spiffe.io, "The X.509 SPIFFE Verifiable Identity Document", section 5; RFC 5280, section 6.

import { CrosswireError } from '../../model/error.ts';
import { parseSpiffeId } from '../spiffe-id.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import type { UriConstraints } from './extensions.ts';
import { certificatesOf } from './pem.ts';

/** The leaf and four authorities below the root. The limit bounds how many paths are tried. */
const longestChain = 5;

// Content of the object identifiers 1.3.6.1.5.5.7.3.N, in hexadecimal.
const serverAuth = '2b06010505070301';
const clientAuth = '2b06010505070302';

/** The SPIFFE ID of a peer that has proved to hold the key of the leaf. `certificateChain`: PEM, leaf first. `bundles`: by trust
 *  domain; a peer is verified against the bundle of its own trust domain only. Throws PEER_REFUSED. */
export function verifyPeer(
  certificateChain: readonly string[],
  bundles: ReadonlyMap<string, string>,
  now: Date = new Date(),
): string {
  if (certificateChain.length === 0) throw refusal('', 'it presented no certificate');
  if (certificateChain.length > longestChain) throw refusal('', `it presented more than ${longestChain} certificates`);
  const [leaf, ...intermediates] = certificateChain.map(readable) as [Certificate, ...Certificate[]];
  const { spiffeId, trustDomain } = workloadOf(leaf);
  const wrong = wrongWithLeaf(leaf) ?? wrongNow(leaf, now);
  if (wrong !== undefined) throw refusal(spiffeId, wrong);
  const bundle = bundles.get(trustDomain);
  if (bundle === undefined) throw refusal(spiffeId, `there is no bundle of the trust domain ${trustDomain}`);
  const roots = certificatesOf(bundle).map(readable);
  if (!chainsTo({ leaf, intermediates, roots, trustDomain, now }))
    throw refusal(spiffeId, `no authority of the trust domain ${trustDomain} stands behind its certificate`);
  return spiffeId;
}

/** The identity in a leaf certificate, unverified. Throws PEER_REFUSED where there is none. */
export function workloadOf(leaf: Certificate): { readonly spiffeId: string; readonly trustDomain: string } {
  const [spiffeId, ...others] = leaf.uris;
  if (spiffeId === undefined) throw refusal('', 'its certificate has no URI among its names, so no SPIFFE ID');
  if (others.length > 0) throw refusal(printable(spiffeId), 'its certificate has more than one URI among its names');
  const parsed = parseSpiffeId(spiffeId);
  if (typeof parsed === 'string') throw refusal(printable(spiffeId), `its URI is no SPIFFE ID: ${parsed}`);
  return { spiffeId, trustDomain: parsed.trustDomain };
}

function wrongWithLeaf({
  authority,
  keyUsage,
  extendedKeyUsage: extended,
  unknownCritical,
}: Certificate): string | undefined {
  if (authority) return 'its certificate is one of an authority, not of a workload';
  if (keyUsage?.certificateSign || keyUsage?.crlSign) return 'its key may sign certificates, so it is no workload’s';
  if (!keyUsage?.digitalSignature) return 'its key usage does not include digital signatures';
  if (extended && !(extended.includes(serverAuth) && extended.includes(clientAuth)))
    return 'its extended key usage lacks TLS server or client';
  if (unknownCritical.length > 0) return 'its certificate has a critical extension that is not known';
  return undefined;
}

function wrongNow({ notBefore, notAfter }: Certificate, now: Date): string | undefined {
  if (now < notBefore) return `its certificate is valid from ${notBefore.toISOString()} on`;
  if (now > notAfter) return `its certificate expired at ${notAfter.toISOString()}`;
  return undefined;
}

interface Search {
  readonly leaf: Certificate;
  readonly intermediates: readonly Certificate[];
  readonly roots: readonly Certificate[];
  readonly trustDomain: string;
  readonly now: Date;
}

/** Intermediates may come in any order and be cross-signed. */
function chainsTo({ leaf, intermediates, roots, trustDomain, now }: Search): boolean {
  const authorises = (issuer: Certificate, subject: Certificate, below: number) =>
    wrongNow(issuer, now) === undefined &&
    below <= (issuer.pathLength ?? below) &&
    issuer.unknownCritical.length === 0 &&
    allows(issuer.uriConstraints, trustDomain) &&
    issued(issuer, subject);
  const reaches = (subject: Certificate, below: number, left: readonly Certificate[]): boolean =>
    roots.some((root) => authorises(root, subject, below)) ||
    left.some(
      (next) =>
        authorises(next, subject, below) &&
        reaches(
          next,
          below + 1,
          left.filter((other) => other !== next),
        ),
    );
  return reaches(leaf, 0, intermediates);
}

/** OpenSSL's X509_check_issued compares names, key identifiers and the issuer's key usage; it checks no signature. */
function issued({ x509: issuer, keyUsage }: Certificate, { x509: subject }: Certificate): boolean {
  const maySign = issuer.ca && keyUsage?.certificateSign !== false;
  return maySign && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

/** RFC 5280, section 4.2.1.10. */
function allows({ permitted, excluded }: UriConstraints, host: string): boolean {
  const within = (constraint: string) => (constraint.startsWith('.') ? host.endsWith(constraint) : host === constraint);
  return (permitted === undefined || permitted.some(within)) && !excluded.some(within);
}

function readable(pem: string): Certificate {
  try {
    return readCertificate(pem);
  } catch (cause) {
    throw refusal('', 'a certificate cannot be read', cause);
  }
}

function refusal(subject: string, reason: string, cause?: unknown): CrosswireError {
  return new CrosswireError({ code: 'PEER_REFUSED', operation: 'verify the peer', subject, reason, cause });
}

/** Safe for logs: the text is unchecked. */
function printable(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
