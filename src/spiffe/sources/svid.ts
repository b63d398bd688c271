// SPDX-License-Identifier: Apache-2.0
// Checks what an agent or files provide and makes an identity of it: nothing half-written passes.

import { createPrivateKey, type KeyObject } from 'node:crypto';
import { CrosswireError } from '../../model/error.ts';
import type { Identity } from '../identity.ts';
import { readCertificate } from '../x509/certificate.ts';
import { certificatesOf } from '../x509/pem.ts';
import { workloadOf } from '../x509/trust.ts';

export interface Material {
  /** Where the material came from, for errors. */
  readonly source: string;
  /** PEM, leaf first. */
  readonly certificates: string;
  /** PEM. */
  readonly privateKey: string;
  /** PEM of the authorities of the leaf's own trust domain. */
  readonly bundle: string;
  /** Trust domain → PEM. */
  readonly federatedBundles: ReadonlyMap<string, string>;
}

/** Throws IDENTITY_UNUSABLE. */
export function identityOf(material: Material, now: Date = new Date()): Identity {
  const { source } = material;
  const chain = certificatesOf(material.certificates);
  const [leaf] = chain.map((pem) => readable(source, 'a certificate', () => readCertificate(pem)));
  if (leaf === undefined) throw unusable(source, 'there is no certificate');
  const { spiffeId, trustDomain } = readable(source, 'the SPIFFE ID', () => workloadOf(leaf));
  const key = readable(source, 'the private key', () => createPrivateKey(material.privateKey));
  checkKey(source, key);
  if (!leaf.x509.checkPrivateKey(key)) throw unusable(source, 'the private key is not that of the certificate');
  if (leaf.notAfter <= now) throw unusable(source, `the certificate expired at ${leaf.notAfter.toISOString()}`);
  const bundles = new Map([[trustDomain, material.bundle], ...material.federatedBundles]).set(
    trustDomain,
    material.bundle,
  );
  for (const [name, bundle] of bundles) checkBundle(source, name, bundle);
  return {
    spiffeId,
    certificates: chain.join(''),
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    notAfter: leaf.notAfter,
    bundles,
  };
}

/** The key signs tokens, and NSM's policies accept only ES256. */
function checkKey(source: string, key: KeyObject): void {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === 'prime256v1') return;
  throw new CrosswireError({
    code: 'IDENTITY_KEY',
    operation: 'take the identity',
    subject: source,
    reason: `its key is ${curve ?? key.asymmetricKeyType ?? 'none'}, but NSM’s tokens need EC P-256`,
    hint: 'set the workload key type of the SPIRE agent to ec-p256, its default',
  });
}

function checkBundle(source: string, trustDomain: string, bundle: string): void {
  const authorities = certificatesOf(bundle);
  if (authorities.length === 0) throw unusable(source, `the bundle of ${trustDomain} has no certificate`);
  for (const pem of authorities) readable(source, `the bundle of ${trustDomain}`, () => readCertificate(pem));
}

function readable<T>(source: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const why = cause instanceof CrosswireError ? cause.reason : String((cause as Error).message);
    throw unusable(source, `${what} cannot be read: ${why}`, cause);
  }
}

function unusable(subject: string, reason: string, cause?: unknown): CrosswireError {
  return new CrosswireError({ code: 'IDENTITY_UNUSABLE', operation: 'take the identity', subject, reason, cause });
}
