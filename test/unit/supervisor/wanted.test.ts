// SPDX-License-Identifier: Apache-2.0
// What owners of wires want: wires that wait until they can be made, wires of an earlier run, and what a dry run says.

import test from 'ava';
import type { Log } from '../../../src/model/log.ts';
import type { Wire } from '../../../src/wire/wire.ts';
import { kernel, memif, wireOf } from '../plan/plan-support.ts';
import { moves, pair } from './moves.ts';
import { changes, Machine, machineWith, mend, type Run, wires } from './supervisor-support.ts';

const [a, b] = ['/run/netns/a', '/run/netns/b'];
const named = (name: string, wire: Wire): Wire => ({ ...wire, name });
const late = '/run/netns/late';
const waits = { unmakeable: 'wait' } as const;
const retrySeconds = { first: 0.001, longest: 0.002 };

/** A log whose lines are counted, and can be awaited. */
class Lines implements Log {
  readonly all: string[] = [];
  #awaited = new Map<string, () => void>();
  readonly info = (_: object, text: string) => this.#add(text);
  readonly warn = (_: object, text: string) => this.#add(text);
  readonly error = (_: object, text: string) => this.#add(text);

  async next(text: string): Promise<void> {
    const timer = setInterval(() => {}, 1000); // the supervisor's own timers keep no process running
    await new Promise<void>((resolve) => this.#awaited.set(text, resolve));
    clearInterval(timer);
  }

  #add(text: string): void {
    this.all.push(text);
    this.#awaited.get(text)?.();
  }
}

async function eventually(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 2_000 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 2));
}

async function started(t: { teardown(fn: () => void): void }) {
  const [machine, log] = [new Machine(), new Lines()];
  const run = await machine.started({ log, retrySeconds });
  t.teardown(() => void run.supervisor.stop());
  return { machine, log, run, supervisor: run.supervisor };
}

test('a wire that cannot be made yet waits, is told of with its reason, and is made once it can be', async (t) => {
  const { machine, log, supervisor } = await started(t);
  const reports = await supervisor.set(
    'files',
    [named('x', wireOf(kernel(late, 'x'), kernel(a, 'x'))), pair('y', 'y')],
    waits,
  );
  t.like(reports, [
    { name: 'x', outcome: 'failed', error: { code: 'NAMESPACE_MISSING' } },
    { name: 'y', outcome: 'created' },
  ]);
  t.like(supervisor.get('x'), {
    phase: 'pending',
    owner: 'files',
    error: { code: 'NAMESPACE_MISSING' },
    client: { up: false },
  });
  t.like(supervisor.get('y'), { phase: 'up', owner: 'files' });
  t.like(supervisor.health(), { length: 1, 0: { code: 'NAMESPACE_MISSING', severity: 'warning', wire: 'x' } });
  t.false((await supervisor.counters()).has('x'));
  t.regex((await supervisor.explain('x'))?.why.at(-1) ?? '', /cannot be made now/);
  t.is((await supervisor.statuses()).length, 2);
  t.deepEqual([...machine.files.keys()], ['y'], 'the files are read again at the next start: no journal');

  await new Promise((resolve) => setTimeout(resolve, 20));
  t.is(log.all.filter((line) => line.startsWith('wire waits')).length, 1, 'said once, tried often');
  const up = log.next('wire up');
  machine.kernel.addNamespace(late);
  await up;
  t.like(supervisor.get('x'), { phase: 'up', error: undefined });
  t.deepEqual(supervisor.health(), []);
});

test('a wire waits for the name that another one has, and gets it when that one goes', async (t) => {
  const { log, supervisor } = await started(t);
  await supervisor.set('api', [pair('x', 'one')]);
  await supervisor.set('files', [pair('y', 'one')], waits);
  t.like(supervisor.get('y'), { phase: 'pending', error: { code: 'INTERFACE_CLAIMED' } });
  const up = log.next('wire up');
  await supervisor.remove(['x']);
  await up;
  t.is(supervisor.get('y')?.phase, 'up');
});

test('of two wires that contradict each other one waits', async (t) => {
  const { supervisor } = await started(t);
  await supervisor.set('files', [pair('x', 'one'), pair('y', 'one'), pair('z', 'z')], waits);
  t.deepEqual(
    supervisor.list().map(({ name, phase }) => `${name} ${phase}`),
    ['x up', 'y pending', 'z up'],
  );
});

