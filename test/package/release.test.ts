// SPDX-License-Identifier: Apache-2.0
// The files of a release, and what an image of them runs. The addon is built once and used for both runs:
// docs/releases.md says how to compare whole releases.

import { createHash, generateKeyPairSync } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import { findProgram, testWith } from '../support/requires.ts';
import { patience, run } from '../support/shell.ts';

const target = `linux-${process.arch}`;
const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
let directory: string;
let release: string;

test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'crosswire-release-'));
  release = join(directory, 'first');
});
test.after.always(() => rm(directory, { recursive: true, force: true }));

testWith(['prebuilds'], 'two runs with one addon make the same bits, whatever umask and time zone', async (t) => {
  t.timeout(600_000 * patience);
  const again = join(directory, 'second');
  await run('scripts/lib/release-files', release, target);
  const elsewhere = 'umask 077; export TZ=Asia/Tokyo LC_ALL=C; exec "$0" "$@"';
  await run('sh', '-c', elsewhere, 'scripts/lib/release-files', again, target);
  const made = await digests(release);
  t.deepEqual(await digests(again), made);
  t.deepEqual(Object.keys(made), [
    'built-with.txt',
    `crosswire-${version}-image-${target}.tar.gz`,
    `crosswire-${version}.cdx.json`,
    `crosswire-${version}.tgz`,
    'licences.txt',
  ]);
});

testWith(['prebuilds'], 'sha256sum and openssl verify a sealed release', async (t) => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = join(directory, 'key.pem');
  await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await run(process.execPath, 'scripts/lib/seal.ts', release, key);

  const sums = join(release, 'SHA256SUMS');
  const listed = await run('sh', '-c', 'cd "$0" && sha256sum --check --strict SHA256SUMS', release);
  t.is(listed.match(/: OK$/gm)?.length, 6, 'the five files and the public key');
  const signer = ['-pubin', '-inkey', join(release, 'signer.pub.pem')];
  const signature = ['-rawin', '-in', sums, '-sigfile', `${sums}.sig`];
  t.regex(await run('openssl', 'pkeyutl', '-verify', ...signer, ...signature), /Verified Successfully/);
});

testWith(
  ['prebuilds', 'root'],
  'the inputs of an image run in a root with glibc, a shell and nothing else',
  async (t) => {
    const root = join(directory, 'root');
    await mkdir(root);
    await run('tar', '-xzf', join(release, `crosswire-${version}-image-${target}.tar.gz`), '-C', root);
    const top = '/opt/crosswire';
    const node = `${top}/node_modules/node-${target}/bin/node`;
    const addon = `${top}/prebuilds/${target}/crosswire.node`;
    const programs = ['/bin/sh', findProgram('dirname')!, findProgram('readlink')!]; // those of bin/crosswire
    for (const program of programs) await copyInto(root, program);
    for (const file of [...programs, join(root, node), join(root, addon)])
      for (const library of await librariesOf(file)) await copyInto(root, library);

    t.true((await run('chroot', root, `${top}/bin/crosswire`, '--version')).includes(version));
    const script = `import { Dataplane } from '${top}/dist/index.js'; console.log(typeof (await new Dataplane().probe()));`;
    t.is(await run('chroot', root, node, '--input-type=module', '--eval', script), 'object\n', 'the addon loads');
  },
);

async function digests(of: string): Promise<Record<string, string>> {
  const digest = async (name: string) =>
    createHash('sha256')
      .update(await readFile(join(of, name)))
      .digest('hex');
  const names = (await readdir(of)).toSorted();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await digest(name)] as const)));
}

async function copyInto(root: string, file: string): Promise<void> {
  await mkdir(join(root, dirname(file)), { recursive: true });
  await copyFile(file, join(root, file));
}

/** The shared libraries that a program or addon loads, the dynamic linker among them. */
async function librariesOf(file: string): Promise<string[]> {
  return [...(await run('ldd', file)).matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path as string);
}
