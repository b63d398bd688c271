// SPDX-License-Identifier: Apache-2.0
// Extensions in the form that RFC 5280 gives them, and in forms that a lenient reader might let pass.

import test from 'ava';
import { elementsOf } from '../../../../src/spiffe/x509/der.ts';
import {
  basicConstraintsOf,
  extendedKeyUsageOf,
  extensionsOf,
  keyUsageOf,
  uriConstraintsOf,
  urisOf,
} from '../../../../src/spiffe/x509/extensions.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const readers = {
  elementsOf,
  basicConstraintsOf,
  keyUsageOf,
  extendedKeyUsageOf,
  urisOf,
  uriConstraintsOf,
  extensionsOf,
};

const read: Record<string, [keyof typeof readers, string, unknown]> = {
  'no authority': ['basicConstraintsOf', '3000', { authority: false, pathLength: undefined }],
  'no authority, said': ['basicConstraintsOf', '3003 010100', { authority: false, pathLength: undefined }],
  'an authority': ['basicConstraintsOf', '3003 0101ff', { authority: true, pathLength: undefined }],
  'an authority above leaves': ['basicConstraintsOf', '3006 0101ff 020100', { authority: true, pathLength: 0 }],
  'a long path': ['basicConstraintsOf', '3007 0101ff 02020080', { authority: true, pathLength: 128 }],
  'a key of a workload': [
    'keyUsageOf',
    '030207 80',
    { digitalSignature: true, certificateSign: false, crlSign: false },
  ],
  'a key of an authority': [
    'keyUsageOf',
    '030201 06',
    { digitalSignature: false, certificateSign: true, crlSign: true },
  ],
  'a key for nothing': ['keyUsageOf', '030100', { digitalSignature: false, certificateSign: false, crlSign: false }],
  'for TLS servers': ['extendedKeyUsageOf', '300a 0608 2b06010505070301', ['2b06010505070301']],
  'an identifier with a number of two bytes': ['extendedKeyUsageOf', '3005 0603 2b8100', ['2b8100']],
  'URIs among names': ['urisOf', '300b 820161 860162 8700 860163', ['b', 'c']],
  'constraints of other names': ['uriConstraintsOf', '3007 a005 3003 820161', { permitted: undefined, excluded: [] }],
  'both constraints': [
    'uriConstraintsOf',
    '300e a005 3003 860161 a105 3003 860162',
    { permitted: ['a'], excluded: ['b'] },
  ],
};

for (const [what, [reader, hex, expected]] of Object.entries(read))
  test(`read: ${what}`, (t) => t.deepEqual<unknown, unknown>(readers[reader](bytes(hex)), expected));

const refused: Record<string, [keyof typeof readers, string]> = {
  'a length of more bytes than needed': ['elementsOf', '3081 03 0101ff'],
  'a length that begins with zero': ['elementsOf', '3082 0003 0101ff'],
  'an indefinite length': ['elementsOf', '3080 0101ff 0000'],
  'a length of five bytes': ['elementsOf', '3085 0000000001 00'],
  'a tag of two bytes': ['elementsOf', '3f01 00'],
  'an end within a length': ['elementsOf', '3082 01'],
  'an end within an element': ['elementsOf', '3004 0101ff'],
  'a tag without a length': ['elementsOf', '30'],
  'two sequences': ['basicConstraintsOf', '3000 3000'],
  'another type': ['basicConstraintsOf', '3100'],
  'true as a number': ['basicConstraintsOf', '3003 010101'],
  'an empty boolean': ['basicConstraintsOf', '3002 0100'],
  'a negative path length': ['basicConstraintsOf', '3006 0101ff 0201ff'],
  'an empty path length': ['basicConstraintsOf', '3005 0101ff 0200'],
  'a padded path length': ['basicConstraintsOf', '3007 0101ff 02020001'],
  'a path length before the authority': ['basicConstraintsOf', '3006 020100 0101ff'],
  'an authority twice': ['basicConstraintsOf', '3006 0101ff 010100'],
  'key usage in octets': ['keyUsageOf', '040207 80'],
  'key usage without a count of unused bits': ['keyUsageOf', '0300'],
  'key usage with eight unused bits': ['keyUsageOf', '030208 80'],
  'key usage with unused bits that are set': ['keyUsageOf', '030205 06'],
  'key usage and more': ['keyUsageOf', '030207 80 0500'],
  'extended key usage that is no identifier': ['extendedKeyUsageOf', '300a 0408 2b06010505070301'],
  'an empty identifier': ['extendedKeyUsageOf', '3002 0600'],
  'an identifier with a padded number': ['extendedKeyUsageOf', '300b 0609 2b8006010505070301'],
  'an identifier that ends within a number': ['extendedKeyUsageOf', '3004 0602 2b86'],
  'usages in a primitive sequence': ['extendedKeyUsageOf', '100a 0608 2b06010505070301'],
  'a name of an unknown kind': ['urisOf', '3003 890161'],
  'a constructed URI': ['urisOf', '3005 a603 860161'],
  'a URI that is not ASCII': ['urisOf', '3003 8601e9'],
  'a constraint that is no sequence': ['uriConstraintsOf', '3005 a003 860161'],
  'a constraint of two names': ['uriConstraintsOf', '300a a008 3006 860161 860162'],
  'a constraint of an unknown kind': ['uriConstraintsOf', '3007 a205 3003 860161'],
  // A certificate of a TBSCertificate with nothing but extensions.
  'an extension without a value': ['extensionsOf', '300b 3009 a307 3005 3003 060155'],
  'an extension that is critical twice': ['extensionsOf', '3014 3012 a310 300e 300c 060155 0101ff 0101ff 0401 00'],
  'a number in place of critical': ['extensionsOf', '3011 300f a30d 300b 3009 060155 0201ff 0401 00'],
  'an extension twice': ['extensionsOf', '3016 3014 a312 3010 3006 060155 0401 00 3006 060155 0401 00'],
};

for (const [what, [reader, hex]] of Object.entries(refused))
  test(`refused: ${what}`, (t) => {
    t.throws(() => readers[reader](bytes(hex)), { instanceOf: RangeError });
  });
