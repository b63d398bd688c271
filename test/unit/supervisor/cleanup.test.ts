// SPDX-License-Identifier: Apache-2.0
// `crosswire cleanup`: everything with the marks of the node goes, with or without a journal, and nothing else.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { cleanUp } from '../../../src/supervisor/cleanup.ts';
import { JournalDirectory } from '../../../src/supervisor/store/journal.ts';
import { parseRecord } from '../../../src/supervisor/store/record.ts';
import { pair } from './moves.ts';
import { kill } from './power.ts';
import { breakAt, Machine, wires } from './supervisor-support.ts';

const [a, b] = ['/run/netns/a', '/run/netns/b'];
const named = <W extends object>(name: string, wire: W) => ({ ...wire, name });

/** A machine after kill -9, with a directory in which its journal may be. */
async function left(t: { teardown(fn: () => void): void }) {
  const machine = new Machine();
  const run = await machine.started();
  await run.supervisor.set('api', [
    pair('x', 'x'),
    named('tap', wires.tap),
    named('tunnel', { ...wires.tunnel, client: pair('', 'tunnel').client }),
    named('vlan', { ...wires.vlan, client: pair('', 'vlan').client }),
    named('vf', {
      ...wires.devices,
      client: { mechanism: { ...wires.devices.client.mechanism, interface: 'vf' } },
    } as typeof wires.devices),
  ]);
  await kill(run);
  const stateDirectory = mkdtempSync(join(tmpdir(), 'crosswire-cleanup-'));
  t.teardown(() => rmSync(stateDirectory, { recursive: true, force: true }));
  const next = machine.boot();
  const clean = (dryRun = false, directory = stateDirectory) =>
    cleanUp({ dataplane: next.dataplane, devices: next.devices, node: 'node', stateDirectory: directory, dryRun });
  return { machine, next, stateDirectory, clean };
}

test('all that is marked goes; what is of others stays', async (t) => {
  const { machine, clean } = await left(t);
  const other = machine.kernel.create(a, 'other', 'veth');
  other.alias = 'crosswire/another/w/client';
  machine.kernel.create(b, 'cw0123456789ab', 'veth'); // no mark, and no journal says that it is ours
  const said = await clean(true);
  t.is(machine.kernel.all().length, 8);
  t.true(machine.hardware.changed().length > 0);
  const done = await clean();
  t.deepEqual(done, { ...said, dryRun: false });
  t.true(['interface', 'device'].every((kind) => done.things.some((one) => one.kind === kind)));
  t.deepEqual(
    machine.kernel.all().map(({ name }) => name),
    ['other', 'cw0123456789ab'],
  );
  t.deepEqual(machine.hardware.changed(), []);
  t.deepEqual((await clean()).things, []);
});

test('without a state directory as well; none is made', async (t) => {
  const { machine, clean, stateDirectory } = await left(t);
  rmSync(stateDirectory, { recursive: true });
  t.deepEqual((await clean(false, stateDirectory)).errors, []);
  t.deepEqual(machine.kernel.all(), []);
  t.throws(() => readdirSync(stateDirectory), { code: 'ENOENT' });
});

test('the journal tells of interfaces that had no mark yet, and goes last', async (t) => {
  const { machine, clean, stateDirectory, next } = await left(t);
  const [text] = [...machine.files.values()];
  const record = parseRecord(text as string, JSON.parse(text as string).wire.name as string);
  const journal = new JournalDirectory(stateDirectory);
  await journal.load();
  const names = { fresh: 'cw0123456789ab', retired: 'cw0123456789cd' };
  await journal.write({ ...record, phase: 'applying', names: { client: names, endpoint: names } });
  machine.kernel.create(a, names.fresh, 'veth');

  next.dataplane.onStep = (step) => {
    if (step === 'delete the interface') throw new Error('no way');
  };
  const failed = await clean();
  t.true(failed.errors.length > 0);
  t.is(readdirSync(join(stateDirectory, 'wires')).length, 1, 'still wanted for the next attempt');
  next.dataplane.onStep = () => {};
  t.deepEqual((await clean()).errors, []);
  t.deepEqual(machine.kernel.all(), []);
  t.deepEqual(readdirSync(join(stateDirectory, 'wires')), []);
});

test('it is refused while a daemon has the state directory; a dry run is not', async (t) => {
  const { clean, stateDirectory } = await left(t);
  const { Supervisor } = await import('../../../src/supervisor/supervisor.ts');
  const daemon = new Supervisor({ dataplane: new Machine().boot().dataplane, stateDirectory, node: 'node' });
  await daemon.start();
  t.teardown(() => void daemon.stop());
  await t.throwsAsync(clean(), { code: 'STATE_DIR_LOCKED' });
  t.true((await clean(true)).things.length > 0);
});

test('cut off at any step, the next attempt removes the rest', async (t) => {
  for (let at = 1; ; at++) {
    const { machine, next, clean } = await left(t);
    const breakage = breakAt(next, at, 'cut');
    await clean().catch(() => {});
    if (!breakage.happened()) break;
    const again = machine.boot();
    await cleanUp({ ...again, node: 'node', stateDirectory: '/nowhere/at/all', dryRun: false });
    t.deepEqual(machine.kernel.all(), [], `step ${at}`);
  }
});
