// SPDX-License-Identifier: Apache-2.0

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { FileSource, type FileSourceOptions, type IdentityFiles } from '../../../../src/spiffe/sources/file-source.ts';
import type { Identity } from '../../../../src/spiffe/identity.ts';
import { TestAuthority } from '../../../nsm/support/authority.ts';
import { IdentityLog, nextIdentity } from './identity-support.ts';

const authority = await TestAuthority.create();
const [one, two, three] = (await Promise.all(['one', 'two', 'three'].map((name) => authority.issue(name)))) as [
  Identity,
  Identity,
  Identity,
];
const p384 = await authority.issue('fwd', { key: 'P-384' });
const expired = await authority.issue('fwd', { notAfter: new Date(Date.now() - 1000) });
const signal = AbortSignal.timeout(60_000);

function directoryOf(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'crosswire-identity-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

function filesIn(directory: string): IdentityFiles {
  const path = (name: string) => join(directory, name);
  return { certificate: path('tls.crt'), key: path('tls.key'), bundle: path('ca.crt') };
}

function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

function write(files: IdentityFiles, identity: Identity): void {
  replace(files.certificate, identity.certificates);
  replace(files.key, identity.privateKey);
  replace(files.bundle, identity.bundles.get('test.nsm') ?? '');
}

/** Polls rarely, so that tests see the effect of the watch; `settle`: how long files may fail to match before it is reported. */
function source(t: ExecutionContext, files: IdentityFiles, options: Partial<FileSourceOptions> = {}) {
  const log = new IdentityLog();
  const made = new FileSource({ files, log, pollMilliseconds: 3_600_000, settleMilliseconds: 20, ...options });
  t.teardown(() => made.close());
  made.start();
  return { source: made, log };
}

test('the identity in the files, and each that replaces it', async (t) => {
  const files = filesIn(directoryOf(t));
  write(files, one);
  const { source: read, log } = source(t, files, { settleMilliseconds: 60_000 });
  t.is((await read.ready(signal)).spiffeId, one.spiffeId);
  t.deepEqual(read.current()?.bundles, one.bundles);
  for (const identity of [two, three, one]) {
    const changed = nextIdentity(read);
    write(files, identity);
    t.is((await changed).spiffeId, identity.spiffeId);
  }
  t.true(
    log.entries.every(({ code }) => code === ''),
    'pairs that fitted only in the end are not reported',
  );
});

test('federated bundles, by trust domain', async (t) => {
  const other = await TestAuthority.create({ trustDomain: 'other.nsm' });
  const directory = directoryOf(t);
  const files = { ...filesIn(directory), federatedBundles: new Map([['other.nsm', join(directory, 'other.crt')]]) };
  writeFileSync(join(directory, 'other.crt'), other.bundle);
  write(files, one);
  const { source: read } = source(t, files);
  t.deepEqual((await read.ready(signal)).bundles, new Map([...one.bundles, ...other.bundles]));
  const renewed = await TestAuthority.create({ trustDomain: 'other.nsm' });
  const changed = nextIdentity(read);
  replace(join(directory, 'other.crt'), renewed.bundle);
  t.is((await changed).bundles.get('other.nsm'), renewed.bundle);
});

test('a federated bundle that is missing is reported like any other file', async (t) => {
  const directory = directoryOf(t);
  const files = { ...filesIn(directory), federatedBundles: new Map([['other.nsm', join(directory, 'other.crt')]]) };
  write(files, one);
  const { log } = source(t, files);
  await t.notThrowsAsync(
    log.until(({ code, reason }) => code === 'IDENTITY_UNUSABLE' && /ENOENT.*other\.crt/.test(reason)),
  );
});

test('files that are not there yet are waited for, and it is said', async (t) => {
  const files = filesIn(directoryOf(t));
  const { source: read, log } = source(t, files);
  await log.until(({ code, message }) => code === 'IDENTITY_UNUSABLE' && message.includes('waiting'));
  t.regex(read.problem()?.message ?? '', /tls\.crt.*ENOENT/);
  write(files, one);
  t.is((await read.ready(signal)).spiffeId, one.spiffeId);
  t.is(read.problem(), undefined);
});

test('a directory that is not there yet is found by looking again', async (t) => {
  const directory = join(directoryOf(t), 'later');
  const files = filesIn(directory);
  const { source: read, log } = source(t, files, { pollMilliseconds: 10 });
  await log.until(({ code }) => code === 'IDENTITY_UNUSABLE');
  mkdirSync(directory);
  write(files, one);
  t.is((await read.ready(signal)).spiffeId, one.spiffeId);
});

test('a symbolic link swapped, as Kubernetes does with secrets', async (t) => {
  const directory = directoryOf(t);
  const put = (version: string, identity: Identity) => {
    mkdirSync(join(directory, version));
    write(filesIn(join(directory, version)), identity);
    symlinkSync(version, join(directory, '..data_tmp'));
    renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
  };
  put('..1', one);
  for (const name of ['tls.crt', 'tls.key', 'ca.crt']) symlinkSync(join('..data', name), join(directory, name));
  const { source: read } = source(t, filesIn(directory));
  await read.ready(signal);
  const changed = nextIdentity(read);
  put('..2', two);
  t.is((await changed).spiffeId, two.spiffeId);
});

const broken: Record<string, [(files: IdentityFiles) => void, string, RegExp]> = {
  'a key of another certificate': [
    (files) => replace(files.key, two.privateKey),
    'IDENTITY_UNUSABLE',
    /not that of the/,
  ],
  'a certificate of another key': [
    (files) => replace(files.certificate, two.certificates),
    'IDENTITY_UNUSABLE',
    /not that/,
  ],
  'half a certificate': [
    (files) => writeFileSync(files.certificate, two.certificates.slice(0, 300)),
    'IDENTITY_UNUSABLE',
    /no certificate/,
  ],
  'half a key': [(files) => writeFileSync(files.key, one.privateKey.slice(0, 100)), 'IDENTITY_UNUSABLE', /private key/],
  'an empty bundle': [(files) => writeFileSync(files.bundle, ''), 'IDENTITY_UNUSABLE', /bundle of test\.nsm/],
  'a file that went away': [(files) => rmSync(files.key), 'IDENTITY_UNUSABLE', /ENOENT/],
  'an expired certificate': [(files) => write(files, expired), 'IDENTITY_UNUSABLE', /expired at/],
  'a key on P-384': [(files) => write(files, p384), 'IDENTITY_KEY', /secp384r1, but .* EC P-256/],
};

for (const [what, [breakIt, code, reason]] of Object.entries(broken))
  test(`refused, reported, and the last one kept: ${what}`, async (t) => {
    const files = filesIn(directoryOf(t));
    write(files, one);
    const { source: read, log } = source(t, files);
    const before = await read.ready(signal);
    breakIt(files);
    await log.until((entry) => entry.code === code && reason.test(entry.reason));
    t.is(read.current(), before);
    t.is(read.problem()?.code, code);
    const changed = nextIdentity(read);
    write(files, three);
    t.is((await changed).spiffeId, three.spiffeId);
    t.is(read.problem(), undefined);
  });

test('files rotated without pause: every identity taken is whole, and the last one arrives', async (t) => {
  const files = filesIn(directoryOf(t));
  const identities = [one, two, three];
  write(files, one);
  const { source: read } = source(t, files, { settleMilliseconds: 1 });
  await read.ready(signal);
  const whole = new Map(identities.map((identity) => [identity.spiffeId, identity.privateKey]));
  let taken = 0;
  read.onChange((identity) => {
    taken += 1;
    t.is(identity.privateKey, whole.get(identity.spiffeId) as string);
    t.true(new X509Certificate(identity.certificates).checkPrivateKey(createPrivateKey(identity.privateKey)));
  });
  const has = async ({ spiffeId }: Identity) => {
    while (read.current()?.spiffeId !== spiffeId) await nextIdentity(read);
  };
  const inTurn = (turn: number) => identities[turn % identities.length] as Identity;
  for (let turn = 0; turn < 300; turn++) {
    const next = inTurn(turn);
    // In place, so that the source also sees empty and half-written files; between the files the source gets to run.
    writeFileSync(files.certificate, next.certificates.slice(0, 200));
    await new Promise(setImmediate);
    writeFileSync(files.certificate, next.certificates);
    await new Promise(setImmediate);
    replace(files.key, next.privateKey);
    await new Promise(setImmediate);
    if (turn % 50 === 49) await has(next);
  }
  t.true(taken > 0);
  const last = await authority.issue('last');
  whole.set(last.spiffeId, last.privateKey);
  write(files, last);
  await has(last);
  t.is(read.current()?.privateKey, last.privateKey);
});

test('files that do not match are reported once, however often they are read', async (t) => {
  const files = filesIn(directoryOf(t));
  write(files, one);
  replace(files.key, two.privateKey);
  const { log, source: read } = source(t, files, { pollMilliseconds: 1, settleMilliseconds: 1 });
  await log.until(({ code }) => code === 'IDENTITY_UNUSABLE');
  for (let turn = 0; turn < 100; turn++) {
    replace(files.key, two.privateKey);
    await new Promise(setImmediate);
  }
  const changed = nextIdentity(read);
  replace(files.key, one.privateKey);
  await changed;
  t.is(log.entries.filter(({ code }) => code !== '').length, 1);
});
