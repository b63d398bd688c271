// SPDX-License-Identifier: Apache-2.0
// PEM (RFC 7468) from files, and from the DER that the Workload API sends.

import { elementsOf } from './der.ts';

const certificateBlock = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** Each certificate of a PEM text; other blocks are ignored. */
export function certificatesOf(pem: string): string[] {
  return Array.from(pem.matchAll(certificateBlock), ([block]) => `${block}\n`);
}

/** `der`: certificates that follow each other. Throws RangeError where they are not DER. */
export function pemOfCertificates(der: Uint8Array): string {
  const certificates = elementsOf(Buffer.from(der));
  return certificates.map(({ encoded }) => pemOf(encoded, 'CERTIFICATE')).join('');
}

export function pemOf(der: Uint8Array, label: 'CERTIFICATE' | 'PRIVATE KEY'): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
