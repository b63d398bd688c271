// SPDX-License-Identifier: Apache-2.0
// What the supervisor's callers see, and what it does by itself.

import test, { type ExecutionContext } from 'ava';
import type { Wire } from '../../../src/wire/wire.ts';
import type { Log } from '../../../src/model/log.ts';
import { kernel, memif, wireOf } from '../plan/plan-support.ts';
import { Machine, type Run, wires } from './supervisor-support.ts';

const [a, b, c] = ['/run/netns/a', '/run/netns/b', '/run/netns/c'];
const named = (name: string, wire: Wire): Wire => ({ ...wire, name });

/** A log in which a line can be awaited. */
function awaitableLog(): Log & { line: (text: string) => Promise<void> } {
  const waiting = new Map<string, () => void>();
  const hear = (_: object, text: string) => waiting.get(text)?.();
  return {
    info: hear,
    warn: hear,
    error: hear,
    line: (text) => awake(new Promise<void>((resolve) => waiting.set(text, resolve))),
  };
}

/** The supervisor's timers alone keep no process running. */
async function awake<T>(promise: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 1000);
  return promise.finally(() => clearInterval(timer));
}

/** The names of all changes from here on. */
function changesOf(run: Run): string[] {
  const seen: string[] = [];
  const reads = ['identifyNamespace', 'listNamespaces', 'listInterfaces'];
  run.dataplane.onStep = (step) => void (reads.includes(step) || seen.push(step));
  return seen;
}

test('apply reports created, unchanged, changed', async (t) => {
  const { supervisor } = await new Machine().started();
  const outcome = async (wire: Wire) => (await supervisor.set('api', [wire]))[0]?.outcome;
  t.is(await outcome(wires.veth), 'created');
  t.is(await outcome(structuredClone(wires.veth)), 'unchanged');
  t.is(await outcome({ ...wires.veth, labels: { app: 'web' } }), 'changed');
  t.is(await outcome({ ...wires.veth, mtu: 9000 }), 'changed');
  t.like(supervisor.get('w'), {
    phase: 'up',
    path: 'veth',
    mtu: 9000,
    client: { up: true, interface: 'nsm-1', netns: a },
  });
});

test('an intact kernel wire is adopted without a single change; an engine wire only starts again', async (t) => {
  const machine = new Machine();
  const first = await machine.started();
  await first.supervisor.set('api', [wires.veth, named('x', wireOf(kernel(a, 'x'), memif('@x')))]);
  const createdAt = first.supervisor.get('w')?.createdAt;
  await first.dataplane.close();
  const next = machine.boot();
  const changes = changesOf(next);
  await next.supervisor.start();
  t.deepEqual(changes, ['start the engine wire']);
  t.is(next.supervisor.get('w')?.createdAt, createdAt);
});

test('stopping keeps interfaces and journals; with removeWires nothing is left', async (t) => {
  const machine = new Machine();
  const first = await machine.started();
  await first.supervisor.set('api', [wires.veth, named('x', wireOf(kernel(a, 'x'), memif('@x')))]);
  t.deepEqual(await first.supervisor.stop(), []);
  t.is(first.dataplane.engineWires.size, 0);
  t.deepEqual([machine.kernel.all().length, machine.files.size], [3, 2]);
  await t.throwsAsync(first.supervisor.set('api', [wires.veth]), { code: 'NOT_RUNNING' });
  const next = await machine.started();
  const reports = await next.supervisor.stop({ removeWires: true });
  t.deepEqual(reports.map(({ name, outcome }) => `${name} ${outcome}`).sort(), ['w removed', 'x removed']);
  t.deepEqual([machine.kernel.all().length, machine.files.size], [0, 0]);
  t.deepEqual(await next.supervisor.stop(), []);
});

