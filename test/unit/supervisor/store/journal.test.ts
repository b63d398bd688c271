// SPDX-License-Identifier: Apache-2.0

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { JournalDirectory, peek } from '../../../../src/supervisor/store/journal.ts';
import { type JournalRecord, journalFormat } from '../../../../src/supervisor/store/record.ts';
import { Supervisor } from '../../../../src/supervisor/supervisor.ts';
import { FakeDataplane } from '../../../fakes/dataplane.ts';
import { kernel, memif, namespacesOf, wireOf } from '../../plan/plan-support.ts';

const wire = wireOf(kernel('/run/netns/a', 'nsm-1'), kernel('/run/netns/b', 'nsm-2'));
const record: JournalRecord = {
  format: journalFormat,
  phase: 'applied',
  createdAt: '2026-01-01T00:00:00.000Z',
  owner: 'api',
  wire,
  namespaces: namespacesOf(wire),
};

function stateDirectory(t: { teardown(fn: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'crosswire-journal-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

test('what is written is loaded, what is erased is not', async (t) => {
  const directory = stateDirectory(t);
  const journal = new JournalDirectory(directory);
  t.deepEqual(await journal.load(), { records: [], corrupt: [] });
  await journal.write({ ...record, phase: 'applying' });
  await journal.write(record);
  t.deepEqual(JSON.parse(JSON.stringify(await new JournalDirectory(directory).load())), {
    records: [JSON.parse(JSON.stringify(record))],
    corrupt: [],
  });
  await journal.erase('w');
  await journal.erase('w');
  t.deepEqual(readdirSync(join(directory, 'wires')), []);
});

test('only the owner may read it: secrets are in it', async (t) => {
  const directory = stateDirectory(t);
  const journal = new JournalDirectory(directory);
  await journal.load();
  await journal.write(record);
  t.is(statSync(join(directory, 'wires')).mode & 0o777, 0o700);
  t.is(statSync(join(directory, 'wires', 'w.json')).mode & 0o777, 0o600);
});

test('a full disk is JOURNAL_WRITE_FAILED, and the last record stands', async (t) => {
  const directory = stateDirectory(t);
  const journal = new JournalDirectory(directory);
  await journal.load();
  await journal.write(record);
  symlinkSync('/dev/full', join(directory, 'wires', 'w.json.new')); // full(4): every write is ENOSPC
  const error = await t.throwsAsync(journal.write({ ...record, phase: 'removing' }), { code: 'JOURNAL_WRITE_FAILED' });
  t.like(error, { errno: 28 });
  t.regex(error?.message ?? '', /make room/);
  t.like(await journal.load(), { records: [{ phase: 'applied' }] });
  t.deepEqual(readdirSync(join(directory, 'wires')), ['w.json']);
});

test('corrupt files are set aside with a reason, the rest is loaded, unfinished ones go', async (t) => {
  const directory = stateDirectory(t);
  const journal = new JournalDirectory(directory);
  await journal.load();
  await journal.write(record);
  const put = (name: string, text: string) => writeFileSync(join(directory, 'wires', `${name}.json`), text);
  const good = JSON.parse(readFileSync(join(directory, 'wires', 'w.json'), 'utf8'));
  const spoilt: Record<string, unknown> = {
    torn: JSON.stringify({ ...good, wire: { ...wire, name: 'torn' } }).slice(0, 100),
    empty: '',
    null: 'null',
    format: JSON.stringify({ ...good, format: 2 }),
    phase: JSON.stringify({ ...good, phase: 'done' }),
    other: JSON.stringify(good), // of another wire
    ends: JSON.stringify({ ...good, wire: { name: 'ends', payload: 'ip' } }),
    unresolved: JSON.stringify({ ...good, wire: { ...wire, name: 'unresolved' }, namespaces: {} }),
    names: JSON.stringify({ ...good, wire: { ...wire, name: 'names' }, names: { client: 1 } }),
  };
  for (const [name, text] of Object.entries(spoilt)) put(name, text as string);
  writeFileSync(join(directory, 'wires', 'x.json.new'), '{');
  const { records, corrupt } = await journal.load();
  t.deepEqual(
    records.map(({ wire: { name } }) => name),
    ['w'],
  );
  t.is(corrupt.length, Object.keys(spoilt).length);
  t.true(corrupt.every(({ file, reason }) => /\/[a-z]+\.corrupt-\d{4}-/.test(file) && reason !== ''));
  t.is(readdirSync(join(directory, 'wires')).filter((name) => name.includes('.corrupt-')).length, corrupt.length);
  t.false(readdirSync(join(directory, 'wires')).includes('x.json.new'));
});

test('a supervisor goes on past a corrupt file, says so, and removes what it left', async (t) => {
  const directory = stateDirectory(t);
  const dataplane = new FakeDataplane();
  for (const path of ['/run/netns/a', '/run/netns/b']) dataplane.kernel.addNamespace(path);
  const settings = { dataplane, stateDirectory: directory, node: 'node' };
  const first = new Supervisor(settings);
  await first.start();
  const other = { ...wireOf(kernel('/run/netns/a', 'other'), memif('@m')), name: 'other' };
  await first.set('api', [wire, other]);
  await first.stop();
  writeFileSync(join(directory, 'wires', 'w.json'), '{"format":1,');

  const second = new Supervisor(settings);
  await second.start();
  t.teardown(() => second.stop());
  t.deepEqual(
    second.list().map(({ name, phase }) => [name, phase]),
    [['other', 'up']],
  );
  t.like(second.health(), { length: 1, 0: { code: 'JOURNAL_CORRUPT', severity: 'error' } });
  t.deepEqual(
    dataplane.kernel.all().map(({ name }) => name),
    ['other'],
  );
});

test('records written at the same time are all there, and so is the failure of each where the directory is gone', async (t) => {
  const directory = stateDirectory(t);
  const journal = new JournalDirectory(directory);
  await journal.load();
  const names = Array.from({ length: 50 }, (_, at) => `w${at}`).sort();
  const records = names.map((name) => ({ ...record, wire: { ...wire, name } }));
  await Promise.all(records.map((one) => journal.write(one)));
  const loaded = await new JournalDirectory(directory).load();
  t.deepEqual(
    loaded.records.map((one) => one.wire.name),
    names,
  );
  await Promise.all(names.map((name) => journal.erase(name)));
  t.deepEqual(readdirSync(join(directory, 'wires')), []);

  rmSync(join(directory, 'wires'), { recursive: true });
  const outcomes = await Promise.allSettled([...names.map((name) => journal.erase(name)), journal.write(record)]);
  t.true(outcomes.every((one) => one.status === 'rejected' && one.reason.code === 'JOURNAL_WRITE_FAILED'));
  mkdirSync(join(directory, 'wires'));
  await t.notThrowsAsync(journal.write(record)); // a failure is not remembered
});

test('a second supervisor on the state directory is refused', async (t) => {
  const directory = join(stateDirectory(t), 'made', 'by', 'start');
  mkdirSync(directory, { recursive: true });
  const settings = { dataplane: new FakeDataplane(), stateDirectory: directory, node: 'node' };
  const [first, second] = [new Supervisor(settings), new Supervisor(settings)];
  await first.start();
  await t.throwsAsync(second.start(), { code: 'STATE_DIR_LOCKED' });
  await first.stop();
  await t.notThrowsAsync(second.start());
  await second.stop();
});

test('a change of several wires that was interrupted is in the records of all of them; one that is over is forgotten', async (t) => {
  const directory = stateDirectory(t);
  const journal = new JournalDirectory(directory);
  await journal.load();
  const of = (name: string, more: Partial<JournalRecord> = {}, mtu?: number): JournalRecord => {
    const own = { ...wire, name, ...(mtu === undefined ? {} : { mtu }) };
    return { ...record, wire: own, ...more };
  };
  const changing = ['x', 'y'].map((name) =>
    of(
      name,
      { phase: 'applying', together: ['x', 'y'], previous: [{ wire: of(name).wire, namespaces: record.namespaces }] },
      1400,
    ),
  );
  await journal.write(of('x'));
  await journal.write(of('y'));
  await journal.begin(changing);
  await journal.write(of('x', {}, 1400)); // cut off between the records of the two
  t.deepEqual(
    (await journal.load()).records.map((one) => [one.wire.name, one.phase, one.wire.mtu]),
    [
      ['x', 'applying', 1400],
      ['y', 'applying', 1400],
    ],
  );
  t.deepEqual(readdirSync(join(directory, 'changes')), []);

  await journal.begin(changing);
  await journal.write(of('y', {}, 9000)); // changed since: the file was only left behind
  t.deepEqual(
    (await journal.load()).records.map((one) => [one.wire.name, one.phase, one.wire.mtu]),
    [
      ['x', 'applying', 1400],
      ['y', 'applied', 9000],
    ],
  );
  t.deepEqual(readdirSync(join(directory, 'changes')), []);

  writeFileSync(join(directory, 'changes', 'torn.json'), '{"records":[{');
  t.like(await journal.load(), { records: { length: 2 }, corrupt: { length: 1 } });
  const change = await journal.begin(changing);
  t.is(peek(directory).length, 4);
  await journal.end(change);
  await journal.eraseAll();
  t.deepEqual((await journal.load()).records, []);
});
