// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from 'node:crypto';
import test from 'ava';
import { CrosswireError } from '../../../../src/model/error.ts';
import type { Identity } from '../../../../src/spiffe/identity.ts';
import { certificatesOf } from '../../../../src/spiffe/x509/pem.ts';
import { verifyPeer } from '../../../../src/spiffe/x509/trust.ts';
import {
  Extension,
  type IntermediateOptions,
  KeyUsageFlags,
  type LeafOptions,
  TestAuthority,
} from '../../../nsm/support/authority.ts';

const root = await TestAuthority.create();
const federated = await TestAuthority.create({ trustDomain: 'other.nsm', key: 'RSA' });
const bundles = new Map([...root.bundles, ...federated.bundles]);
const minute = 60_000;

function verify({ certificates }: Identity, trusted: ReadonlyMap<string, string> = bundles): string {
  return verifyPeer(certificatesOf(certificates), trusted);
}

function reasonOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof CrosswireError && error.code === 'PEER_REFUSED') return error.reason;
    throw error;
  }
  return 'accepted';
}

test('an SVID of the own trust domain, of a federated one, and one with DNS names beside', async (t) => {
  t.is(verify(await root.issue('nsc')), 'spiffe://test.nsm/nsc');
  t.is(
    verify(await federated.issue('ns/nsm-system/pod/nsmgr-x.y_z')),
    'spiffe://other.nsm/ns/nsm-system/pod/nsmgr-x.y_z',
  );
  t.is(verify(await root.issue('nsc', { dnsNames: ['nsc.example.org', 'a'] })), 'spiffe://test.nsm/nsc');
  t.is(verify(await root.issue('nsc', { extendedKeyUsages: [] })), 'spiffe://test.nsm/nsc');
  t.is(verify(await root.issue('nsc', { key: 'RSA' })), 'spiffe://test.nsm/nsc');
});

test('intermediates in any order, with a root among others', async (t) => {
  const upper = await root.intermediate({ pathLength: 1 });
  const lower = await upper.intermediate({ key: 'RSA', pathLength: 0 });
  const leaf = await lower.issue('nsc');
  const [first, second, third] = certificatesOf(leaf.certificates) as [string, string, string];
  const several = new Map([['test.nsm', (await TestAuthority.create()).bundle + root.bundle]]);
  t.is(verify(leaf, several), leaf.spiffeId);
  t.is(verifyPeer([first, third, second], several), leaf.spiffeId);
  t.is(verifyPeer([first, second, third, root.bundle], several), leaf.spiffeId);
  t.regex(
    reasonOf(() => verifyPeer([first, third], several)),
    /no authority/,
  );
  // An intermediate in the bundle is an authority like any other.
  t.is(verifyPeer([first], new Map([['test.nsm', second]])), leaf.spiffeId);
});

const refusedLeaves: Record<string, [LeafOptions, RegExp]> = {
  'no URI': [{ uris: [], dnsNames: ['nsc'] }, /no URI/],
  'two URIs': [{ uris: ['spiffe://test.nsm/nsc', 'spiffe://test.nsm/nsmgr'] }, /more than one URI/],
  'a SPIFFE ID and another URI': [{ uris: ['spiffe://test.nsm/nsc', 'https://test.nsm/'] }, /more than one URI/],
  'another scheme': [{ uris: ['https://test.nsm/nsc'] }, /does not start with spiffe/],
  'a scheme in capitals': [{ uris: ['SPIFFE://test.nsm/nsc'] }, /does not start with spiffe/],
  'no path': [{ uris: ['spiffe://test.nsm'] }, /no path/],
  'a root path': [{ uris: ['spiffe://test.nsm/'] }, /path segment/],
  'a trailing slash': [{ uris: ['spiffe://test.nsm/nsc/'] }, /path segment/],
  'an empty segment': [{ uris: ['spiffe://test.nsm/a//b'] }, /path segment/],
  'a dot segment': [{ uris: ['spiffe://test.nsm/a/../b'] }, /path segment/],
  'an escaped character': [{ uris: ['spiffe://test.nsm/a%2fb'] }, /path segment/],
  'a query': [{ uris: ['spiffe://test.nsm/nsc?a=b'] }, /path segment/],
  'a fragment': [{ uris: ['spiffe://test.nsm/nsc#a'] }, /path segment/],
  'a port': [{ uris: ['spiffe://test.nsm:443/nsc'] }, /trust domain is not one/],
  'a user': [{ uris: ['spiffe://me@test.nsm/nsc'] }, /trust domain is not one/],
  'capitals in the trust domain': [{ uris: ['spiffe://Test.nsm/nsc'] }, /trust domain is not one/],
  'no trust domain': [{ uris: ['spiffe:///nsc'] }, /trust domain is not one/],
  'a trust domain that is too long': [{ uris: [`spiffe://${'a'.repeat(256)}/nsc`] }, /trust domain is not one/],
  'an ID that is too long': [{ uris: [`spiffe://test.nsm/${'a'.repeat(2048)}`] }, /longer than 2048/],
  'a trust domain without a bundle': [{ uris: ['spiffe://elsewhere/nsc'] }, /no bundle of the trust domain elsewhere/],
  'the ID of another trust domain': [
    { uris: ['spiffe://other.nsm/nsc'] },
    /no authority of the trust domain other\.nsm/,
  ],
  'a certificate of an authority': [{ ca: true }, /one of an authority/],
  'a key that signs certificates': [
    { keyUsages: KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign },
    /may sign certificates/,
  ],
  'a key that signs revocations': [
    { keyUsages: KeyUsageFlags.digitalSignature | KeyUsageFlags.cRLSign },
    /may sign certificates/,
  ],
  'a key that signs nothing': [{ keyUsages: KeyUsageFlags.keyEncipherment }, /digital signatures/],
  'no key usage': [{ keyUsages: 0 }, /digital signatures/],
  'an extended key usage for clients alone': [{ extendedKeyUsages: ['1.3.6.1.5.5.7.3.2'] }, /extended key usage/],
  'a critical extension that nobody knows': [
    { extensions: [new Extension('1.2.3.4.5', true, new Uint8Array([5, 0]))] },
    /critical extension/,
  ],
  'a life that is over': [{ notAfter: new Date(Date.now() - minute) }, /expired at/],
  'a life yet to come': [{ notBefore: new Date(Date.now() + minute) }, /valid from/],
};