const refused: Record<string, [code: string, wires: Wire[]]> = {
  'two wires of one name': ['DUPLICATE_NAME', [wires.veth, wires.veth]],
  'one interface for two wires': ['INTERFACE_CLAIMED', [named('x', wireOf(kernel(a, 'nsm-1'), memif('@x')))]],
  'one memif id for two servers': [
    'MEMIF_CLAIMED',
    [named('x', wires.memif), named('y', wireOf(kernel(b, 'y'), memif('/run/m.sock')))],
  ],
  'an interface to itself': ['WIRE_TO_ITSELF', [named('x', wireOf(kernel(a, 'x'), kernel(a, 'x')))]],
  'a memif to itself': ['WIRE_TO_ITSELF', [named('x', wireOf(memif('@x'), memif('@x', { role: 'client' })))]],
  'a missing namespace': [
    'NAMESPACE_MISSING',
    [named('y', wires.memif), named('x', wireOf(kernel('/run/netns/none', 'x'), memif('@x')))],
  ],
  'a missing namespace of an abstract socket': [
    'NAMESPACE_MISSING',
    [named('x', wireOf(kernel(b, 'x'), memif('@x', { netns: '/run/netns/none' })))],
  ],
  'a foreign interface': [
    'INTERFACE_TAKEN',
    [named('y', wires.memif), named('x', wireOf(kernel(b, 'eth0'), memif('@x')))],
  ],
  'a name that is no label': ['WIRE_NAME', [named('../x', wires.memif)]],
};

for (const [title, [code, asked]] of Object.entries(refused)) {
  test(`refused with nothing touched: ${title}`, async (t) => {
    const machine = new Machine();
    const run = await machine.started();
    await run.supervisor.set('api', [wires.veth]);
    machine.kernel.create(b, 'eth0', 'dummy');
    const before = machine.snapshot(run);
    const changes = changesOf(run);
    await t.throwsAsync(run.supervisor.set('api', asked), { code });
    t.deepEqual(changes, []);
    t.deepEqual(machine.snapshot(run), before);
    t.is(run.supervisor.list().length, 1);
  });
}

test('a namespace by two names is one: the interface in it is claimed once', async (t) => {
  const machine = new Machine();
  machine.kernel.linkNamespace('/proc/42/ns/net', a);
  const { supervisor } = await machine.started();
  await supervisor.set('api', [wires.veth]);
  const other = wireOf({ ...kernel('', 'nsm-1'), namespace: { pid: 42 } }, memif('@x'));
  await t.throwsAsync(supervisor.set('api', [named('x', other)]), { code: 'INTERFACE_CLAIMED' });
});

test('a namespace by two names is one: the abstract memif server in it is claimed once', async (t) => {
  const machine = new Machine();
  machine.kernel.linkNamespace('/proc/42/ns/net', a);
  const { supervisor } = await machine.started();
  const server = (name: string, netns: string) => named(name, wireOf(kernel(b, name), memif('@m', { netns })));
  const apply = supervisor.set('api', [server('x', a), server('y', '/proc/42/ns/net')]);
  await t.throwsAsync(apply, { code: 'MEMIF_CLAIMED' });
  await supervisor.set('api', [server('x', a), server('y', c)]);
  await supervisor.stop();
});

test('an abstract memif socket is found again by inode when the path is stale, and only the path differs', async (t) => {
  const machine = new Machine();
  machine.kernel.linkNamespace('/proc/self/fd/9', a);
  const { inode } = machine.kernel.namespace(a);
  const wire = wireOf(kernel(b, 'x'), memif('@m', { inode, netns: '/proc/self/fd/9' }));
  const first = await machine.started();
  t.is((await first.supervisor.set('api', [wire]))[0]?.outcome, 'created');
  t.is(first.supervisor.get('w')?.endpoint.netns, '/proc/self/fd/9');
  const moved = wireOf(kernel(b, 'x'), memif('@m', { inode, netns: a }));
  t.deepEqual((await first.supervisor.set('api', [moved]))[0]?.actions, [], 'the same namespace by another path');
  await first.supervisor.set('api', [wire]);
  await first.supervisor.stop();
  await first.dataplane.close();

  machine.kernel.removeNamespace('/proc/self/fd/9');
  machine.kernel.linkNamespace('/proc/self/fd/9', c); // the number now is another file's
  const next = await machine.started();
  t.like(next.supervisor.get('w'), { phase: 'up', endpoint: { netns: a } });
  const [engineWire] = next.dataplane.engineWires.values();
  t.like(engineWire?.endpoint.request, { socket: '@m', netns: a });
  await next.supervisor.stop();
});

