// SPDX-License-Identifier: Apache-2.0
// The little of DER (ITU-T X.690) that certificates need and node:crypto does not show. Input may be hostile: every
// length is checked against the bytes that are there, and nothing recurses.

export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** With tag and length. */
  readonly encoded: Buffer;
}

export const tag = { boolean: 0x01, integer: 0x02, octets: 0x04, oid: 0x06, sequence: 0x30 } as const;

/** The elements that stand one after the other in `der`. Throws RangeError where it is not DER. */
export function elementsOf(der: Buffer): Element[] {
  const found: Element[] = [];
  for (let offset = 0; offset < der.length; ) {
    const element = elementAt(der, offset);
    found.push(element);
    offset += element.encoded.length;
  }
  return found;
}

/** The elements inside the one element that `der` is. */
export function sequenceOf(der: Buffer): Element[] {
  const [only, ...others] = elementsOf(der);
  if (only?.tag !== tag.sequence || others.length > 0) throw new RangeError('not a DER sequence');
  return elementsOf(only.content);
}

function elementAt(der: Buffer, offset: number): Element {
  const first = der[offset + 1];
  if (first === undefined) throw new RangeError('DER ends within an element');
  // Short form, or up to four bytes of length; DER has no indefinite form (0x80).
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 4) throw new RangeError('DER length of a form that is not supported');
  const start = offset + 2 + lengthBytes;
  if (start > der.length) throw new RangeError('DER ends within a length');
  const length = lengthBytes === 0 ? first : der.readUIntBE(offset + 2, lengthBytes);
  const end = start + length;
  if (end > der.length) throw new RangeError('DER ends within an element');
  return { tag: der[offset] as number, content: der.subarray(start, end), encoded: der.subarray(offset, end) };
}
