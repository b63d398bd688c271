// SPDX-License-Identifier: Apache-2.0
// A failed load explains itself for this machine.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { loadAddon } from '../../../src/dataplane/loader.ts';
import { engineDropReasons } from '../../../src/model/drop-reason.ts';
import { CrosswireError } from '../../../src/model/error.ts';

const directory = mkdtempSync(join(tmpdir(), 'crosswire-loader-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

function refused(load: () => unknown): CrosswireError {
  try {
    load();
  } catch (error) {
    if (error instanceof CrosswireError) return error;
  }
  throw new Error('the load should have been refused with a CrosswireError');
}

test('the addon as built has what the façade needs', (t) => {
  const addon = loadAddon();
  t.is(loadAddon(), addon);
  t.deepEqual(addon.dropReasons, Object.keys(engineDropReasons));
});

test('a missing addon says where it was looked for, on what machine, and what to do', (t) => {
  const error = refused(() => loadAddon(join(directory, 'nothing.node')));
  t.is(error.code, 'ADDON_MISSING');
  t.is(error.subject, join(directory, 'nothing.node'));
  t.true(error.reason.includes(`${process.platform} ${process.arch}, Node ${process.version}`));
  t.regex(error.message, /npm run build/);
});

test('an addon that the system cannot load is incompatible, with the reason of the system', (t) => {
  const path = join(directory, 'text.node');
  writeFileSync(path, 'not a shared object');
  const error = refused(() => loadAddon(path));
  t.is(error.code, 'ADDON_INCOMPATIBLE');
  t.regex(error.reason, /invalid ELF header|file too short/);
  t.true(error.cause instanceof Error);
});

test('an addon for another processor is incompatible', (t) => {
  const path = join(directory, 'foreign.node');
  const image = new Uint8Array(64);
  image.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // an ELF header …
  image.set([3, 0, 0xf3, 0], 16); // … of a shared object for RISC-V (elf(5))
  writeFileSync(path, image);
  t.is(refused(() => loadAddon(path)).code, 'ADDON_INCOMPATIBLE');
});

test('an addon built from other sources is incompatible', (t) => {
  const lacking = (name: string, source: string) => {
    const path = join(directory, name);
    writeFileSync(path, source);
    return refused(() => loadAddon(path));
  };
  const error = lacking('older.cjs', 'module.exports = { probe() {} };');
  t.is(error.code, 'ADDON_INCOMPATIBLE');
  t.regex(error.reason, /other sources: it has no identifyNamespace/);

  const methods = Object.keys(loadAddon()).filter((name) => name !== 'dropReasons');
  const all = methods.map((name) => `${name}() {}`).join();
  const renamed = lacking('renamed.cjs', `module.exports = { ${all}, dropReasons: ['tx_full'] };`);
  t.regex(renamed.reason, /drop reasons/);
});
