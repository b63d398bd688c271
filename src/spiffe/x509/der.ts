// SPDX-License-Identifier: Apache-2.0
// DER (ITU-T X.690), as far as certificates need it. Input may be hostile: every length is checked against the bytes that
// are there, nothing recurses, and only the one encoding that DER allows is read, so that no other reader of the same bytes
// sees something else.

export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** With tag and length. */
  readonly encoded: Buffer;
}

export const tag = { boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, sequence: 0x30 } as const;

/** The elements that follow each other in `der`. Throws RangeError where it is not DER. */
export function elementsOf(der: Buffer): Element[] {
  const found: Element[] = [];
  for (let offset = 0; offset < der.length; ) {
    const element = elementAt(der, offset);
    found.push(element);
    offset += element.encoded.length;
  }
  return found;
}

/** The content of the one element that `der` is. */
export function contentOf(der: Buffer, expected: number): Buffer {
  const [only, ...others] = elementsOf(der);
  if (only?.tag !== expected || others.length > 0) throw new RangeError(`not one DER element of tag ${expected}`);
  return only.content;
}

/** The elements inside the one sequence that `der` is. */
export function sequenceOf(der: Buffer): Element[] {
  return elementsOf(contentOf(der, tag.sequence));
}

/** Section 11.1. */
export function booleanOf({ content }: Element): boolean {
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw new RangeError('not a DER boolean');
  return content[0] !== 0;
}

/** Section 8.3, of numbers that a peer has reason to send. */
export function smallIntegerOf({ content }: Element): number {
  const [first = 0xff] = content;
  const isPadded = content.length > 1 && first === 0 && (content[1] as number) < 0x80;
  if (first >= 0x80 || isPadded || content.length > 4) throw new RangeError('not a small DER integer');
  return content.readUIntBE(0, content.length);
}

/** Section 8.1.3 as section 10.1 restricts it: the definite form, in as few bytes as possible. */
function elementAt(der: Buffer, offset: number): Element {
  const [first, second] = [der[offset] as number, der[offset + 1]];
  if ((first & 0x1f) === 0x1f) throw new RangeError('a DER tag of more than one byte');
  if (second === undefined) throw new RangeError('DER ends within an element');
  const lengthBytes = second < 0x80 ? 0 : second & 0x7f;
  if (second === 0x80 || lengthBytes > 4) throw new RangeError('a DER length of a form that is not supported');
  const start = offset + 2 + lengthBytes;
  if (start > der.length) throw new RangeError('DER ends within a length');
  const length = lengthBytes === 0 ? second : der.readUIntBE(offset + 2, lengthBytes);
  if (lengthBytes > 0 && length < (lengthBytes === 1 ? 0x80 : 0x100 ** (lengthBytes - 1)))
    throw new RangeError('a DER length that is longer than it needs to be');
  const end = start + length;
  if (end > der.length) throw new RangeError('DER ends within an element');
  return { tag: first, content: der.subarray(start, end), encoded: der.subarray(offset, end) };
}
