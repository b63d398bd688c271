// SPDX-License-Identifier: Apache-2.0
// The reader of certificates against two others, OpenSSL and @peculiar/x509, on certificates broken at random: whatever ours
// reads, they read too, and the same.

import { X509Certificate as OpensslCertificate } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { type Certificate, readCertificate } from '../../../../src/spiffe/x509/certificate.ts';
import { elementsOf, sequenceOf } from '../../../../src/spiffe/x509/der.ts';
import { extensionsOf } from '../../../../src/spiffe/x509/extensions.ts';
import { certificatesOf, pemOf } from '../../../../src/spiffe/x509/pem.ts';
import { KeyUsageFlags, TestAuthority } from '../../../nsm/support/authority.ts';

const library = await import('@peculiar/x509');
const authority = await TestAuthority.create();
const intermediate = await authority.intermediate({ pathLength: 1 });
const identity = await intermediate.issue('nsc', { dnsNames: ['nsc.example.org'] });
const good = certificatesOf(identity.certificates).map((pem) => new OpensslCertificate(pem).raw);

interface Seen {
  readonly uris: readonly string[];
  readonly authority: boolean;
  readonly pathLength: number | undefined;
  readonly keyUsage: Certificate['keyUsage'];
  /** Undefined without the extension. */
  readonly forServers: boolean | undefined;
  readonly forClients: boolean | undefined;
  readonly unknownCritical: number;
  readonly notBefore: number;
  readonly notAfter: number;
}

function seenByOurs(pem: string): Seen {
  const { uris, authority, pathLength, keyUsage, extendedKeyUsage, ...rest } = readCertificate(pem);
  return {
    uris,
    authority,
    pathLength,
    keyUsage,
    forServers: extendedKeyUsage?.includes('2b06010505070301'),
    forClients: extendedKeyUsage?.includes('2b06010505070302'),
    unknownCritical: rest.unknownCritical.length,
    notBefore: rest.notBefore.getTime(),
    notAfter: rest.notAfter.getTime(),
  };
}

/** Whether it has an extension, or names, into which the library looks but ours does not. */
function hasOther(pem: string): boolean {
  const extensions = extensionsOf(new OpensslCertificate(pem).raw);
  const isRead = [...extensions.keys()].every((id) => /^551d(0f|11|13|25)$/.test(id));
  const names = sequenceOf(extensions.get('551d11')?.value ?? Buffer.from([0x30, 0]));
  return !isRead || names.some(({ tag }) => tag !== 0x82 && tag !== 0x86); // other than DNS and URI
}

const readHere = ['2.5.29.15', '2.5.29.17', '2.5.29.19', '2.5.29.30', '2.5.29.32', '2.5.29.37'];

function seenByLibrary(pem: string): Seen {
  const certificate = new library.X509Certificate(pem);
  const names = certificate.getExtension(library.SubjectAlternativeNameExtension)?.names.items ?? [];
  const usages = certificate.getExtension(library.KeyUsagesExtension)?.usages;
  const extended = certificate.getExtension(library.ExtendedKeyUsageExtension)?.usages;
  const basic = certificate.getExtension(library.BasicConstraintsExtension);
  const may = (flag: number) => ((usages ?? 0) & flag) !== 0;
  return {
    uris: names.filter(({ type }) => type === 'url').map(({ value }) => value),
    authority: basic?.ca ?? false,
    pathLength: basic?.pathLength,
    keyUsage:
      usages === undefined
        ? undefined
        : {
            digitalSignature: may(KeyUsageFlags.digitalSignature),
            certificateSign: may(KeyUsageFlags.keyCertSign),
            crlSign: may(KeyUsageFlags.cRLSign),
          },
    forServers: extended?.includes(library.ExtendedKeyUsage.serverAuth),
    forClients: extended?.includes(library.ExtendedKeyUsage.clientAuth),
    unknownCritical: certificate.extensions.filter((one) => one.critical && !readHere.includes(one.type)).length,
    notBefore: certificate.notBefore.getTime(),
    notAfter: certificate.notAfter.getTime(),
  };
}

