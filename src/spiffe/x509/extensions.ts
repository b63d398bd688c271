// SPDX-License-Identifier: Apache-2.0
// The extensions of a certificate that decide who a peer is and what it may do (RFC 5280, section 4.2.1). What does not have
// the form that the RFC gives it is refused, not passed over: an extension that we could not read might forbid something.

import { booleanOf, contentOf, type Element, elementsOf, sequenceOf, smallIntegerOf, tag } from './der.ts';

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

export interface BasicConstraints {
  readonly authority: boolean;
  readonly pathLength: number | undefined;
}

export interface Extension {
  readonly critical: boolean;
  readonly value: Buffer;
}

const extensionsField = 0xa3; // of TBSCertificate, [3]

/** The extensions of a certificate: content of the object identifier in hexadecimal → extension. */
export function extensionsOf(certificate: Buffer): Map<string, Extension> {
  const [toBeSigned] = sequenceOf(certificate);
  const field = elementsOf(toBeSigned?.content ?? Buffer.alloc(0)).find((one) => one.tag === extensionsField);
  const extensions = new Map<string, Extension>();
  for (const { encoded } of field ? sequenceOf(field.content) : []) {
    const [id, ...rest] = sequenceOf(encoded);
    const [value, flag, ...more] = rest.reverse();
    const hasForm = id?.tag === tag.oid && value?.tag === tag.octets && (flag?.tag ?? tag.boolean) === tag.boolean;
    if (!hasForm || more.length > 0) throw new RangeError('an extension is malformed');
    const name = id.content.toString('hex');
    if (extensions.has(name)) throw new RangeError('an extension is there twice'); // RFC 5280, section 4.2
    extensions.set(name, { critical: flag !== undefined && booleanOf(flag), value: value.content });
  }
  return extensions;
}

/** Section 4.2.1.3. */
export function keyUsageOf(value: Buffer): KeyUsage {
  // How many bits of the last byte are unused, which DER has zero (X.690, section 11.2.1); then digitalSignature is the
  // highest bit of the first byte.
  const content = contentOf(value, tag.bits);
  const [unused = 8, first = 0] = content;
  const hasUnused = content.length > 1 && ((content.at(-1) as number) & ((1 << unused) - 1)) !== 0;
  if (unused > 7 || hasUnused) throw new RangeError('the key usage is malformed');
  return {
    digitalSignature: (first & 0x80) !== 0,
    certificateSign: (first & 0x04) !== 0,
    crlSign: (first & 0x02) !== 0,
  };
}

/** Section 4.2.1.12: object identifiers, their content in hexadecimal. */
export function extendedKeyUsageOf(value: Buffer): string[] {
  return sequenceOf(value).map((usage) => {
    if (usage.tag !== tag.oid || !isIdentifier(usage.content))
      throw new RangeError('an extended key usage is malformed');
    return usage.content.toString('hex');
  });
}

/** Numbers in base 128, each in as few bytes as possible (X.690, section 8.19.2). */
function isIdentifier(content: Buffer): boolean {
  const isLast = (at: number) => (content[at] as number) < 0x80;
  return (
    content.length > 0 &&
    isLast(content.length - 1) &&
    content.every((byte, at) => byte !== 0x80 || (at > 0 && !isLast(at - 1)))
  );
}

/** Section 4.2.1.6: the URIs among the names. */
export function urisOf(value: Buffer): string[] {
  return uriNames(sequenceOf(value));
}

/** Section 4.2.1.9. */
export function basicConstraintsOf(value: Buffer): BasicConstraints {
  const fields = sequenceOf(value);
  const authority = fields[0]?.tag === tag.boolean ? fields.shift() : undefined;
  const pathLength = fields[0]?.tag === tag.integer ? fields.shift() : undefined;
  if (fields.length > 0) throw new RangeError('the basic constraints are malformed');
  return {
    authority: authority !== undefined && booleanOf(authority),
    pathLength: pathLength && smallIntegerOf(pathLength),
  };
}

/** Section 4.2.1.10: of URIs, for constraints of other names say nothing about them. */
export function uriConstraintsOf(value: Buffer): UriConstraints {
  const hosts = { [0xa0]: [] as string[], [0xa1]: [] as string[] };
  for (const { tag: kind, content } of sequenceOf(value)) {
    if (kind !== 0xa0 && kind !== 0xa1) throw new RangeError('the name constraints are malformed');
    // Minimum and maximum are never used, so a subtree is one name.
    for (const { encoded } of elementsOf(content)) {
      const names = sequenceOf(encoded);
      if (names.length !== 1) throw new RangeError('a name constraint is malformed');
      hosts[kind].push(...uriNames(names));
    }
  }
  return { permitted: hosts[0xa0].length > 0 ? hosts[0xa0] : undefined, excluded: hosts[0xa1] };
}

/** GeneralName, section 4.2.1.6: primitive choices [1], [2], [6], [7], [8] and constructed ones [0], [3], [4], [5]. */
const generalNames = [0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88];
const uriName = 0x86;

function uriNames(names: readonly Element[]): string[] {
  if (names.some((name) => !generalNames.includes(name.tag))) throw new RangeError('a name is malformed');
  return names.flatMap(({ tag: kind, content }) => (kind === uriName ? [asciiOf(content)] : []));
}

/** IA5String. */
function asciiOf(content: Buffer): string {
  if (content.some((byte) => byte > 0x7f)) throw new RangeError('a URI is not ASCII');
  return content.toString('latin1');
}
