// SPDX-License-Identifier: Apache-2.0
// A certificate authority of one trust domain, for tests: SVIDs as SPIRE issues them, and ones broken on purpose.

import './reflect.ts';
import { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { Identity } from '../../../src/spiffe/identity.ts';

const keyKinds = {
  'P-256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  'P-384': { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  RSA: {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: 'SHA-256',
  },
} as const;

/** Re-exported, for @peculiar/x509 can only be imported after ./reflect.ts. */
export { Extension, KeyUsageFlags };

export type KeyKind = keyof typeof keyKinds;

export interface AuthorityOptions {
  readonly trustDomain?: string;
  /** The common name of the authority; its own by default. */
  readonly name?: string;
  /** SPIRE's own authorities are RSA-2048 by default; its leaves are P-256. */
  readonly key?: KeyKind;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** Defaults make a valid SVID of one hour. */
export interface LeafOptions {
  readonly key?: KeyKind;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Instead of `spiffe://<trust domain>/<name>`. */
  readonly uris?: readonly string[];
  /** Beside the URI, as SPIRE's autoPopulateDNSNames adds them. */
  readonly dnsNames?: readonly string[];
  readonly keyUsages?: number;
  readonly extendedKeyUsages?: readonly string[];
  readonly ca?: boolean;
  readonly extensions?: readonly Extension[];
}

export interface IntermediateOptions extends AuthorityOptions {
  readonly pathLength?: number;
  readonly keyUsages?: number;
  readonly ca?: boolean;
  readonly extensions?: readonly Extension[];
}

const hour = 3_600_000;
let serial = 0;

export class TestAuthority {
  readonly trustDomain: string;
  readonly #keys: webcrypto.CryptoKeyPair;
  /** From its own certificate up to the root; for a root, only its own. */
  readonly #chain: readonly X509Certificate[];

  private constructor(trustDomain: string, keys: webcrypto.CryptoKeyPair, chain: readonly X509Certificate[]) {
    this.trustDomain = trustDomain;
    this.#keys = keys;
    this.#chain = chain;
  }

  static async create(options: AuthorityOptions = {}): Promise<TestAuthority> {
    const { trustDomain = 'test.nsm', key = 'P-256' } = options;
    const keys = await keyPair(key);
    const name = `O=SPIFFE, CN=${options.name ?? `authority ${++serial} of ${trustDomain}`}`;
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name,
      keys,
      serialNumber: serialNumber(),
      notBefore: options.notBefore ?? new Date(Date.now() - hour),
      notAfter: options.notAfter ?? new Date(Date.now() + 24 * hour),
      signingAlgorithm: keyKinds[key],
      extensions: authorityExtensions(trustDomain),
    });
    return new TestAuthority(trustDomain, keys, [certificate]);
  }

  /** PEM of the root. */
  get bundle(): string {
    return pemOf(this.#chain.slice(-1));
  }

  /** Only this trust domain's bundle; callers add federated ones. */
  get bundles(): Map<string, string> {
    return new Map([[this.trustDomain, this.bundle]]);
  }

  /** Another authority of the same trust domain, certified by this one. */
  async intermediate(options: IntermediateOptions = {}): Promise<TestAuthority> {
    const { key = 'P-256' } = options;
    const keys = await keyPair(key);
    const certificate = await this.#certify({
      subject: `O=SPIFFE, CN=intermediate ${++serial} of ${this.trustDomain}`,
      publicKey: keys.publicKey,
      notBefore: options.notBefore ?? new Date(Date.now() - hour),
      notAfter: options.notAfter ?? new Date(Date.now() + 12 * hour),
      extensions: [...authorityExtensions(this.trustDomain, options), ...(options.extensions ?? [])],
    });
    return new TestAuthority(options.trustDomain ?? this.trustDomain, keys, [certificate, ...this.#chain]);
  }

  /** An SVID `spiffe://<trust domain>/<name>` with the bundle of this trust domain. */
  async issue(name: string, options: LeafOptions = {}): Promise<Identity> {
    const { key = 'P-256', notBefore = new Date(Date.now() - hour), notAfter = new Date(Date.now() + hour) } = options;
    const spiffeId = `spiffe://${this.trustDomain}/${name}`;
    const keys = await keyPair(key);
    const certificate = await this.#certify({
      subject: 'C=US, O=SPIRE',
      publicKey: keys.publicKey,
      notBefore,
      notAfter,
      extensions: leafExtensions(spiffeId, options),
    });
    return {
      spiffeId: options.uris?.[0] ?? spiffeId,
      certificates: pemOf([certificate, ...this.#chain.slice(0, -1)]),
      privateKey: pem(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'),
      notAfter: certificate.notAfter,
      bundles: this.bundles,
    };
  }

  #certify(details: {
    readonly subject: string;
    readonly publicKey: webcrypto.CryptoKey;
    readonly notBefore: Date;
    readonly notAfter: Date;
    readonly extensions: Extension[];
  }): Promise<X509Certificate> {
    return X509CertificateGenerator.create({
      ...details,
      serialNumber: serialNumber(),
      issuer: (this.#chain[0] as X509Certificate).subject,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: this.#keys.privateKey.algorithm.name === 'ECDSA' ? keyKinds['P-256'] : keyKinds.RSA,
    });
  }
}

function authorityExtensions(trustDomain: string, options: IntermediateOptions = {}): Extension[] {
  const keyUsages = options.keyUsages ?? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign;
  return [
    new BasicConstraintsExtension(options.ca ?? true, options.pathLength, true),
    new KeyUsagesExtension(keyUsages, true),
    new SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${trustDomain}` }]),
  ];
}

function leafExtensions(spiffeId: string, options: LeafOptions): Extension[] {
  const names = [
    ...(options.uris ?? [spiffeId]).map((value) => ({ type: 'url' as const, value })),
    ...(options.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
  ];
  const usages = options.extendedKeyUsages ?? [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth];
  const keyUsages = options.keyUsages ?? KeyUsageFlags.digitalSignature;
  return [
    new BasicConstraintsExtension(options.ca ?? false, undefined, true),
    ...(keyUsages === 0 ? [] : [new KeyUsagesExtension(keyUsages, true)]),
    ...(usages.length === 0 ? [] : [new ExtendedKeyUsageExtension([...usages])]),
    ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)]),
    ...(options.extensions ?? []),
  ];
}

function keyPair(kind: KeyKind): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(keyKinds[kind], true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

function serialNumber(): string {
  return Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)))
    .toString('hex')
    .replace(/^./, '1');
}

function pemOf(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => `${certificate.toString('pem')}\n`).join('');
}

function pem(der: ArrayBuffer, tag: string): string {
  return `${PemConverter.encode(der, tag)}\n`;
}