test('claims of wires that are still being made count', async (t) => {
  const { supervisor } = await new Machine().started();
  const results = await Promise.allSettled([
    supervisor.set('api', [wires.veth]),
    supervisor.set('api', [named('x', wireOf(kernel(a, 'nsm-1'), memif('@x')))]),
  ]);
  t.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
});

test('requests for one wire queue behind each other, the last one stands', async (t) => {
  const machine = new Machine();
  const run = await machine.started();
  const { supervisor } = run;
  const reports = await Promise.all([
    supervisor.set('api', [wires.veth]),
    supervisor.set('api', [wires.tap]),
    supervisor.remove(['w']),
    supervisor.set('api', [wires.tap]),
    supervisor.set('api', [wires.veth]),
  ]);
  t.deepEqual(
    reports.map(([report]) => report?.outcome),
    ['created', 'changed', 'removed', 'created', 'changed'],
  );
  t.is(supervisor.get('w')?.path, 'veth');
  t.deepEqual(
    machine.kernel.all().map(({ kind }) => kind),
    ['veth', 'veth'],
  );
});

test('many wires at once, and none of them in the way of another', async (t) => {
  const machine = new Machine();
  const { supervisor } = await machine.started({ parallel: 4 });
  const many = Array.from({ length: 100 }, (_, i) => named(`w${i}`, wireOf(kernel(a, `a${i}`), kernel(b, `b${i}`))));
  t.true((await supervisor.set('api', many)).every(({ outcome }) => outcome === 'created'));
  t.is(machine.kernel.all().length, 200);
  const removed = await supervisor.remove([...many.map(({ name }) => name), 'never']);
  t.is(removed.filter(({ outcome }) => outcome === 'removed').length, 100);
  t.like(removed.at(-1), { name: 'never', outcome: 'missing' });
  t.is(machine.kernel.all().length, 0);
});

test('a start looks once at each namespace for all wires in it, and again only for what is not in place', async (t) => {
  const machine = new Machine();
  const many = Array.from({ length: 50 }, (_, i) => named(`w${i}`, wireOf(kernel(a, `a${i}`), kernel(b, `b${i}`))));
  const first = await machine.started();
  await first.supervisor.set('api', many);
  await first.supervisor.stop();
  await first.dataplane.close();
  machine.kernel.destroy(machine.kernel.interface(b, 'b7'));

  const second = machine.boot();
  const asked = new Map<string, number>();
  second.dataplane.onStep = (step) => asked.set(step, (asked.get(step) ?? 0) + 1);
  await second.supervisor.start();
  t.is(machine.kernel.all().length, 100);
  t.true(second.supervisor.list().every(({ phase, client, endpoint }) => phase === 'up' && client.up && endpoint.up));
  // Three of the sweep, two of the survey, and those of the one wire that is made again.
  t.true((asked.get('listInterfaces') ?? 0) < 12, `${asked.get('listInterfaces')} questions`);
  t.is(asked.get('create the veth pair'), 1);
});

test('claims go with their wire, and move with it', async (t) => {
  const { supervisor } = await new Machine().started();
  const onA = named('x', wireOf(kernel(a, 'nsm-1'), memif('@x')));
  await supervisor.set('api', [wires.veth]);
  await t.throwsAsync(supervisor.set('api', [onA]), { code: 'INTERFACE_CLAIMED' });
  await supervisor.set('api', [{ ...wires.veth, client: { mechanism: kernel(c, 'nsm-1') } }]);
  t.like(await supervisor.set('api', [onA]), [{ outcome: 'created' }]);
  await t.throwsAsync(supervisor.set('api', [wires.veth]), { code: 'INTERFACE_CLAIMED' });
  await supervisor.remove(['x']);
  t.like(await supervisor.set('api', [wires.veth]), [{ outcome: 'changed' }]);
});