test('a wire that the kernel refuses waits as well', async (t) => {
  const { run, log, supervisor } = await started(t);
  run.dataplane.onStep = (step) => {
    if (step === 'create the veth pair') throw new Error('no way');
  };
  await supervisor.set('files', [pair('x', 'one')], waits);
  t.like(supervisor.get('x'), { phase: 'pending', error: { reason: 'no way' } });
  const up = log.next('wire up');
  mend(run);
  await up;
  t.is(supervisor.get('x')?.phase, 'up');
});

test('a waiting wire that is removed is not made any more', async (t) => {
  const { machine, supervisor } = await started(t);
  await supervisor.set('files', [named('x', wireOf(kernel(late, 'x'), kernel(a, 'x')))], waits);
  t.deepEqual(await supervisor.remove(['x']), [{ name: 'x', outcome: 'removed', errors: [] }]);
  machine.kernel.addNamespace(late);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.deepEqual([supervisor.list(), supervisor.health(), machine.kernel.all()], [[], [], []]);
});

test('what was set last is wanted: a waiting wire does not come back over it', async (t) => {
  const { machine, supervisor } = await started(t);
  await supervisor.set('files', [named('x', wireOf(kernel(late, 'x'), kernel(a, 'x')))], waits);
  t.like(await supervisor.set('api', [pair('x', 'one')]), [{ outcome: 'created' }]);
  t.like(supervisor.get('x'), { phase: 'up', owner: 'api', error: undefined });
  machine.kernel.addNamespace(late);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.is(supervisor.get('x')?.client.interface, 'one');
});

test('a change that waits leaves the wire as it is, and says so', async (t) => {
  const { machine, log, supervisor } = await started(t);
  await supervisor.set('files', [pair('x', 'one')]);
  await supervisor.set('files', [named('x', wireOf(kernel(late, 'x'), kernel(b, 'one')))], waits);
  t.like(supervisor.get('x'), {
    phase: 'up',
    client: { up: true, interface: 'one' },
    error: { code: 'NAMESPACE_MISSING' },
  });
  t.like(supervisor.health(), { length: 1, 0: { severity: 'warning', wire: 'x' } });
  const up = log.next('wire up');
  machine.kernel.addNamespace(late);
  await up;
  t.like(supervisor.get('x'), { phase: 'up', client: { netns: late, interface: 'x' }, error: undefined });
  t.deepEqual(supervisor.health(), []);
});

test('waiting wires that need each other are made together', async (t) => {
  const { machine, supervisor } = await started(t);
  await supervisor.set('files', [pair('x', 'one'), pair('y', 'two')]);
  const to = [named('x', wireOf(kernel(a, 'two'), kernel(late, 'x'))), pair('y', 'one')];
  await supervisor.set('files', to, waits);
  t.like(supervisor.get('y'), { error: { code: 'INTERFACE_CLAIMED' } });
  machine.kernel.addNamespace(late);
  await eventually(() => supervisor.get('y')?.client.interface === 'one');
  t.deepEqual(
    supervisor.list().map(({ phase, client, error }) => [phase, client.interface, error]),
    [
      ['up', 'two', undefined],
      ['up', 'one', undefined],
    ],
  );
});

test('stopping ends the attempts', async (t) => {
  const { machine, supervisor } = await started(t);
  await supervisor.set('files', [named('x', wireOf(kernel(late, 'x'), kernel(a, 'x')))], waits);
  await supervisor.stop();
  machine.kernel.addNamespace(late);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.deepEqual(machine.kernel.all(), []);
});

/** Wires of an earlier run, set by their owners. */
async function restarted(t: { teardown(fn: () => void): void }, owned: Readonly<Record<string, 'nsm' | 'api'>>) {
  const [machine, log] = [new Machine(), new Lines()];
  const first = await machine.started();
  for (const [name, owner] of Object.entries(owned)) await first.supervisor.set(owner, [pair(name, name)]);
  await first.supervisor.stop();
  const run = await machine.started({ log });
  t.teardown(() => void run.supervisor.stop());
  return { machine, log, supervisor: run.supervisor };
}

test('wires of an earlier run that their owner does not set again are given up in time, and no others', async (t) => {
  const { log, supervisor } = await restarted(t, { abandoned: 'nsm', adopted: 'nsm', other: 'api' });
  const done = log.next('removed wires that nobody asked for again');
  supervisor.expire('nsm', 50);
  await supervisor.set('nsm', [pair('adopted', 'adopted'), pair('new', 'new')]);
  t.is(supervisor.list().length, 4);
  await done;
  t.deepEqual(
    supervisor.list().map(({ name, owner }) => `${name} ${owner}`),
    ['adopted nsm', 'new nsm', 'other api'],
  );
});

