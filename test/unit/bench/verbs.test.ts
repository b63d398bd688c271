// SPDX-License-Identifier: Apache-2.0
// The command line of the bench: output and exit codes without a measurement.

import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import type { Run } from '../../../bench/harness/result.ts';
import { findVpp } from '../../../bench/subjects/vpp.ts';
import { machineSigningKey, publicPem } from '../../../bench/report/keys.ts';
import { writeReport } from '../../../bench/report/write.ts';
import { exampleRun, measured } from '../../support/bench-run.ts';

const top = mkdtempSync(join(tmpdir(), 'crosswire-bench-'));
const state = join(top, 'state');
test.after.always(() => rmSync(top, { recursive: true }));

function bench(...args: readonly string[]) {
  const command = [resolve(import.meta.dirname, '../../../bench/main.ts'), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    encoding: 'utf8',
    env: { ...process.env, XDG_STATE_HOME: state },
  });
  return { status, said: stdout + stderr };
}

async function results(name: string, run: Run): Promise<string> {
  const directory = join(top, name);
  await writeReport(run, directory, await machineSigningKey(join(state, 'crosswire-bench')));
  return directory;
}

const withRatio = (ratio: number): Run =>
  exampleRun({ measurements: [measured(ratio, 1, { name: 'm/r', title: 'm', unit: 'frames/s', rival: 'r' })] });

test('a run that fell behind exits with 3, one that did not with 0', async (t) => {
  const [before, same, slower] = [
    await results('before', withRatio(2)),
    await results('same', withRatio(1.95)),
    await results('slower', withRatio(1.5)),
  ];
  t.is(bench('compare', before, join(same, 'raw.json'), '--fail-below', '0.9').status, 0);
  const gated = bench('compare', before, slower, '--fail-below', '0.9');
  t.is(gated.status, 3);
  t.regex(gated.said, /m\/r \(fast\): 1\.500 × its rival, was 2\.000/);
  t.is(bench('compare', before, slower).status, 0, 'without a gate it only shows');
  const empty = await results('empty', exampleRun({ measurements: [] }));
  t.is(bench('compare', before, empty, '--fail-below', '0.9').status, 3, 'nothing compared is nothing held');
});

test('what is no run is refused', async (t) => {
  const text = join(top, 'text.json');
  writeFileSync(text, 'hello');
  const other = join(top, 'other.json');
  writeFileSync(other, '{"format":2,"measurements":[]}');
  t.like(bench('compare', text, text), { status: 1 });
  t.regex(bench('compare', text, text).said, /text\.json: not the JSON of a run/);
  t.regex(bench('compare', other, other).said, /other\.json: not a run of this format/);
  t.regex(bench('compare', join(top, 'nowhere'), other).said, /ENOENT/);
});

test('a bundle is verified, and refused with 4 once a figure in it was changed', async (t) => {
  const directory = await results('sealed', withRatio(2));
  const good = bench('verify', directory);
  t.is(good.status, 0, good.said);
  t.regex(good.said, /as it was signed; signer: SHA256:/);
  const key = join(top, 'trusted.pem');
  writeFileSync(key, publicPem(await machineSigningKey(join(top, 'another-machine'))));
  t.like(bench('verify', directory, '--trust', key), { status: 4 });
  appendFileSync(join(directory, 'raw.json'), ' ');
  const bad = bench('verify', directory);
  t.is(bad.status, 4);
  t.regex(bad.said, /raw\.json: changed since it was signed\n.*refused/);
});

test('wrong usage exits with 2 and says how', (t) => {
  const wrong = bench('--nonsense');
  t.is(wrong.status, 2);
  t.regex(wrong.said, /npm run bench/);
  t.regex(bench('--list').said, /^memif-64$/m);
});

test('an absent VPP says why; an unpacked one is found with its libraries', (t) => {
  t.throws(() => findVpp(join(top, 'nowhere')), { message: /there is no vpp below / });
  const root = join(top, 'vpp');
  for (const folder of ['usr/bin', 'usr/lib64/vpp_plugins']) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'usr/bin/vpp'), '');
  t.deepEqual(findVpp(root), {
    program: join(root, 'usr/bin/vpp'),
    libraries: join(root, 'usr/lib64'),
    plugins: join(root, 'usr/lib64/vpp_plugins'),
  });
});