test('a wire whose namespace is missing at start comes up when the namespace does', async (t) => {
  const machine = new Machine();
  const first = await machine.started();
  await first.supervisor.set('api', [wires.veth]);
  await first.supervisor.stop();
  machine.kernel.removeNamespace(a); // as a reboot does
  const log = awaitableLog();
  const next = await machine.started({ log, retrySeconds: { first: 0.001, longest: 0.002 } });
  t.teardown(() => next.supervisor.stop());
  t.like(next.supervisor.get('w'), { phase: 'degraded', error: { code: 'NAMESPACE_MISSING' } });
  t.like(next.supervisor.health(), { length: 1, 0: { code: 'NAMESPACE_MISSING', wire: 'w' } });
  const up = log.line('wire up');
  machine.kernel.addNamespace(a);
  await up;
  t.like(next.supervisor.get('w'), { phase: 'up', error: undefined });
  t.deepEqual(next.supervisor.health(), []);
  t.is(machine.kernel.all().length, 2);
});

async function repaired(t: ExecutionContext, wire: Wire, harm: (machine: Machine) => void) {
  const machine = new Machine();
  const log = awaitableLog();
  const run = await machine.started({ log, resyncSeconds: 0.002 });
  t.teardown(() => run.supervisor.stop());
  await run.supervisor.set('api', [wire]);
  const before = machine.snapshot(run);
  const line = log.line('wire repaired');
  harm(machine);
  await line;
  t.deepEqual(machine.snapshot(run), before);
}

test('drift is repaired: an address removed', (t) =>
  repaired(t, wires.veth, ({ kernel: k }) => void k.interface(a, 'nsm-1').addresses.pop()));
test('drift is repaired: set down', (t) =>
  repaired(t, wires.veth, ({ kernel: k }) => k.setUp(k.interface(a, 'nsm-1'), false)));
test('drift is repaired: a pair deleted', (t) =>
  repaired(t, wires.veth, ({ kernel: k }) => k.destroy(k.interface(a, 'nsm-1'))));
test('drift is repaired: a tap deleted', (t) =>
  repaired(t, wires.tap, ({ kernel: k }) => k.destroy(k.interface(a, 'nsm-1'))));
test('drift is repaired: renamed', (t) =>
  repaired(t, wires.veth, ({ kernel: k }) => {
    const one = k.interface(b, 'nsm-2');
    k.setUp(one, false);
    k.rename(one, 'other');
  }));

test('what others add to our interface stays', async (t) => {
  const machine = new Machine();
  const { supervisor } = await machine.started();
  await supervisor.set('api', [wires.veth]);
  const one = machine.kernel.interface(a, 'nsm-1');
  one.addresses.push('192.0.2.1/32');
  t.is((await supervisor.set('api', [wires.veth]))[0]?.outcome, 'unchanged');
  await supervisor.set('api', [{ ...wires.veth, mtu: 1400 }]);
  t.true(one.addresses.includes('192.0.2.1/32'));
});

test('a namespace that goes takes its engine wire along; when it comes back, so does the wire', async (t) => {
  const machine = new Machine();
  const log = awaitableLog();
  const retrySeconds = { first: 0.001, longest: 0.002 };
  const run = await machine.started({ log, resyncSeconds: 0.002, retrySeconds });
  t.teardown(() => run.supervisor.stop());
  await run.supervisor.set('api', [wires.tap]);
  const degraded = log.line('wire degraded');
  machine.kernel.removeNamespace(a);
  await degraded;
  t.is(run.dataplane.engineWires.size, 0);
  t.like(run.supervisor.get('w'), { phase: 'degraded', client: { up: false } });
  const up = log.line('wire up');
  machine.kernel.addNamespace(a);
  await up;
  t.is(run.dataplane.engineWires.size, 1);
  t.is(run.supervisor.get('w')?.phase, 'up');
});

