// SPDX-License-Identifier: Apache-2.0
// A certificate with the extensions that node:crypto does not show. Why not by a library: docs/decisions/025-certificates.md.

import { X509Certificate } from 'node:crypto';
import {
  basicConstraintsOf,
  extendedKeyUsageOf,
  extensionsOf,
  type KeyUsage,
  keyUsageOf,
  type UriConstraints,
  uriConstraintsOf,
  urisOf,
} from './extensions.ts';

export interface Certificate {
  readonly x509: X509Certificate;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The URIs among the subject's alternative names. */
  readonly uris: readonly string[];
  /** Undefined without the extension. */
  readonly keyUsage: KeyUsage | undefined;
  /** OIDs, in hexadecimal; undefined without the extension. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  /** What basicConstraints says. X509Certificate.ca is also false when the key usage does not allow to sign. */
  readonly authority: boolean;
  /** How many authorities may stand between this one and a leaf; undefined: any. */
  readonly pathLength: number | undefined;
  readonly uriConstraints: UriConstraints;
  /** OIDs, in hexadecimal, of critical extensions that are not read here. */
  readonly unknownCritical: readonly string[];
}

// Content of the object identifiers 2.5.29.N, in hexadecimal.
const oid = {
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  nameConstraints: '551d1e',
  certificatePolicies: '551d20',
  extendedKeyUsage: '551d25',
} as const;
const known: readonly string[] = Object.values(oid);

/** Throws when it cannot be read. */
export function readCertificate(pem: string): Certificate {
  const x509 = new X509Certificate(pem);
  const extensions = extensionsOf(x509.raw);
  const read = <T>(name: keyof typeof oid, reader: (value: Buffer) => T): T | undefined => {
    const extension = extensions.get(oid[name]);
    return extension && reader(extension.value);
  };
  const basic = read('basicConstraints', basicConstraintsOf);
  return {
    x509,
    notBefore: x509.validFromDate,
    notAfter: x509.validToDate,
    uris: read('subjectAltName', urisOf) ?? [],
    keyUsage: read('keyUsage', keyUsageOf),
    extendedKeyUsage: read('extendedKeyUsage', extendedKeyUsageOf),
    authority: basic?.authority ?? false,
    pathLength: basic?.pathLength,
    uriConstraints: read('nameConstraints', uriConstraintsOf) ?? { permitted: undefined, excluded: [] },
    unknownCritical: [...extensions].filter(([id, { critical }]) => critical && !known.includes(id)).map(([id]) => id),
  };
}