for (const [what, [options, reason]] of Object.entries(refusedLeaves))
  test(`refused: ${what}`, async (t) => {
    const identity = await root.issue('nsc', options);
    t.regex(
      reasonOf(() => verify(identity)),
      reason,
    );
  });

const uriConstraint = (kind: 'permitted' | 'excluded', host: string) => {
  const name = Buffer.from(host);
  const wrap = (tag: number, content: Buffer) => Buffer.concat([Buffer.from([tag, content.length]), content]);
  const subtrees = wrap(kind === 'permitted' ? 0xa0 : 0xa1, wrap(0x30, wrap(0x86, name)));
  return new Extension('2.5.29.30', true, wrap(0x30, subtrees));
};

const intermediates: Record<string, [IntermediateOptions, RegExp]> = {
  'is no authority': [{ ca: false }, /no authority/],
  'may not sign certificates': [{ keyUsages: KeyUsageFlags.cRLSign }, /no authority/],
  'has expired': [{ notAfter: new Date(Date.now() - minute) }, /no authority/],
  'is for another trust domain': [{ extensions: [uriConstraint('permitted', 'other.nsm')] }, /no authority/],
  'is for domains below': [{ extensions: [uriConstraint('permitted', '.test.nsm')] }, /no authority/],
  'is not for this trust domain': [{ extensions: [uriConstraint('excluded', 'test.nsm')] }, /no authority/],
  'has a critical extension that nobody knows': [
    { extensions: [new Extension('1.2.3.4.5', true, new Uint8Array([5, 0]))] },
    /no authority/,
  ],
  'is for this trust domain': [{ extensions: [uriConstraint('permitted', 'test.nsm')] }, /accepted/],
  'is for all below the upper domain': [{ extensions: [uriConstraint('permitted', '.nsm')] }, /accepted/],
};

for (const [what, [options, reason]] of Object.entries(intermediates))
  test(`an intermediate that ${what}`, async (t) => {
    const intermediate = await root.intermediate(options);
    const identity = await intermediate.issue('nsc');
    t.regex(
      reasonOf(() => verify(identity)),
      reason,
    );
  });

test('refused: a longer path than an authority allows', async (t) => {
  const upper = await root.intermediate({ pathLength: 0 });
  const identity = await (await upper.intermediate()).issue('nsc');
  t.regex(
    reasonOf(() => verify(identity)),
    /no authority/,
  );
});

test('refused: a workload that acts as an authority', async (t) => {
  const workload = await root.intermediate({ ca: false, keyUsages: KeyUsageFlags.digitalSignature });
  const identity = await workload.issue('nsmgr');
  t.regex(
    reasonOf(() => verify(identity)),
    /no authority/,
  );
});

test('refused: an authority of the same name but with another key', async (t) => {
  const [one, other] = [await TestAuthority.create({ name: 'a' }), await TestAuthority.create({ name: 'a' })];
  const identity = await one.issue('nsc');
  t.is(verify(identity, one.bundles), identity.spiffeId);
  t.regex(
    reasonOf(() => verify(identity, other.bundles)),
    /no authority/,
  );
});

test('refused: a root whose life is over', async (t) => {
  const old = await TestAuthority.create({ notAfter: new Date(Date.now() - minute) });
  const identity = await old.issue('nsc');
  t.regex(
    reasonOf(() => verify(identity, old.bundles)),
    /no authority/,
  );
});

test('refused: no certificate, too many, garbage, and every broken byte', async (t) => {
  const identity = await root.issue('nsc');
  const [leaf] = certificatesOf(identity.certificates) as [string];
  t.regex(
    reasonOf(() => verifyPeer([], bundles)),
    /no certificate/,
  );
  t.regex(
    reasonOf(() =>
      verifyPeer(
        Array.from({ length: 6 }, () => leaf),
        bundles,
      ),
    ),
    /more than 5/,
  );
  t.regex(
    reasonOf(() => verifyPeer(['garbage'], bundles)),
    /cannot be read/,
  );
  const der = Buffer.from(leaf.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  for (let round = 0; round < 500; round++) {
    const broken = Buffer.from(der);
    const at = Math.floor((round / 500) * der.length);
    broken[at] = (broken[at] as number) ^ ((randomBytes(1)[0] as number) | 1);
    const pem = `-----BEGIN CERTIFICATE-----\n${broken.toString('base64')}\n-----END CERTIFICATE-----\n`;
    t.not(
      reasonOf(() => verifyPeer([pem], bundles)),
      'accepted',
      `byte ${at}`,
    );
  }
});

test('the search of a path among certificates that all certify each other is bounded', async (t) => {
  const identity = await (await root.intermediate()).issue('nsc');
  const [leaf, intermediate] = certificatesOf(identity.certificates) as [string, string];
  t.regex(
    reasonOf(() => verifyPeer([leaf, intermediate, intermediate, intermediate, intermediate], federated.bundles)),
    /no bundle/,
  );
  const stranger = new Map([['test.nsm', federated.bundle]]);
  t.regex(
    reasonOf(() => verifyPeer([leaf, intermediate, intermediate, intermediate, intermediate], stranger)),
    /no authority/,
  );
});