/** Undefined: it is refused. Whatever is thrown must be an error that callers expect of a reader. */
function attempt<T>(t: ExecutionContext, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    t.true(error instanceof Error && !(error instanceof TypeError), String(error));
    return undefined;
  }
}

interface Change {
  readonly at: number;
  readonly byte: number;
}

const changes = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { minLength: 1, maxLength: 3 });

/** With bytes changed between `start` and `end`: half of them one bit only, which keeps more of the structure. */
function broken(der: Buffer, start: number, end: number, made: readonly Change[]): string {
  const copy = Buffer.from(der);
  for (const { at, byte } of made) {
    const where = start + (at % (end - start));
    copy[where] = at % 2 === 0 ? byte : (copy[where] as number) ^ (1 << (byte % 8));
  }
  return pemOf(copy, 'CERTIFICATE');
}

test('as issued, all three readers see the same', (t) => {
  for (const der of good) {
    const pem = pemOf(der, 'CERTIFICATE');
    t.deepEqual(seenByOurs(pem), seenByLibrary(pem));
  }
});

test('broken extensions: whatever ours reads, the library reads too, and the same', (t) => {
  let [both, neither] = [0, 0];
  const property = fc.property(fc.constantFrom(...good), changes, (der, made) => {
    const field = elementsOf(sequenceOf(der)[0]?.content as Buffer).find((one) => one.tag === 0xa3)?.encoded as Buffer;
    const start = der.indexOf(field);
    const pem = broken(der, start, start + field.length, made);
    const ours = attempt(t, () => seenByOurs(pem));
    if (ours === undefined) neither += 1;
    if (ours === undefined || hasOther(pem)) return;
    both += 1;
    t.notThrows(() => t.deepEqual(ours, seenByLibrary(pem), pem), pem);
  });
  fc.assert(property, { numRuns: 1_500, seed: 1_500 });
  t.true(both > 100 && neither > 100, `${both} were read, ${neither} refused`);
});

test('broken anywhere: what ours reads, OpenSSL sees too; what cannot be read is an error', (t) => {
  const property = fc.property(fc.constantFrom(...good), changes, (der, made) => {
    const pem = broken(der, 0, der.length, made);
    const ours = attempt(t, () => readCertificate(pem));
    if (ours === undefined) return;
    const openssl = new OpensslCertificate(pem);
    if (openssl.ca) t.true(ours.authority && ours.keyUsage?.certificateSign !== false, pem);
    const names = openssl.subjectAltName ?? '';
    // With quotes around a name that could be mistaken for two.
    if (!names.includes('"'))
      t.deepEqual(
        ours.uris,
        names.split(', ').flatMap((name) => (name.startsWith('URI:') ? [name.slice('URI:'.length)] : [])),
        pem,
      );
  });
  fc.assert(property, { numRuns: 3_000, seed: 3_000 });
});

test('cut off anywhere, or with anything behind: an error', (t) => {
  const [leaf] = good as [Buffer];
  for (let length = 0; length < leaf.length; length++)
    t.is(
      attempt(t, () => readCertificate(pemOf(leaf.subarray(0, length), 'CERTIFICATE'))),
      undefined,
    );
  t.is(
    attempt(t, () => readCertificate(pemOf(Buffer.concat([leaf, Buffer.from([5, 0])]), 'CERTIFICATE'))),
    undefined,
  );
});

test('a sequence within a sequence, a hundred thousand times: an error, at once', (t) => {
  let nested = Buffer.alloc(0);
  const heads: Buffer[] = [];
  for (let depth = 0, length = 0; depth < 100_000; depth++) {
    const head = Buffer.alloc(6, 0x30);
    head[1] = 0x84;
    head.writeUInt32BE(length, 2);
    heads.push(head);
    length += head.length;
  }
  nested = Buffer.concat(heads.reverse());
  t.is(
    attempt(t, () => readCertificate(pemOf(nested, 'CERTIFICATE'))),
    undefined,
  );
});
