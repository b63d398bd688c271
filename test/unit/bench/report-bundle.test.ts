// SPDX-License-Identifier: Apache-2.0
// A written bundle: complete, checkable by sha256sum, and any change to it found.

import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { sealBundle, verifyBundle } from '../../../bench/report/bundle.ts';
import { fingerprint, keyDirectory, loadSigningKey, machineSigningKey } from '../../../bench/report/keys.ts';
import { publicPem, signingKey } from '../../../bench/report/keys.ts';
import { writeReport } from '../../../bench/report/write.ts';
import { exampleRun } from '../../support/bench-run.ts';

const top = mkdtempSync(join(tmpdir(), 'crosswire-bench-'));
process.env['XDG_STATE_HOME'] = join(top, 'state');
test.after.always(() => rmSync(top, { recursive: true }));

async function written(name: string, signKey?: string): Promise<string> {
  const directory = join(top, name);
  await writeReport(exampleRun({ measurements: [] }), directory, await signingKey(signKey));
  return directory;
}

function newKey(name: string): string {
  const file = join(top, name);
  writeFileSync(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return file;
}

test('a report is complete and its bundle verifies', async (t) => {
  const directory = join(top, 'complete');
  await writeReport(exampleRun(), directory, await signingKey(undefined));
  const smp = ['config', 'env', 'mesh', 'result'].flatMap((kind) => [`smp-${kind}.json`, `smp-${kind}.yaml`]);
  const files = ['SHA256SUMS', 'SHA256SUMS.sig', 'raw.json', 'report.html', 'report.md', 'signer.pub.pem', ...smp];
  t.deepEqual(readdirSync(directory).toSorted(), files);
  t.deepEqual(JSON.parse(readFileSync(join(directory, 'raw.json'), 'utf8')), JSON.parse(JSON.stringify(exampleRun())));
  t.deepEqual(await verifyBundle(directory), {
    ok: true,
    signer: fingerprint(await machineSigningKey()),
    problems: [],
  });
  t.notThrows(() => execFileSync('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: directory }));
});

test('files that were there before belong to the bundle', async (t) => {
  mkdirSync(join(top, 'with-profile/profiles'), { recursive: true });
  writeFileSync(join(top, 'with-profile/profiles/memif-64.txt'), 'where the cycles went\n');
  const directory = await written('with-profile');
  t.true((await verifyBundle(directory)).ok);
  appendFileSync(join(directory, 'profiles/memif-64.txt'), 'elsewhere\n');
  t.deepEqual((await verifyBundle(directory)).problems, ['profiles/memif-64.txt: changed since it was signed']);
});

const tampering: readonly [string, (directory: string) => void, RegExp][] = [
  [
    'changed',
    (directory) => appendFileSync(join(directory, 'raw.json'), ' '),
    /^raw.json: changed since it was signed$/,
  ],
  ['removed', (directory) => rmSync(join(directory, 'report.md')), /^report.md: missing$/],
  ['added', (directory) => writeFileSync(join(directory, 'notes.md'), ''), /^notes.md: not in SHA256SUMS$/],
  ['linked', (directory) => symlinkSync('/dev/null', join(directory, 'link')), /^"link": not a plain file$/],
  ['unsigned', (directory) => rmSync(join(directory, 'SHA256SUMS.sig')), /SHA256SUMS.sig/],
  [
    'sums edited',
    (directory) => {
      appendFileSync(join(directory, 'raw.json'), ' ');
      execFileSync(
        'sh',
        ['-c', 'sha256sum *.* >SHA256SUMS.new; grep -v "SHA256SUMS" SHA256SUMS.new >SHA256SUMS; rm SHA256SUMS.new'],
        { cwd: directory },
      );
    },
    /^SHA256SUMS.sig: not the signature of SHA256SUMS by its signer$/,
  ],
];

for (const [title, tamper, problem] of tampering)
  test(`a bundle is refused: ${title}`, async (t) => {
    const directory = await written(`tampered-${title.replace(' ', '-')}`);
    tamper(directory);
    const { ok, problems } = await verifyBundle(directory);
    t.false(ok);
    t.is(problems.length, 1, problems.join('\n'));
    t.regex(problems[0] as string, problem);
  });

test('a bundle signed anew by a forger is refused, as the key inside it is not believed', async (t) => {
  const directory = await written('forged');
  const forger = await loadSigningKey(newKey('forger.pem'));
  writeFileSync(join(directory, 'raw.json'), '{}');
  await sealBundle(directory, forger);
  const { ok, signer, problems } = await verifyBundle(directory);
  t.false(ok);
  t.is(signer, fingerprint(forger));
  t.regex(problems.join(), /^signed by SHA256:\S+, but SHA256:\S+ is trusted$/);
});

test('with a given key: it signs, and only who trusts it accepts', async (t) => {
  const file = newKey('laboratory.pem');
  const directory = await written('laboratory', file);
  t.false((await verifyBundle(directory)).ok);
  t.true((await verifyBundle(directory, publicPem(await loadSigningKey(file)))).ok);
});

test('a key that is none is refused before anything is written', async (t) => {
  const text = join(top, 'text.pem');
  writeFileSync(text, 'hello');
  const rsa = join(top, 'rsa.pem');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(rsa, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await t.throwsAsync(written('refused', text), { message: /text.pem: no private key in PEM form/ });
  await t.throwsAsync(written('refused', rsa), { message: /rsa.pem: a key of type rsa, not ed25519/ });
  await t.throwsAsync(written('refused', join(top, 'absent.pem')), { code: 'ENOENT' });
  t.false(readdirSync(top).includes('refused'));
});

test('the machine makes one key, even when asked twice at once, and nobody else can read it', async (t) => {
  const directory = join(top, 'keys');
  const keys = await Promise.all([machineSigningKey(directory), machineSigningKey(directory)]);
  t.is(fingerprint(keys[0]), fingerprint(keys[1]));
  t.is(statSync(join(directory, 'sign-key.pem')).mode & 0o777, 0o600);
  t.deepEqual(readdirSync(directory).toSorted(), ['sign-key.pem', 'sign-key.pub.pem']);
});

test('keys lie in the state directory of the user', (t) => {
  t.is(keyDirectory({ XDG_STATE_HOME: '/somewhere' }), '/somewhere/crosswire-bench');
  t.regex(keyDirectory({ XDG_STATE_HOME: 'relative' }), /\/\.local\/state\/crosswire-bench$/);
});