test('a journal without owners is read: by their names, the mesh made some of its wires', async (t) => {
  const machine = new Machine();
  const first = await machine.started();
  await first.supervisor.set('api', [pair('nsm-x', 'one'), pair('y', 'two')]);
  await first.supervisor.stop();
  for (const [name, text] of machine.files) {
    const { owner: _, ...record } = JSON.parse(text) as Record<string, unknown>;
    machine.files.set(name, JSON.stringify(record));
  }
  const next = await machine.started();
  t.teardown(() => void next.supervisor.stop());
  t.deepEqual(
    next.supervisor.list().map(({ name, owner, phase }) => `${name} ${owner} ${phase}`),
    ['nsm-x nsm up', 'y api up'],
  );
});

test('a wire that another owner sets is unchanged, and is that owner’s, also after a restart', async (t) => {
  const { machine, supervisor } = await restarted(t, { x: 'nsm' });
  t.like(await supervisor.set('api', [pair('x', 'x')]), [{ outcome: 'unchanged', actions: [] }]);
  t.is(supervisor.get('x')?.owner, 'api');
  await supervisor.stop();
  t.is((await machine.started()).supervisor.get('x')?.owner, 'api');
});

for (const giveUpFailed of [true, false]) {
  test(`a wire that fails ${giveUpFailed ? 'is given up where nobody keeps it' : 'stays as it was'}`, async (t) => {
    const { run, machine } = await machineWith(wires.veth);
    run.dataplane.onStep = (step) => {
      if (step === 'rename') throw new Error('no way');
    };
    const [report] = await run.supervisor.set(
      'nsm',
      [{ ...wires.veth, client: wires.tap.client, endpoint: { mechanism: kernel(b, 'other') } }],
      { giveUpFailed },
    );
    mend(run);
    t.like(report, { outcome: 'failed' });
    t.is(run.supervisor.list().length, giveUpFailed ? 0 : 1);
    t.is(machine.kernel.all().length, giveUpFailed ? 0 : 2);
  });
}

/** Names that are chosen at random. */
const settled = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll(/cw[0-9a-f]{12}/g, 'cw'));

async function saysWhatItDoes(
  t: { deepEqual(a: unknown, b: unknown): unknown },
  machine: Machine,
  run: Run,
  to: readonly Wire[],
) {
  const before = machine.snapshot(run);
  const act = (dryRun: boolean) =>
    run.supervisor
      .set('api', to, { dryRun })
      .catch((error: { code: string; message: string }) => [error.code, error.message]);
  const said = await act(true);
  t.deepEqual(machine.snapshot(run), before);
  t.deepEqual(settled(said), settled(await act(false)));
}

for (const [title, [from, to]] of Object.entries(changes)) {
  if (!to) continue;
  test(`a dry run says what acting does: ${title}`, async (t) => {
    const { machine, run } = await machineWith(from);
    await saysWhatItDoes(t, machine, run, [to]);
    await saysWhatItDoes(t, machine, run, [to]);
  });
}

for (const [title, [from, to]] of Object.entries(moves)) {
  test(`a dry run says what acting does, in one step: ${title}`, async (t) => {
    const machine = new Machine();
    const run = await machine.started();
    await run.supervisor.set('api', from);
    await saysWhatItDoes(t, machine, run, to);
  });
}

const refused: Record<string, readonly Wire[]> = {
  INTERFACE_CLAIMED: [named('x', wireOf(kernel(a, 'nsm-1'), memif('@x')))],
  NAMESPACE_MISSING: [pair('y', 'y'), named('x', wireOf(kernel(late, 'x'), memif('@x')))],
  INTERFACE_TAKEN: [named('x', wireOf(kernel(b, 'eth0'), memif('@x')))],
  WIRE_TO_ITSELF: [named('x', wireOf(kernel(a, 'x'), kernel(a, 'x')))],
  WIRE_NAME: [named('../x', wires.memif)],
};

for (const [code, to] of Object.entries(refused)) {
  test(`a dry run refuses as acting does: ${code}`, async (t) => {
    const { machine, run } = await machineWith(wires.veth);
    machine.kernel.create(b, 'eth0', 'dummy');
    await t.throwsAsync(run.supervisor.set('api', to, { dryRun: true }), { code });
    await saysWhatItDoes(t, machine, run, to);
  });
}
