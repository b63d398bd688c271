// SPDX-License-Identifier: Apache-2.0
// A certificate with those of its extensions that node:crypto does not show (RFC 5280, section 4.2.1).

import { X509Certificate } from 'node:crypto';
import { type Element, elementsOf, sequenceOf, tag } from './der.ts';

export interface Certificate {
  readonly x509: X509Certificate;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The URIs among the subject's alternative names. */
  readonly uris: readonly string[];
  /** Undefined without the extension. */
  readonly keyUsage: KeyUsage | undefined;
  /** OIDs; undefined without the extension. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  /** What basicConstraints says. X509Certificate.ca is false too when the key usage does not allow to sign. */
  readonly authority: boolean;
  /** How many authorities may stand between this one and a leaf; undefined: any. */
  readonly pathLength: number | undefined;
  readonly uriConstraints: UriConstraints;
  /** OIDs, in hexadecimal, of critical extensions that are not looked at here. */
  readonly unknownCritical: readonly string[];
}

export interface KeyUsage {
  readonly digitalSignature: boolean;
  readonly certificateSign: boolean;
  readonly crlSign: boolean;
}

/** Hosts: `example.org` is that one, `.example.org` every one below it. */
export interface UriConstraints {
  /** Undefined: all. */
  readonly permitted: readonly string[] | undefined;
  readonly excluded: readonly string[];
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

const uriName = 0x86; // GeneralName [6]
const extensionsField = 0xa3; // of TBSCertificate, [3]

interface Extension {
  readonly critical: boolean;
  readonly value: Buffer;
}

/** Throws when it cannot be read. */
export function readCertificate(pem: string): Certificate {
  const x509 = new X509Certificate(pem);
  const extensions = extensionsOf(x509.raw);
  const value = (name: keyof typeof oid) => extensions.get(oid[name])?.value;
  const names = value('subjectAltName');
  const basic = sequenceOf(value('basicConstraints') ?? emptySequence);
  const pathLength = basic.find((element) => element.tag === tag.integer);
  return {
    x509,
    notBefore: x509.validFromDate,
    notAfter: x509.validToDate,
    uris: names === undefined ? [] : uriNames(sequenceOf(names)),
    keyUsage: keyUsageOf(value('keyUsage')),
    extendedKeyUsage: value('extendedKeyUsage') === undefined ? undefined : x509.keyUsage,
    authority: basic.some((element) => element.tag === tag.boolean && element.content[0] !== 0),
    pathLength: pathLength && Number.parseInt(pathLength.content.toString('hex'), 16),
    uriConstraints: uriConstraintsOf(value('nameConstraints')),
    unknownCritical: [...extensions].filter(([id, { critical }]) => critical && !known.includes(id)).map(([id]) => id),
  };
}

const emptySequence = Buffer.from([tag.sequence, 0]);

function extensionsOf(der: Buffer): Map<string, Extension> {
  const extensions = new Map<string, Extension>();
  const toBeSigned = elementsOf(sequenceOf(der)[0]?.content ?? Buffer.alloc(0));
  const field = toBeSigned.find((element) => element.tag === extensionsField);
  if (field === undefined) return extensions;
  for (const { encoded } of sequenceOf(field.content)) {
    const [id, ...rest] = sequenceOf(encoded);
    const value = rest.at(-1);
    if (id?.tag !== tag.oid || value?.tag !== tag.octets) throw new RangeError('an extension is malformed');
    const name = id.content.toString('hex');
    if (extensions.has(name)) throw new RangeError('an extension is there twice'); // RFC 5280, section 4.2
    const critical = rest.length > 1 && rest[0]?.content[0] !== 0;
    extensions.set(name, { critical, value: value.content });
  }
  return extensions;
}

function keyUsageOf(value: Buffer | undefined): KeyUsage | undefined {
  if (value === undefined) return undefined;
  // A bit string: how many bits are unused, then digitalSignature as the highest bit of the first byte.
  const bits = elementsOf(value)[0]?.content[1] ?? 0;
  return { digitalSignature: (bits & 0x80) !== 0, certificateSign: (bits & 0x04) !== 0, crlSign: (bits & 0x02) !== 0 };
}

function uriConstraintsOf(value: Buffer | undefined): UriConstraints {
  const subtrees = value === undefined ? [] : sequenceOf(value);
  const hosts = (context: number) =>
    subtrees
      .filter((element) => element.tag === context)
      .flatMap(({ content }) => elementsOf(content))
      .flatMap(({ content }) => uriNames(elementsOf(content)));
  const permitted = hosts(0xa0);
  // Constraints of other names say nothing about a URI.
  return { permitted: permitted.length > 0 ? permitted : undefined, excluded: hosts(0xa1) };
}

function uriNames(names: readonly Element[]): string[] {
  return names.filter((name) => name.tag === uriName).map((name) => name.content.toString('latin1'));
}