test('a pid that became another process is not given the wire, until it is applied again', async (t) => {
  const machine = new Machine();
  machine.kernel.linkNamespace('/proc/42/ns/net', a);
  const wire = wireOf({ ...kernel('', 'nsm-1'), namespace: { pid: 42 } }, kernel(b, 'nsm-2'));
  const first = await machine.started();
  await first.supervisor.set('api', [wire]);
  await first.supervisor.stop();
  machine.kernel.linkNamespace('/proc/42/ns/net', '/run/netns/c');
  const next = await machine.started();
  t.like(next.supervisor.get('w'), { phase: 'degraded', error: { code: 'NAMESPACE_CHANGED' } });
  t.is((await next.supervisor.set('api', [wire]))[0]?.outcome, 'changed');
  t.deepEqual(
    machine.kernel
      .all()
      .map(({ name, home }) => `${name} ${home === machine.kernel.namespace('/run/netns/c')}`)
      .sort(),
    ['nsm-1 true', 'nsm-2 false'],
  );
});

for (const [title, wire] of [
  ['veth', wires.veth],
  ['tap', wires.tap],
] as const) {
  test(`a path that means another namespace now: the ${title} moves there, nothing stays where it was`, async (t) => {
    const machine = new Machine();
    const run = await machine.started();
    await run.supervisor.set('api', [wire]);
    machine.kernel.linkNamespace('/proc/42/ns/net', a); // a process keeps the old one alive
    machine.kernel.removeNamespace(a);
    const namespace = machine.kernel.addNamespace(a);
    t.is((await run.supervisor.set('api', [wire]))[0]?.outcome, 'changed');
    t.deepEqual([...machine.kernel.namespace('/proc/42/ns/net').interfaces.keys()], []);
    t.deepEqual([...namespace.interfaces.keys()], ['nsm-1']);
    t.is(run.dataplane.engineWires.size, wire === wires.tap ? 1 : 0);
  });
}

test('a warning keeps its time while it is tried again, and goes with its cause', async (t) => {
  const machine = new Machine();
  const log = awaitableLog();
  const run = await machine.started({ log, resyncSeconds: 0.002, retrySeconds: { first: 0.001, longest: 0.002 } });
  t.teardown(() => run.supervisor.stop());
  await run.supervisor.set('api', [wires.tap]);
  machine.kernel.removeNamespace(a);
  await log.line('wire degraded');
  const [before] = run.supervisor.health();
  await log.line('wire degraded');
  t.deepEqual(run.supervisor.health(), before ? [before] : []);
  t.like(before, { code: 'NAMESPACE_MISSING', severity: 'error', wire: 'w' });
  await run.supervisor.remove(['w']);
  t.deepEqual(run.supervisor.health(), []);
});

test('explain: of a wire that stands nothing is pending, of one that might be everything', async (t) => {
  const { supervisor } = await new Machine().started();
  t.is(await supervisor.explain('w'), undefined);
  const before = await supervisor.explain(wires.tap);
  t.like(before, { name: 'w', path: 'engine' });
  t.is(before?.actions.length, 3);
  t.deepEqual(before?.pending, before?.actions);
  await supervisor.set('api', [wires.tap]);
  t.deepEqual((await supervisor.explain('w'))?.pending, []);
  t.is((await supervisor.explain({ ...wires.tap, mtu: 9000 }))?.pending.length, 3);
  const missing = await supervisor.explain(wireOf(kernel('/run/netns/none', 'x'), memif('@x')));
  t.regex(missing?.why.at(-1) ?? '', /cannot be made now/);
});

test('a secret is not told', async (t) => {
  const { supervisor } = await new Machine().started();
  await supervisor.set('api', [wireOf(kernel(a, 'x'), memif('@x', { secret: 'open sesame' }))]);
  t.false(JSON.stringify(supervisor.list()).includes('sesame'));
  t.like(supervisor.get('w')?.spec.endpoint.mechanism, { secret: '(set)' });
});

test('how long making takes is told for what was made, not for what was there', async (t) => {
  const made: [number, string][] = [];
  const { supervisor } = await new Machine().started({ onWireMade: (seconds, path) => made.push([seconds, path]) });
  await supervisor.set('api', [wires.veth]);
  await supervisor.set('api', [wires.veth]);
  await supervisor.remove([wires.veth.name]);
  await supervisor.set('api', [wires.tunnel]);
  t.deepEqual(
    made.map(([, path]) => path),
    ['veth', 'tunnel'],
  );
  t.true(made.every(([seconds]) => seconds > 0 && seconds < 60));
});
